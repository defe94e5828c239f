// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A process's life: fork, exec, exit. Never filtered by family: everything above stands on the process table. */
#include "emit.bpf.h"

/* Who forked a process: once that one is gone, real_parent is somebody else. */
struct creator { u64 start, exec_id; u32 tgid, unused; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 16384);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct creator);
} creators SEC(".maps");

INLINE void *kernfs_parent(void *node)
{
	struct kernfs_node___rcu *newer = node;
	struct kernfs_node___parent *older = node;
	if (FIELD_EXISTS(newer, __parent))
		return READ(newer, __parent);
	return READ(older, parent);
}

#define CGROUP_DEPTH 24

GLOBAL u32 put_cgroup_path(u32 slot, u32 at, u64 node_address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);
	if (!s)
		return at;
	struct kernfs_node *node = (void *)node_address;
	for (int i = 0; i < CGROUP_DEPTH; i++) {
		void *parent = kernfs_parent(node);
		if (!parent)
			break;
		PIN(at);
		if (at > TAILS_LIMIT)
			break;
		long size = bpf_probe_read_kernel_str(s->bytes + at, NAME_SIZE, READ(node, name));
		if (size <= 0)
			break;
		at += size;
		node = parent;
	}
	return at;
}

SEC("tp_btf/sched_process_fork")
int on_fork(u64 *context)
{
	struct task_struct *parent = ARGUMENT(context, 0, struct task_struct *);
	struct task_struct *child = ARGUMENT(context, 1, struct task_struct *);
	struct settings *s = get_settings();
	if (!s || child->pid != child->tgid) /* a thread is no process */
		return 0;
	u32 tgid = child->tgid;
	if (s->scope == SCOPE_TREE && in_tree(parent->tgid)) {
		u8 one = 1;
		bpf_map_update_elem(&tree, &tgid, &one, BPF_ANY);
	}
	if (!task_in_scope(s, child))
		return 0;
	struct creator creator = {
		.start = parent->group_leader->start_boottime, .exec_id = parent->self_exec_id, .tgid = parent->tgid,
	};
	bpf_map_update_elem(&creators, &tgid, &creator, BPF_ANY);
	u32 mark = forked_image(s, parent, child);
	RESERVE(fork_record, r, process_ring, FAMILY_FORK);
	FILL_HEAD(r, KIND_FORK_RECORD, sizeof *r, child);
	r->parent_start = creator.start;
	r->parent_exec_id = creator.exec_id;
	r->parent_tgid = creator.tgid;
	r->uid = child->cred->uid.val;
	r->cpu |= mark;
	bpf_ringbuf_submit(r, wake_up_flag(&process_ring, r->time, 0)); /* what the child does asks soon enough */
	return 0;
}

/* Is somebody else its parent than who made it? */
INLINE bool is_adopted(const struct exec_record *r)
{
	return r->creator_tgid != r->parent_tgid || r->creator_start != r->parent_start;
}

/* Who its parent is, and who made it. */
INLINE void fill_lineage(struct exec_record *r, struct task_struct *task)
{
	struct task_struct *parent = task->real_parent;
	u32 tgid = task->tgid;
	struct creator *creator = bpf_map_lookup_elem(&creators, &tgid);
	r->parent_start = parent->group_leader->start_boottime;
	r->parent_exec_id = task->parent_exec_id;
	r->parent_tgid = parent->tgid;
	r->creator_start = creator ? creator->start : 0;
	r->creator_exec_id = creator ? creator->exec_id : 0;
	r->creator_tgid = creator ? creator->tgid : 0;
	/* The kernel does not renew parent_exec_id when a process is adopted: it would name a program of somebody else. */
	if (creator && is_adopted(r))
		r->parent_exec_id = parent->self_exec_id;
}

INLINE void fill_identity(struct exec_record *r, struct task_struct *task)
{
	const struct cred *cred = task->cred;
	r->gid = cred->gid.val;
	r->euid = cred->euid.val;
	r->egid = cred->egid.val;
	r->login_uid = FIELD_EXISTS(task, loginuid) ? task->loginuid.val : (u32)-1;
	r->session = FIELD_EXISTS(task, sessionid) ? task->sessionid : (u32)-1;
	r->cgroup = bpf_get_current_cgroup_id();
	struct pid *pid = READ(task, thread_pid);
	u32 level = READ(pid, level);
	struct upid *number = (void *)pid + FIELD_OFFSET(struct pid, numbers) + level * SIZE_OF(struct upid);
	r->namespace_pid = READ(number, nr);
	struct pid_namespace *namespace = READ(number, ns);
	r->pid_namespace = READ(namespace, ns.inum);
}

INLINE u64 change_time(struct inode *inode)
{
	struct inode___6_11 *newest = (void *)inode;
	if (FIELD_EXISTS(newest, i_ctime_sec))
		return newest->i_ctime_sec * SECOND + (newest->i_ctime_nsec & ~CTIME_QUERIED);
	struct inode___6_6 *newer = (void *)inode;
	if (FIELD_EXISTS(newer, __i_ctime))
		return newer->__i_ctime.tv_sec * SECOND + newer->__i_ctime.tv_nsec;
	struct inode___old *old = (void *)inode;
	return old->i_ctime.tv_sec * SECOND + old->i_ctime.tv_nsec;
}

INLINE void fill_image(struct exec_record *r, const struct file *exe)
{
	struct inode *inode = exe->f_inode;
	r->inode = inode->i_ino;
	r->device = inode->i_sb->s_dev;
	r->mode = inode->i_mode;
	r->image_size = inode->i_size;
	r->image_change_time = change_time(inode);
}

