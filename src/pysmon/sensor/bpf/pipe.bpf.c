// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Meeting places of processes that have a name: FIFOs and Unix sockets that are made, and who comes to them.
 * FIFOs are made where file.bpf.c sees names, and opened where it sees openings. */
#include "objects.bpf.h"

enum { PIPE_FS_MAGIC = 0x50495045, S_IFIFO = 0x1000, O_NONBLOCK = 0x800, AF_UNIX = 1 };

/* A process, as records name it. */
struct party { u64 start, exec_id; u32 tgid, unused; };

/* Who opened an end of a FIFO last, wherever he lives. The kernel has a pipe for it as long as somebody holds it open, and
 * counts in it how often its ends were opened. */
struct fifo_end { u64 inode; u32 device, end; };
struct opener { struct party party; u64 pipe, opened; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_TYPE(key, struct fifo_end);
	MAP_TYPE(value, struct opener);
} openers SEC(".maps");

/* Fills all of a record but its tails. */
#define FILL_PIPE(r, deed_, sort_, peer_) do { \
	FILL_HEAD(r, KIND_PIPE_RECORD, 0, bpf_get_current_task_btf()); \
	(r)->uid = bpf_get_current_uid_gid(); \
	(r)->deed = deed_; \
	(r)->sort = sort_; \
	(r)->peer_start = (peer_)->start; \
	(r)->peer_exec_id = (peer_)->exec_id; \
	(r)->peer_tgid = (peer_)->tgid; \
	(r)->path_len = (r)->directory_len = (r)->name_len = (r)->abstract_len = 0; \
} while (0)

/* ---- FIFOs */

INLINE struct party ourselves_as_party(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct party us = {
		.start = task->group_leader->start_boottime, .exec_id = task->self_exec_id, .tgid = task->tgid,
	};
	return us;
}

INLINE int fifo_met(struct file *file, struct party *other)
{
	u32 slot;
	struct scratch *s = watched(FAMILY_PIPE) ? claim(FAMILY_PIPE, &slot) : NULL;
	if (!s)
		return 0;
	struct pipe_record *r = (void *)s->bytes;
	FILL_PIPE(r, PIPE_MET, PIPE_FIFO, other);
	u32 start = sizeof *r, at = start;
	TAIL(path, put_path_of(slot, at, &file->f_path));
	r->size = at;
	return send(&event_ring, FAMILY_PIPE, s, at, r->time);
}

/* By its place, where that is known, else by the name that the process gave it. */
INLINE int fifo_made(u64 dentry, u64 mount, s32 directory, u64 given)
{
	u32 slot;
	struct party nobody = {};
	struct scratch *s = watched(FAMILY_PIPE) ? claim(FAMILY_PIPE, &slot) : NULL;
	if (!s)
		return 0;
	struct pipe_record *r = (void *)s->bytes;
	FILL_PIPE(r, PIPE_MADE, PIPE_FIFO, &nobody);
	u32 start = sizeof *r, at = start;
	TAIL(path, dentry ? put_path(slot, at, dentry, mount) : at);
	TAIL(directory, given ? put_directory(slot, at, directory, (void *)given) : at);
	TAIL(name, given ? put_user_string(s, at, 4096, (void *)given) : at);
	r->size = at;
	return send(&event_ring, FAMILY_PIPE, s, at, r->time);
}

/* Another process that opened this end of the same pipe before. */
INLINE void find_opener(struct fifo_end *key, struct opener *us, struct party *other)
{
	struct opener *known = bpf_map_lookup_elem(&openers, key);
	if (known && known->pipe == us->pipe && known->opened <= us->opened &&
	    (known->party.tgid != us->party.tgid || known->party.start != us->party.start))
		*other = known->party;
}

/* For the ends of openings. Two that wait for each other come at the same time, and the one that is seen last is told; the
 * other one may have closed its end by then, but who waits for it and goes on has met it. */
INLINE int opened_fifo(struct file *file)
{
	if (!file || !wanted(FAMILY_PIPE))
		return 0;
	struct inode *inode = READ(file, f_inode);
	if ((READ(inode, i_mode) & S_IFMT) != S_IFIFO)
		return 0;
	struct super_block *super = READ(inode, i_sb);
	struct pipe_inode_info *pipe = READ(inode, i_pipe);
	if (READ(super, s_magic) == PIPE_FS_MAGIC || !pipe)
		return 0;
	u32 mode = READ(file, f_mode) & (FMODE_READ | FMODE_WRITE), count = READ(pipe, files);
	bool waits = !(READ(file, f_flags) & O_NONBLOCK) && mode != (FMODE_READ | FMODE_WRITE);
	struct opener us = {
		.party = ourselves_as_party(), .pipe = (u64)pipe, .opened = READ(pipe, r_counter) + READ(pipe, w_counter),
	};
	struct fifo_end reading = { .inode = READ(inode, i_ino), .device = READ(super, s_dev), .end = FMODE_READ };
	struct fifo_end writing = { .inode = reading.inode, .device = reading.device, .end = FMODE_WRITE };
	struct party other = {};
	if (mode == (FMODE_READ | FMODE_WRITE)) { /* before it takes their places */
		find_opener(&writing, &us, &other);
		find_opener(&reading, &us, &other);
	}
	if (mode & FMODE_READ)
		bpf_map_update_elem(&openers, &reading, &us, BPF_ANY);
	if (mode & FMODE_WRITE)
		bpf_map_update_elem(&openers, &writing, &us, BPF_ANY);
	if (mode != (FMODE_READ | FMODE_WRITE)) /* afterwards: of two that do so at once none is missed */
		find_opener(mode & FMODE_READ ? &writing : &reading, &us, &other);
	return other.tgid && (waits || count > 1) ? fifo_met(file, &other) : 0;
}

