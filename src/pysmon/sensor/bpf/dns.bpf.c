// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What goes to port 53 and comes from there, for programs that ask the DNS by themselves: read from the process that sends
 * or receives it, where its socket call has moved it. */
#include "lookup.bpf.c"

#define DNS_PORT SWAP16(53) /* as it stands in the kernel */
#define PAYLOAD_SIZE 4096
#define PIECES 4
#define BATCH 4
enum { MSG_PEEK = 2 };
struct piece { u64 from, size; };                                                  /* struct iovec */
struct message { u64 peer, peer_size, pieces, count, control, control_size, flags; }; /* struct user_msghdr */
struct batched { struct message message; u32 size, unused; };                      /* struct mmsghdr */

enum { ASKING = 1, MAY_ASK = 2 };

/* Does this socket have its peer at port 53, or may it, since it has none? GET as in network.bpf.c. */
#define ASKS(sk, GET) ({ \
	u16 port_ = GET(sk, __sk_common.skc_dport), family_ = 0; \
	if (port_ == DNS_PORT || !port_) \
		family_ = GET(sk, __sk_common.skc_family); \
	family_ != AF_INET && family_ != AF_INET6 ? 0 : port_ ? ASKING : GET(sk, sk_protocol) == IPPROTO_UDP ? MAY_ASK : 0; \
})

INLINE bool reaches_port(struct flow *flow, u64 peer)
{
	if (flow->remote_port || !peer)
		return flow->remote_port == 53;
	struct address_v6 to = {};
	if (bpf_probe_read_user(&to, sizeof(struct address_v4), (void *)peer) || to.port != DNS_PORT)
		return false;
	flow->family = to.family;
	if (to.family == AF_INET)
		__builtin_memcpy(flow->remote, &((struct address_v4 *)&to)->address, 4);
	else if (!bpf_probe_read_user(&to, sizeof to, (void *)peer))
		__builtin_memcpy(flow->remote, to.address, 16);
	return true;
}

INLINE u32 put_piece(struct scratch *s, u32 at, u64 from, u32 size)
{
	PIN(at);
	PIN(size);
	if (at > TAILS_LIMIT || size > PAYLOAD_SIZE)
		return at;
	return bpf_probe_read_user(s->bytes + at, size, (void *)from) ? at : at + size;
}

/* How something was moved, beside its size: by whom, and whether the address is that of an array of pieces. */
enum { SENT = 1, IN_PIECES = 2, SIZE_SHIFT = 2, LARGEST = 1 << 29 };

/* The record of what the current process has sent to a socket or received from it. */
GLOBAL int moved(u64 sk_address, u64 peer, u64 from, u32 how)
{
	struct sock *sk = (void *)sk_address;
	u32 whole = how >> SIZE_SHIFT, slot;
	struct flow flow = {};
	FILL_ENDS(&flow, sk, READ);
	struct scratch *s = reaches_port(&flow, peer) ? claim(FAMILY_DNS, &slot) : NULL;
	if (!s)
		return 0;
	struct dns_message_record *r = (void *)s->bytes;
	FILL_HEAD(r, KIND_DNS_MESSAGE_RECORD, 0, bpf_get_current_task_btf());
	struct socket *socket = READ(sk, sk_socket);
	struct file *file = READ(socket, file);
	struct inode *inode = READ(file, f_inode);
	r->socket = READ(inode, i_ino);
	__builtin_memcpy(r->server, flow.remote, 16);
	r->uid = bpf_get_current_uid_gid();
	r->whole = whole;
	r->family = flow.family;
	r->protocol = READ(sk, sk_protocol);
	r->sent = how & SENT;
	r->called = current_look_up() != NULL;
	u32 start = sizeof *r, at = start, left = whole < PAYLOAD_SIZE ? whole : PAYLOAD_SIZE;
	struct piece piece = { .from = from, .size = left };
	for (int i = 0; i < PIECES && left; i++) {
		if (how & IN_PIECES && bpf_probe_read_user(&piece, sizeof piece, (void *)from + i * sizeof piece))
			break;
		u32 size = piece.size < left ? piece.size : left;
		at = put_piece(s, at, piece.from, size);
		left -= size;
	}
	TAIL(payload, at);
	r->size = at;
	return send(&event_ring, FAMILY_DNS, s, at, r->time);
}

INLINE int moved_at(struct sock *sk, u64 peer, u64 from, u32 size, u32 how)
{
	return moved((u64)sk, peer, from, (size < LARGEST ? size : LARGEST) << SIZE_SHIFT | how);
}

INLINE int moved_as(struct sock *sk, u64 message_address, u32 size, u32 how)
{
	struct message message;
	if (bpf_probe_read_user(&message, sizeof message, (void *)message_address))
		return 0;
	return moved_at(sk, message.peer, message.pieces, size, how | IN_PIECES);
}

/* The system call that the current process is in tells where the bytes are. Calls for many messages have programs of
 * their own, below; what came another way (io_uring, 32-bit calls) has its bytes elsewhere. */
#define CALL(x86_number, arm64_number) (x86 ? x86_number : arm64_number)

