// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Connections: TCP connected or accepted, and the first UDP packet of a flow. */
#include "objects.bpf.h"

/* Who called connect(): the answer to its SYN arrives in somebody else's time. */
struct owner { u64 start, exec_id; u32 tgid, tid, uid, image; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 16384);
	MAP_TYPE(key, u64); /* address of the sock */
	MAP_TYPE(value, struct owner);
} connecting SEC(".maps");

struct flow { u8 local[16], remote[16]; u16 local_port, remote_port, family, unused; } __attribute__((aligned(8)));
#define LOOPBACK 0x0100007fu             /* 127.0.0.1 as it lies in memory, in the first four bytes of an address */
#define LOOPBACK_V6 (1ull << 56)         /* ::1, the last eight bytes */

/* UDP flows of which a first packet was seen. A new socket is a new flow, told by its inode: the kernel uses the memory
 * of a socket again at once. Its own address says nothing more, and one that is bound to all addresses shows none when
 * it receives. */
struct udp_flow { u64 socket_inode; u8 remote[16]; u16 local_port, remote_port, family, unused; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 65536);
	MAP_TYPE(key, struct udp_flow);
	MAP_TYPE(value, u8);
} udp_flows SEC(".maps");

INLINE void fill_owner(struct owner *owner)
{
	struct task_struct *task = bpf_get_current_task_btf();
	owner->start = task->group_leader->start_boottime;
	owner->exec_id = task->self_exec_id;
	owner->tgid = task->tgid;
	owner->tid = task->pid;
	owner->uid = bpf_get_current_uid_gid();
	owner->image = image_of(task);
}