SEC("fexit/fifo_open")
int on_fifo_open(u64 *context) /* inode, file, result */
{
	return (s32)context[2] == 0 ? opened_fifo((void *)context[1]) : 0;
}

/* ---- Unix sockets */

#define ABSTRACT_NAME 107

INLINE u32 put_abstract(struct scratch *s, u32 at, struct unix_address *address)
{
	u32 length = READ(address, len) - sizeof(u16); /* behind the family */
	char first = 1;
	bpf_probe_read_kernel(&first, sizeof first, &address->name[0].sun_path[0]);
	PIN(at);
	if (first || length < 2 || length > ABSTRACT_NAME + 1 || at > TAILS_LIMIT)
		return at;
	length -= 2; /* without the NUL that it begins with; at least 1 again below */
	PIN(length);
	length &= 127;
	length += 1;
	return bpf_probe_read_kernel(s->bytes + at, length, &address->name[0].sun_path[1]) ? at : at + length;
}

/* A socket that has a name: `named` is this end or the other one. */
INLINE int socket_told(struct sock *sk, struct unix_sock *named, u16 deed, struct party *peer)
{
	u32 slot;
	struct unix_address *address = READ(named, addr);
	struct scratch *s = address && watched(FAMILY_PIPE) ? claim(FAMILY_PIPE, &slot) : NULL;
	if (!s)
		return 0;
	struct pipe_record *r = (void *)s->bytes;
	FILL_PIPE(r, deed, READ(sk, sk_type), peer);
	u32 start = sizeof *r, at = start;
	bool placed = READ(named, path.dentry) != NULL;
	TAIL(path, placed ? put_path_of(slot, at, &named->path) : at);
	TAIL(name, placed ? at : put_string(s, at, sizeof address->name[0].sun_path, address->name[0].sun_path));
	TAIL(abstract, placed ? at : put_abstract(s, at, address));
	r->size = at;
	return send(&event_ring, FAMILY_PIPE, s, at, r->time);
}

INLINE bool is_unix(struct sock *sk)
{
	return sk && READ(sk, __sk_common.skc_family) == AF_UNIX;
}

INLINE int socket_bound(struct sock *sk)
{
	struct party nobody = {};
	return is_unix(sk) ? socket_told(sk, (void *)sk, PIPE_MADE, &nobody) : 0;
}

/* The other end names who listens; datagram sockets know nobody. */
INLINE int socket_connected(struct sock *sk)
{
	struct party peer = {};
	if (!is_unix(sk))
		return 0;
	struct unix_sock *other = (void *)READ((struct unix_sock *)sk, peer);
	struct task_struct *task = task_of(READ(sk, sk_peer_pid));
	if (!other)
		return 0;
	if (task) {
		struct task_struct *leader = READ(task, group_leader);
		peer.start = READ(leader, start_boottime);
		peer.exec_id = READ(task, self_exec_id);
		peer.tgid = READ(task, tgid);
	}
	return socket_told(sk, other, PIPE_MET, &peer);
}

#define ON_UNIX(function, arguments, done) \
SEC("fexit/" #function) \
int on_##function(u64 *context) \
{ \
	struct socket *socket = (void *)context[0]; \
	return wanted(FAMILY_PIPE) && (s32)context[arguments] == 0 ? done(READ(socket, sk)) : 0; \
}
ON_UNIX(unix_bind, 3, socket_bound)
ON_UNIX(unix_stream_connect, 4, socket_connected)
ON_UNIX(unix_dgram_connect, 4, socket_connected)

SEC("tracepoint/syscalls/sys_exit_bind")
int on_bind(struct sys_exit_context *context)
{
	return context->ret == 0 && wanted(FAMILY_PIPE) ? socket_bound(socket_of(syscall_argument(0))) : 0;
}

SEC("tracepoint/syscalls/sys_exit_connect")
int on_connect(struct sys_exit_context *context)
{
	return context->ret == 0 && wanted(FAMILY_PIPE) ? socket_connected(socket_of(syscall_argument(0))) : 0;
}