GLOBAL int moved_by_call(u64 sk_address, u32 size, u32 how)
{
	struct sock *sk = (void *)sk_address;
	struct pt_regs___x86 *regs = NULL;
	bool x86 = FIELD_EXISTS(regs, orig_ax);
	u32 call = syscall_number();
	u64 second = syscall_argument(1);
	if (call == CALL(44, 206) || call == CALL(45, 207)) /* sendto, recvfrom */
		return moved_at(sk, syscall_argument(4), second, size, how);
	if (call == CALL(46, 211) || call == CALL(47, 212)) /* sendmsg, recvmsg */
		return moved_as(sk, second, size, how);
	if (call == CALL(0, 63) || call == CALL(1, 64)) /* read, write */
		return moved_at(sk, 0, second, size, how);
	if (call == CALL(19, 65) || call == CALL(20, 66)) /* readv, writev */
		return moved_at(sk, 0, second, size, how | IN_PIECES);
	return 0;
}

/* Where any socket call has moved bytes, since 6.3; the socket is one that the verifier knows, and cheap to ask. */
INLINE int socket_moved(u64 *context, u32 how)
{
	struct sock *sk = ARGUMENT(context, 0, struct sock *);
	s32 size = ARGUMENT(context, 1, s32), flags = ARGUMENT(context, 2, s32);
	u16 family = sk->__sk_common.skc_family, port = sk->__sk_common.skc_dport;
	if ((family != AF_INET && family != AF_INET6) || (port != DNS_PORT && port) || size <= 0)
		return 0;
	if (!port && (sk->sk_protocol != IPPROTO_UDP || !(how & SENT))) /* whom it came from is told later, at the end of the call */
		return 0;
	if (flags & MSG_PEEK || !watched(FAMILY_DNS))
		return 0;
	u64 address; /* of which the verifier knows nothing: a function checked by itself takes no other */
	bpf_probe_read_kernel(&address, sizeof address, context);
	return moved_by_call(address, size, how);
}

SEC("tp_btf/sock_send_length")
int on_socket_sent(u64 *context) { return socket_moved(context, SENT); }

SEC("tp_btf/sock_recv_length")
int on_socket_received(u64 *context) { return socket_moved(context, 0); }

/* The same inside the kernel, before 6.3. */
#define ON_MOVED(function, name, result, flags, how, which) \
SEC("fexit/" #function) \
int name(u64 *context) /* the socket, the message, its size, for receiving flags, the result */ \
{ \
	struct socket *socket = ARGUMENT(context, 0, struct socket *); \
	s32 size = ARGUMENT(context, result, s32); \
	struct sock *sk = socket->sk; \
	if (!sk || !(ASKS(sk, LOAD) & (which)) || size <= 0 || (flags) & MSG_PEEK || !watched(FAMILY_DNS)) \
		return 0; \
	u64 address; /* as in socket_moved */ \
	bpf_probe_read_kernel(&address, sizeof address, &socket->sk); \
	return moved_by_call(address, size, how); \
}
ON_MOVED(inet_sendmsg, on_inet_sent, 3, 0, SENT, ASKING | MAY_ASK)
ON_MOVED(inet6_sendmsg, on_inet6_sent, 3, 0, SENT, ASKING | MAY_ASK)
ON_MOVED(inet_recvmsg, on_inet_received, 4, context[3], 0, ASKING)
ON_MOVED(inet6_recvmsg, on_inet6_received, 4, context[3], 0, ASKING)

/* At the ends of system calls: what comes to a socket without a peer, and, where nothing else serves, all that is moved but by
 * read and write, which all files have. */
#define ON_CALL(where, name, call, flags, how, which) \
where(call, name) \
{ \
	if (result <= 0 || !watched(FAMILY_DNS) || syscall_argument(flags) & MSG_PEEK) \
		return 0; \
	struct sock *sk = socket_of((s32)syscall_argument(0)); \
	return sk && ASKS(sk, READ) & (which) ? moved_by_call((u64)sk, result, how) : 0; \
}
ON_CALL(AT_END_OF, on_dns_recvfrom, recvfrom, 3, 0, MAY_ASK)
ON_CALL(AT_END_OF, on_dns_recvmsg, recvmsg, 2, 0, MAY_ASK)
ON_CALL(AT_TRACEPOINT_OF, on_dns_recvfrom_peer, recvfrom, 3, 0, ASKING)
ON_CALL(AT_TRACEPOINT_OF, on_dns_recvmsg_peer, recvmsg, 2, 0, ASKING)
ON_CALL(AT_TRACEPOINT_OF, on_dns_sendto, sendto, 3, SENT, ASKING | MAY_ASK)
ON_CALL(AT_TRACEPOINT_OF, on_dns_sendmsg, sendmsg, 2, SENT, ASKING | MAY_ASK)

/* Many messages at once: the result is how many. */
#define ON_BATCH(call, how) \
AT_END_OF(call, on_dns_##call) \
{ \
	if (result <= 0 || !watched(FAMILY_DNS) || syscall_argument(3) & MSG_PEEK) \
		return 0; \
	struct sock *sk = socket_of((s32)syscall_argument(0)); \
	struct batched *first = (void *)syscall_argument(1), each; \
	if (!sk || !ASKS(sk, READ)) \
		return 0; \
	for (int i = 0; i < BATCH && i < result; i++) \
		if (!bpf_probe_read_user(&each, sizeof each, first + i)) \
			moved_at(sk, each.message.peer, each.message.pieces, each.size, how | IN_PIECES); \
	return 0; \
}
ON_BATCH(sendmmsg, SENT)
ON_BATCH(recvmmsg, 0)
