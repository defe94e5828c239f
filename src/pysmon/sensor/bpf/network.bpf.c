// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Connections: TCP connected or accepted, and the first UDP packet of a flow. */
#include "connecting.bpf.h"

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

/* Both ends of a socket. GET: LOAD or READ, as the verifier knows the socket or does not. */
#define FILL_ENDS(flow, sk, GET) do { \
	u16 number_ = GET(sk, __sk_common.skc_num); \
	(flow)->family = GET(sk, __sk_common.skc_family); \
	(flow)->remote_port = SWAP16(GET(sk, __sk_common.skc_dport)); \
	(flow)->local_port = number_ ? number_ : SWAP16(READ((struct inet_sock *)sk, inet_sport)); /* 0 once it is closed */ \
	if ((flow)->family == AF_INET) { \
		u32 address_ = GET(sk, __sk_common.skc_rcv_saddr); \
		__builtin_memcpy((flow)->local, &address_, sizeof address_); \
		address_ = GET(sk, __sk_common.skc_daddr); \
		__builtin_memcpy((flow)->remote, &address_, sizeof address_); \
	} else { \
		bpf_probe_read_kernel((flow)->local, 16, &(sk)->__sk_common.skc_v6_rcv_saddr); \
		bpf_probe_read_kernel((flow)->remote, 16, &(sk)->__sk_common.skc_v6_daddr); \
	} \
} while (0)

INLINE bool port_passes(u32 set, u16 port)
{
	struct port_set *ports = bpf_map_lookup_elem(&port_sets, &set);
	u32 at = port >> 3;
	PIN(at); /* or the compiler leaves out the mask, which kernels like 6.1 need to see */
	return !ports || ports->bits[at & (sizeof ports->bits - 1)] & 1 << (port & 7);
}

/* What is known of who made a connection, perhaps since it began. To be asked before anything is read for the record. */
INLINE struct answer answer_for(const struct owner *owner)
{
	struct settings *s = get_settings();
	struct approval *approval = s ? approval_of(s, FAMILY_NETWORK) : NULL;
	struct answer known = { .bits = owner->answer }, none = {};
	if (!approval || !approval->by_actor)
		return none;
	return known.bits && owner->generation == s->generation ? known : answer_of(s, owner->image, owner->uid);
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

/* Does a record with that mark end here? */
INLINE bool flow_ends(const struct owner *owner, u32 mark)
{
	return mark & PUSHDOWN_MARK && pushed_down(FAMILY_NETWORK, owner->tgid);
}

/* Does all that such an owner does end here? */
INLINE bool owner_ends(const struct owner *owner, struct answer answer)
{
	return flow_ends(owner, mark_by(answer, FAMILY_NETWORK));
}

/* `answer`: of the owner, for whom the record does not end. */
INLINE int send_flow(const struct owner *owner, const struct flow *flow, u16 protocol, bool initiated, struct answer answer)
{
	u32 mark = mark_by(answer, FAMILY_NETWORK);
	u32 within = flow->family == AF_INET ? PUSHDOWN_WITHIN_IPV4 : PUSHDOWN_WITHIN_IPV6;
	u16 source = initiated ? flow->local_port : flow->remote_port;
	u16 destination = initiated ? flow->remote_port : flow->local_port;
	if (!(mark & PUSHDOWN_MARK)
	    && ((answer.bits & within && is_within(flow))
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
	if (now == TCP_SYN_SENT) {
		if (sk->sk_protocol == IPPROTO_TCP && watched(FAMILY_NETWORK))
			begin_connecting(first_word(context));
		return 0;
	}
	if (before != TCP_SYN_SENT && (before != TCP_SYN_RECV || !sk->sk_socket)) /* that: nobody has accepted it yet */
		return 0;
	struct owner owner;
	/* Where both ends connect at once, the last answer is yet to come. */
	if (now == TCP_SYN_RECV || !finish_connecting(first_word(context), &owner) || now != TCP_ESTABLISHED)
		return 0;
	struct answer answer = answer_for(&owner);
	if (owner_ends(&owner, answer))
		return 0;
	struct flow flow = {};
	FILL_ENDS(&flow, sk, LOAD);
	return send_flow(&owner, &flow, IPPROTO_TCP, true, answer);
}

/* A socket that was accepted; GET as above. */
#define ACCEPTED(sk, GET) do { \
	u16 protocol_ = GET(sk, sk_protocol), family_ = GET(sk, __sk_common.skc_family); \
	if ((protocol_ != IPPROTO_TCP && protocol_ != IPPROTO_MPTCP) || (family_ != AF_INET && family_ != AF_INET6)) \
		return 0; \
	struct owner owner_; \
	fill_owner(&owner_); \
	struct answer answer_ = answer_for(&owner_); \
	if (owner_ends(&owner_, answer_)) \
		return 0; \
	struct flow flow_ = {}; \
	FILL_ENDS(&flow_, sk, GET); \
	return send_flow(&owner_, &flow_, IPPROTO_TCP, false, answer_); \
} while (0)

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
	if (!sk || !watched(FAMILY_NETWORK))
		return 0;
	ACCEPTED(sk, LOAD);
}

#define ON_ACCEPT(name) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_##name(struct sys_exit_context *context) \
{ \
	struct sock *sk = context->ret >= 0 && watched(FAMILY_NETWORK) ? socket_of(context->ret) : NULL; \
	if (!sk) \
		return 0; \
	ACCEPTED(sk, READ); \
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
	struct answer answer = answer_for(&owner);
	return owner_ends(&owner, answer) ? 0 : send_flow(&owner, flow, IPPROTO_UDP, initiated, answer);
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

#define TCP_CHECKSUM 16 /* where it stands in the header */

/* Is the packet a TCP segment of that socket? Told without a look into the packet: the sum that is still to be made is that
 * of a TCP header, which begins where the outermost transport header does (a tunnel would have put its own before it). */
INLINE bool is_plainly_tcp(struct sk_buff *packet, struct sock *sk)
{
	return packet->csum_offset == TCP_CHECKSUM && packet->csum_start == packet->transport_header
	       && sk->sk_protocol == IPPROTO_TCP;
}

/* A packet goes to its device, in the time of the process that sent it. One without a socket is on its way through this
 * machine, in anybody's time. */
SEC("tp_btf/net_dev_queue")
int on_packet_out(u64 *context)
{
	struct sk_buff *packet = ARGUMENT(context, 0, struct sk_buff *);
	struct sock *sk = packet->sk;
	if (!sk || is_plainly_tcp(packet, sk))
		return 0;
	struct flow flow = {};
	if (!read_ends(packet, &flow, true) || !watched(FAMILY_NETWORK))
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
	FILL_ENDS(&flow, sk, READ);
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
