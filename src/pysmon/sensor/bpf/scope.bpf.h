/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Whom the sensor watches. Nothing passes until the loader has said so: a scope of zeroes is nobody. */
#pragma once
#include "helpers.bpf.h"
#include "records.gen.h"

struct settings {
	u32 scope;              /* SCOPE_* of records.py */
	u32 pid_namespace;      /* inode number, for SCOPE_PID_NAMESPACE */
	u64 cgroup;             /* id, for SCOPE_CGROUP */
	s32 cgroup_level;       /* its depth in the hierarchy */
	u32 families;           /* bit per family: which are wanted */
	u32 generation;         /* of what is pushed down; 0: nothing is */
	u32 pushdown;           /* bits PUSHDOWN_* of records.py */
	u32 spared;             /* a process of which everything goes up, by its id */
	u32 reader;             /* READER_*: EAGER is woken soon, PATIENT only if much waits, ASLEEP by the first record */
};
_Static_assert(sizeof(struct settings) == SETTINGS_SIZE, "settings: not the layout of records.py");

struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 1);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct settings);
} settings SEC(".maps");

/* Processes of the watched tree, by process id. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 32768);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, u8);
} tree SEC(".maps");

INLINE struct settings *get_settings(void)
{
	u32 zero = 0;
	return bpf_map_lookup_elem(&settings, &zero);
}

INLINE bool in_tree(u32 tgid)
{
	return bpf_map_lookup_elem(&tree, &tgid) != NULL;
}

/* Is the task in that PID namespace, or in one below it? */
INLINE bool in_pid_namespace(struct task_struct *task, u32 wanted)
{
	struct pid *pid = READ(task, thread_pid); /* as a number: computed with below */
	u32 deepest = READ(pid, level);
	for (u32 level = 1; level < MAX_PID_NS_LEVEL; level++) {
		if (level > deepest)
			break;
		struct upid *number = (void *)pid + FIELD_OFFSET(struct pid, numbers) + level * SIZE_OF(struct upid);
		struct pid_namespace *namespace = READ(number, ns);
		if (READ(namespace, ns.inum) == wanted)
			return true;
	}
	return false;
}

INLINE bool in_cgroup(const struct settings *s)
{
	return bpf_get_current_ancestor_cgroup_id(s->cgroup_level) == s->cgroup;
}

/* `task` is the current one, or a child that it just made (same cgroup, tree entry made by the caller). */
INLINE bool task_in_scope(const struct settings *s, struct task_struct *task)
{
	switch (s->scope) {
	case SCOPE_MACHINE: return true;
	case SCOPE_TREE: return in_tree(task->tgid);
	case SCOPE_PID_NAMESPACE: return in_pid_namespace(task, s->pid_namespace);
	case SCOPE_CGROUP: return in_cgroup(s);
	}
	return false;
}

/* Does anybody keep events of this family? */
INLINE bool wanted(u32 family)
{
	struct settings *s = get_settings();
	return s && (s->families & 1u << family);
}

/* Does the current task belong to the scope, and is this family wanted? */
INLINE bool watched(u32 family)
{
	struct settings *s = get_settings();
	return s && (s->families & 1u << family) && task_in_scope(s, bpf_get_current_task_btf());
}