INLINE u32 put_cgroup_of(u32 slot, u32 at, struct task_struct *task)
{
	return put_cgroup_path(slot, at, (u64)READ(task->cgroups->dfl_cgrp, kn));
}

/* One read of the whole argument area, or of its beginning: execve has just written it, its pages are there. */
INLINE u32 put_args(struct scratch *s, u32 at, struct task_struct *task)
{
	u64 args = task->mm->arg_start, size = task->mm->arg_end - args;
	if (size > ARGS_LIMIT)
		size = ARGS_LIMIT;
	PIN(at);
	if (at > TAILS_LIMIT + 4096)
		at = TAILS_LIMIT + 4096;
	return size && bpf_probe_read_user(s->bytes + at, size, (void *)args) == 0 ? at + size : at;
}

/* What the process table needs, of a program whose begin the rules keep nothing of. It takes the place of the end of the
 * whole record's fixed part, so that the path, which had to be known, stands behind it. */
#define BRIEF_AT (sizeof(struct exec_record) - sizeof(struct brief_exec_record))

INLINE int send_brief(struct scratch *s, u32 slot, struct task_struct *task)
{
	struct exec_record *whole = (void *)s->bytes;
	struct brief_exec_record brief = {
		.parent_start = whole->parent_start, .parent_exec_id = whole->parent_exec_id,
		.parent_tgid = whole->parent_tgid, .uid = whole->uid, .mount_namespace = whole->mount_namespace,
		.creator = CREATOR_UNKNOWN, .image_len = whole->image_len,
	};
	if (whole->creator_start)
		brief.creator = is_adopted(whole) ? CREATOR_OTHER : CREATOR_PARENT;
	u32 start = sizeof *whole + whole->image_len, at = start;
	FILL_HEAD(&brief, KIND_BRIEF_EXEC_RECORD, 0, task);
	brief.time = whole->time;
	struct brief_exec_record *r = (void *)(s->bytes + BRIEF_AT);
	__builtin_memcpy(r, &brief, sizeof brief);
	TAIL(cgroup_path, put_cgroup_of(slot, at, task));
	TAIL(args, put_args(s, at, task));
	PIN(at);
	if (at > SCRATCH_SIZE)
		at = SCRATCH_SIZE;
	if (at < sizeof *whole)
		at = sizeof *whole;
	r->size = at - BRIEF_AT;
	tally(FAMILY_PROCESS, bpf_ringbuf_output(&process_ring, r, at - BRIEF_AT, wake_up_flag(&process_ring, brief.time, 0)) != 0);
	s->taken = 0;
	return 0;
}

SEC("tp_btf/sched_process_exec")
int on_exec(u64 *context)
{
	struct task_struct *task = ARGUMENT(context, 0, struct task_struct *);
	struct linux_binprm *binprm = ARGUMENT(context, 2, struct linux_binprm *);
	struct settings *settings_now = get_settings();
	if (!settings_now || !task_in_scope(settings_now, task))
		return 0;
	u32 slot;
	struct scratch *s = claim(FAMILY_PROCESS, &slot);
	if (!s)
		return 0;
	struct exec_record *r = (void *)s->bytes;
	FILL_HEAD(r, KIND_EXEC_RECORD, 0, task);
	fill_lineage(r, task);
	struct file *exe = task->mm->exe_file;
	r->links = exe->f_inode->i_nlink;
	r->uid = task->cred->uid.val;
	r->mount_namespace = task->nsproxy->mnt_ns->ns.inum;

	u32 start = sizeof *r, at = start;
	bool numbered = numbers_images(settings_now);
	if (numbered)
		__builtin_memset(s->bytes + sizeof *r, 0, IMAGE_SIZE);
	TAIL(image, put_path_of(slot, at, &exe->f_path));
	if (numbered)
		s->mark = executed_image(settings_now, task, s->bytes + sizeof *r, r->image_len, r->links, r->uid);
	if (s->mark & PUSHDOWN_BRIEF)
		return send_brief(s, slot, task);
	fill_identity(r, task);
	fill_image(r, exe);
	TAIL(filename, put_string(s, at, 4096, binprm->filename));
	TAIL(directory, put_path_of(slot, at, &task->fs->pwd));
	TAIL(root, put_path_of(slot, at, &task->fs->root));
	TAIL(cgroup_path, put_cgroup_of(slot, at, task));
	struct tty_struct *tty = task->signal->tty;
	TAIL(tty, tty ? put_string(s, at, sizeof tty->name, tty->name) : at);
	r->args_size = task->mm->arg_end - task->mm->arg_start;
	TAIL(args, put_args(s, at, task));
	r->size = at;
	return send(&process_ring, FAMILY_PROCESS, s, at, r->time);
}

SEC("tp_btf/sched_process_exit")
int on_exit(u64 *context)
{
	struct task_struct *task = ARGUMENT(context, 0, struct task_struct *);
	struct settings *s = get_settings();
	if (!s || !task_in_scope(s, task))
		return 0;
	struct signal_struct *signal = task->signal;
	if (signal->live.counter != 0) /* do_exit has counted this thread off: others still live */
		return 0;
	u32 tgid = task->tgid;
	bpf_map_delete_elem(&creators, &tgid);
	ended_image(s, tgid);
	if (s->scope == SCOPE_TREE)
		bpf_map_delete_elem(&tree, &tgid);
	RESERVE(exit_record, r, process_ring, FAMILY_PROCESS);
	FILL_HEAD(r, KIND_EXIT_RECORD, sizeof *r, task);
	r->code = signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : task->group_leader->exit_code;
	r->uid = task->cred->uid.val;
	bpf_ringbuf_submit(r, wake_up_flag(&process_ring, r->time, 0));
	return 0;
}