INLINE void fill_ends(struct flow *flow, struct sock *sk)
{
	flow->family = READ(sk, __sk_common.skc_family);
	flow->remote_port = SWAP16(READ(sk, __sk_common.skc_dport));
	flow->local_port = SWAP16(READ((struct inet_sock *)sk, inet_sport)); /* skc_num is 0 already once closed */
	if (flow->family == AF_INET) {
		u32 address = READ(sk, __sk_common.skc_rcv_saddr);
		__builtin_memcpy(flow->local, &address, sizeof address);
		address = READ(sk, __sk_common.skc_daddr);
		__builtin_memcpy(flow->remote, &address, sizeof address);
	} else {
		bpf_probe_read_kernel(flow->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_probe_read_kernel(flow->remote, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

INLINE bool port_passes(u32 set, u16 port)
{
	struct port_set *ports = bpf_map_lookup_elem(&port_sets, &set);
	u32 at = port >> 3;
	PIN(at); /* or the compiler leaves out the mask, which kernels like 6.1 need to see */
	return !ports || ports->bits[at & (sizeof ports->bits - 1)] & 1 << (port & 7);
}

/* The mark of a record of a connection for who made it. To be asked before anything is read for the record. */
INLINE u32 mark_of_owner(const struct owner *owner)
{
	struct settings *s = get_settings();
	struct approval *approval = s ? approval_of(s, FAMILY_NETWORK) : NULL;
	return approval && approval->by_actor ? mark_of(s, FAMILY_NETWORK, owner->image, owner->uid) : 0;
}

/* Is nothing kept of such a connection for its ports? */
INLINE bool ports_refused(u16 source, u16 destination, u16 protocol, bool initiated)
{
	struct settings *s = get_settings();
	struct approval *approval = s ? approval_of(s, FAMILY_NETWORK) : NULL;
	if (!approval || !approval->by_port)
		return false;
	u32 set = (s->generation & 1) * 8 + initiated * 2 + (protocol == IPPROTO_UDP);
	return !(port_passes(set, destination) && port_passes(set + 4, source));
}

/* Is it a connection of the machine with itself, from one of these addresses to the same: 127.0.0.1, ::1? */
INLINE bool is_within(const struct flow *flow)
{
	const u64 *local = (const u64 *)flow->local, *remote = (const u64 *)flow->remote;
	u64 first = flow->family == AF_INET ? LOOPBACK : 0, last = flow->family == AF_INET ? 0 : LOOPBACK_V6;
	return local[0] == first && local[1] == last && remote[0] == first && remote[1] == last;
}

/* Is nothing kept of the connections within the machine of who made it? */
INLINE bool refused_within(const struct owner *owner, bool ipv6)
{
	struct settings *s = get_settings();
	struct approval *approval = s ? approval_of(s, FAMILY_NETWORK) : NULL;
	return approval && approval->by_actor && answered_within(s, owner->image, owner->uid, ipv6);
}

/* Does a record with that mark end here? */
INLINE bool flow_ends(const struct owner *owner, u32 mark)
{
	return mark & PUSHDOWN_MARK && pushed_down(FAMILY_NETWORK, owner->tgid);
}

/* `mark`: for who made it, with which the record does not end. */
INLINE int send_flow(const struct owner *owner, const struct flow *flow, u16 protocol, bool initiated, u32 mark)
{
	u16 source = initiated ? flow->local_port : flow->remote_port;
	u16 destination = initiated ? flow->remote_port : flow->local_port;
	if (!(mark & PUSHDOWN_MARK)
	    && ((is_within(flow) && refused_within(owner, flow->family != AF_INET))
		|| ports_refused(source, destination, protocol, initiated))) {
		mark |= PUSHDOWN_MARK;
		if (flow_ends(owner, mark))
			return 0;
	}
	RESERVE(flow_record, r, event_ring, FAMILY_NETWORK);
	r->kind = KIND_FLOW_RECORD;
	r->cpu = bpf_get_smp_processor_id() | mark;
	r->size = sizeof *r;
	r->time = bpf_ktime_get_boot_ns();
	r->start = owner->start;
	r->exec_id = owner->exec_id;
	r->tgid = owner->tgid;
	r->tid = owner->tid;
	r->uid = owner->uid;
	r->family = flow->family;
	r->protocol = protocol;
	r->initiated = initiated;
	__builtin_memcpy(r->source, initiated ? flow->local : flow->remote, 16);
	__builtin_memcpy(r->destination, initiated ? flow->remote : flow->local, 16);
	r->source_port = source;
	r->destination_port = destination;
	bpf_ringbuf_submit(r, wake_up_flag(&event_ring, r->time, mark));
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int on_tcp_state(u64 *context)
{
	struct sock *sk = ARGUMENT(context, 0, struct sock *);
	int before = ARGUMENT(context, 1, int), now = ARGUMENT(context, 2, int);
	u64 key = (u64)sk;
	if (now == TCP_SYN_SENT) {
		if (sk->sk_protocol != IPPROTO_TCP || !watched(FAMILY_NETWORK))
			return 0;
		struct owner owner;
		fill_owner(&owner);
		bpf_map_update_elem(&connecting, &key, &owner, BPF_ANY);
	} else if (before == TCP_SYN_SENT || before == TCP_SYN_RECV) {
		struct owner *owner = bpf_map_lookup_elem(&connecting, &key);
		if (!owner || now == TCP_SYN_RECV) /* that: both ends connect at once, the last answer is yet to come */
			return 0;
		u32 mark = now == TCP_ESTABLISHED ? mark_of_owner(owner) : 0;
		if (now == TCP_ESTABLISHED && !flow_ends(owner, mark)) {
			struct flow flow = {};
			fill_ends(&flow, sk);
			send_flow(owner, &flow, IPPROTO_TCP, true, mark);
		}
		bpf_map_delete_elem(&connecting, &key);
	}
	return 0;
}

INLINE int accepted(struct sock *sk)
{
	if (!sk)
		return 0;
	u16 protocol = READ(sk, sk_protocol);
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP)
		return 0;
	u16 family = READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return 0;
	struct owner owner;
	fill_owner(&owner);
	u32 mark = mark_of_owner(&owner);
	if (flow_ends(&owner, mark))
		return 0;
	struct flow flow = {};
	fill_ends(&flow, sk);
	return send_flow(&owner, &flow, IPPROTO_TCP, false, mark);
}

/* Since 6.10 inet_csk_accept takes two arguments instead of four. */
SEC("fexit/inet_csk_accept")
int on_accepted(u64 *context)
{
	struct sock *sk;
	if (TYPE_EXISTS(struct proto_accept_arg)) {
		sk = ARGUMENT(context, 2, struct sock *);
		PIN(sk); /* apart, or the compiler computes the offset: the verifier takes constants only */
	} else {
		sk = ARGUMENT(context, 4, struct sock *);
		PIN(sk);
	}
	return sk && watched(FAMILY_NETWORK) ? accepted(sk) : 0;
}

#define ON_ACCEPT(name) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_##name(struct sys_exit_context *context) \
{ \
	s64 descriptor = context->ret; \
	return descriptor >= 0 && watched(FAMILY_NETWORK) ? accepted(socket_of(descriptor)) : 0; \
}
ON_ACCEPT(accept)
ON_ACCEPT(accept4)

/* ---- UDP */

struct ipv4_header { u8 version_and_size, tos; u16 size, id, fragment; u8 ttl, protocol; u16 sum; u8 source[4], destination[4]; };
struct ipv6_header { u32 version_and_label; u16 size; u8 next, hops; u8 source[16], destination[16]; };
struct ipv6_fragment { u8 next, unused; u16 offset; u32 id; };
#define IPV4_OFFSET SWAP16(0x1fff) /* bits of `fragment` and `offset`: 0 in the first fragment, which has the ports */
#define IPV6_OFFSET SWAP16(0xfff8)
struct udp_header { u16 source, destination, size, sum; };

INLINE int first_of_flow(struct sock *sk, const struct flow *flow, bool initiated)
{
	struct socket *socket = READ(sk, sk_socket);
	struct file *file = READ(socket, file);
	struct inode *inode = READ(file, f_inode);
	struct udp_flow key = {
		.socket_inode = READ(inode, i_ino), .local_port = flow->local_port, .remote_port = flow->remote_port,
		.family = flow->family,
	};
	__builtin_memcpy(key.remote, flow->remote, 16);
	u8 one = 1;
	if (bpf_map_update_elem(&udp_flows, &key, &one, BPF_NOEXIST))
		return 0;
	struct owner owner;
	fill_owner(&owner);
	u32 mark = mark_of_owner(&owner);
	return flow_ends(&owner, mark) ? 0 : send_flow(&owner, flow, IPPROTO_UDP, initiated, mark);
}

/* Reads both ends of a UDP packet from its headers; false if it is none. */
INLINE bool read_ends(struct sk_buff *packet, struct flow *flow, bool outgoing)
{
	u16 protocol = packet->protocol;
	u8 *source = outgoing ? flow->local : flow->remote, *destination = outgoing ? flow->remote : flow->local;
	u8 *network = packet->head + packet->network_header;
	u32 header;
	if (protocol == ETH_P_IP_BE) {
		struct ipv4_header ip;
		if (bpf_probe_read_kernel(&ip, sizeof ip, network) || ip.protocol != IPPROTO_UDP || ip.fragment & IPV4_OFFSET)
			return false;
		__builtin_memcpy(source, ip.source, 4);
		__builtin_memcpy(destination, ip.destination, 4);
		flow->family = AF_INET;
		header = (ip.version_and_size & 15) * 4;
	} else if (protocol == ETH_P_IPV6_BE) {
		struct ipv6_header ip;
		if (bpf_probe_read_kernel(&ip, sizeof ip, network))
			return false;
		u8 next = ip.next;
		header = sizeof ip;
		if (next == IPPROTO_FRAGMENT) {
			struct ipv6_fragment fragment;
			if (bpf_probe_read_kernel(&fragment, sizeof fragment, network + header) || fragment.offset & IPV6_OFFSET)
				return false;
			next = fragment.next;
			header += sizeof fragment;
		}
		if (next != IPPROTO_UDP)
			return false;
		__builtin_memcpy(source, ip.source, 16);
		__builtin_memcpy(destination, ip.destination, 16);
		flow->family = AF_INET6;
	} else {
		return false;
	}
	struct udp_header udp;
	if (bpf_probe_read_kernel(&udp, sizeof udp, network + header))
		return false;
	flow->local_port = SWAP16(outgoing ? udp.source : udp.destination);
	flow->remote_port = SWAP16(outgoing ? udp.destination : udp.source);
	return true;
}

/* A packet goes to its device, in the time of the process that sent it. One without a socket is on its way through this
 * machine, in anybody's time. */
SEC("tp_btf/net_dev_queue")
int on_packet_out(u64 *context)
{
	struct sk_buff *packet = ARGUMENT(context, 0, struct sk_buff *);
	struct flow flow = {};
	struct sock *sk = packet->sk;
	if (!sk || !read_ends(packet, &flow, true) || !watched(FAMILY_NETWORK))
		return 0;
	return first_of_flow(sk, &flow, true);
}

/* A process takes a packet from its socket. */
SEC("fentry/skb_consume_udp")
int on_packet_taken(u64 *context)
{
	struct flow flow = {};
	if (!watched(FAMILY_NETWORK) || !read_ends(ARGUMENT(context, 1, struct sk_buff *), &flow, false))
		return 0;
	return first_of_flow(ARGUMENT(context, 0, struct sock *), &flow, false);
}

/* ---- the same at the end of system calls: the peer stands in the caller's address buffer, or in the socket if that is connected */

struct address_v4 { u16 family, port; u8 address[4]; };
struct address_v6 { u16 family, port; u32 flow; u8 address[16]; };

INLINE int received(s64 descriptor, u64 peer)
{
	struct sock *sk = socket_of(descriptor);
	if (!sk || READ(sk, sk_protocol) != IPPROTO_UDP)
		return 0;
	struct flow flow = {};
	fill_ends(&flow, sk);
	if (peer) {
		struct address_v6 from;
		if (bpf_probe_read_user(&from, sizeof(struct address_v4), (void *)peer))
			return 0;
		flow.remote_port = SWAP16(from.port);
		flow.family = from.family;
		if (from.family == AF_INET) {
			__builtin_memcpy(flow.remote, &((struct address_v4 *)&from)->address, 4);
		} else if (from.family == AF_INET6) {
			if (bpf_probe_read_user(&from, sizeof from, (void *)peer))
				return 0;
			__builtin_memcpy(flow.remote, from.address, 16);
		}
	}
	if (!flow.remote_port || (flow.family != AF_INET && flow.family != AF_INET6))
		return 0; /* the caller did not ask who sent it */
	return first_of_flow(sk, &flow, false);
}

SEC("tracepoint/syscalls/sys_exit_recvfrom")
int on_recvfrom(struct sys_exit_context *context)
{
	if (context->ret < 0 || !watched(FAMILY_NETWORK))
		return 0;
	return received((s32)syscall_argument(0), syscall_argument(4));
}

SEC("tracepoint/syscalls/sys_exit_recvmsg")
int on_recvmsg(struct sys_exit_context *context)
{
	if (context->ret < 0 || !watched(FAMILY_NETWORK))
		return 0;
	u64 peer = 0; /* msghdr.msg_name */
	bpf_probe_read_user(&peer, sizeof peer, (void *)syscall_argument(1));
	return received((s32)syscall_argument(0), peer);
}
