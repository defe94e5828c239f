// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The processes that were there before the sensor, with the kernel's own start times (/proc rounds them to 10 ms). */
#include "emit.bpf.h"

SEC("iter/task")
int on_task(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct settings *s = get_settings();
	if (!task || !s || task->pid != task->tgid)
		return 0;
	/* The cgroup of another task cannot be asked for here: that scope starts with an empty table. */
	bool seen = (u32)task->tgid == s->self || (s->scope != SCOPE_CGROUP && task_in_scope(s, task));
	if (!seen)
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
