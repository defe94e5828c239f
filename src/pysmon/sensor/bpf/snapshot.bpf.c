// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The processes that were there before the sensor, with the kernel's own start times (/proc rounds them to 10 ms). */
#include "emit.bpf.h"

/* Like in_cgroup of scope.bpf.h, for a task that is not the current one. */
INLINE bool task_in_cgroup(struct task_struct *task, u64 wanted)
{
	struct kernfs_node *node = READ(task->cgroups->dfl_cgrp, kn);
	for (int i = 0; node && i < CGROUP_DEPTH; i++) {
		if (READ(node, id) == wanted)
			return true;
		node = kernfs_parent(node);
	}
	return false;
}

SEC("iter/task")
int on_task(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct settings *s = get_settings();
	if (!task || !s || task->pid != task->tgid)
		return 0;
	bool seen = s->scope == SCOPE_CGROUP ? task_in_cgroup(task, s->cgroup) : task_in_scope(s, task);
	if (!seen && task->tgid != bpf_get_current_task_btf()->tgid) /* whoever takes the snapshot is in it */
		return 0;
	struct task_record r = {};
	FILL_HEAD(&r, KIND_TASK_RECORD, sizeof r, task);
	struct task_struct *parent = task->real_parent;
	r.parent_start = parent->group_leader->start_boottime;
	r.parent_exec_id = task->parent_exec_id;
	r.parent_tgid = parent->tgid;
	r.uid = task->cred->uid.val;
	r.login_uid = FIELD_EXISTS(task, loginuid) ? task->loginuid.val : (u32)-1;
	r.session = FIELD_EXISTS(task, sessionid) ? task->sessionid : (u32)-1;
	bpf_seq_write(context->meta->seq, &r, sizeof r);
	return 0;
}

/* What the kernel calls the processes that the one who asks sees, and what he calls them: the numbers of his PID namespace. */
struct two_numbers { u32 theirs, kernels; };

SEC("iter/task")
int on_number(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	if (!task || task->pid != task->tgid)
		return 0;
	struct pid *ours = READ(bpf_get_current_task_btf(), thread_pid);
	u32 level = READ(ours, level); /* the iterator shows only tasks that are as deep, or deeper */
	if (level >= MAX_PID_NS_LEVEL)
		return 0;
	struct pid *pid = READ(task, thread_pid);
	struct upid *number = (void *)pid + FIELD_OFFSET(struct pid, numbers) + level * SIZE_OF(struct upid);
	struct two_numbers numbers = { .theirs = READ(number, nr), .kernels = task->tgid };
	bpf_seq_write(context->meta->seq, &numbers, sizeof numbers);
	return 0;
}
