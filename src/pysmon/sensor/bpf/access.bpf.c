// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Who gets access to another process as a debugger has it. Told twice over: of those in scope, whoever they reach, and, free
 * of the scope, of anybody who reaches us. */
#include "memory.bpf.h"

/* Reading and writing take many calls, as many as a debugger has things to ask: one a minute is told, for two programs. */
#define AGAIN_AFTER (60 * SECOND)
struct reach { u64 source_start, target_start; u32 source, target, source_exec, target_exec, deed, unused; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_TYPE(key, struct reach);
	MAP_TYPE(value, u64);
} reaches SEC(".maps");

INLINE bool told_before(struct task_struct *target, u32 deed)
{
	if (deed != DEED_READ && deed != DEED_WRITE)
		return false;
	struct task_struct *source = bpf_get_current_task_btf(), *leader = READ(target, group_leader);
	struct reach key = {
		.source_start = source->group_leader->start_boottime, .target_start = READ(leader, start_boottime),
		.source = source->tgid, .target = READ(target, tgid),
		.source_exec = source->self_exec_id, .target_exec = READ(target, self_exec_id), .deed = deed,
	};
	u64 now = bpf_ktime_get_boot_ns(), *last = bpf_map_lookup_elem(&reaches, &key);
	if (last && now - *last < AGAIN_AFTER)
		return true;
	bpf_map_update_elem(&reaches, &key, &now, BPF_ANY);
	return false;
}

#define FRAMES 16 /* of the code that led here; what the walk finds without frame pointers is short anyway */
#define USER_STACK 256 /* BPF_F_USER_STACK */
struct place { u64 offset; u32 region, path_len; }; /* PLACE of records.py; a path that is that of the frame before has 0 */
_Static_assert(sizeof(struct place) == PLACE_SIZE, "place: not the layout of records.py");

INLINE u32 put_place(struct scratch *s, u32 at, struct place *place)
{
	PIN(at);
	if (at <= TAILS_LIMIT)
		__builtin_memcpy(s->bytes + at, place, sizeof *place);
	return at + sizeof *place;
}

/* One frame: its place goes to `to`, the path of its file to `at`, unless it is that of the frame before (in `last`). What comes
 * after is given back. A function of its own, so that the verifier need not follow each frame through all that the others may be. */
GLOBAL u32 put_frame(u32 slot, u32 at, u32 to, u64 address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);
	if (!s)
		return at;
	struct vm_area_struct *region = (void *)region_at((u64)READ(bpf_get_current_task_btf(), mm), address);
	bool code = region && READ(region, vm_flags) & VM_EXEC; /* else the walk has gone astray */
	u64 file = code ? (u64)READ(region, vm_file) : 0;
	struct place place = { .region = code ? REGION_ANONYMOUS : REGION_NOWHERE };
	if (file) {
		place.region = kind_of_file((void *)file);
		place.offset = offset_in_file(region, address);
		place.path_len = file == s->last ? 0 : put_path_of(slot, at, &((struct file *)file)->f_path) - at;
		s->last = file;
	}
	put_place(s, to, &place);
	return at + place.path_len;
}

/* From where in its code the current process came: the last tails of the access record in that slot. */
GLOBAL u32 put_code(u32 slot, u32 at)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);
	PIN(at);
	if (!s || at > TAILS_LIMIT)
		return at;
	struct access_record *r = (void *)s->bytes;
	long size = bpf_get_task_stack(bpf_get_current_task_btf(), s->bytes + at, FRAMES * sizeof(u64), USER_STACK);
	u32 frames = size > 0 ? size / sizeof(u64) : 0, addresses = at, places = at + frames * sizeof(u64);
	at = places + frames * sizeof(struct place);
	u32 modules = at;
	s->last = 0;
	for (u32 i = 0; i < FRAMES && i < frames; i++) {
		u64 address = 0;
		bpf_probe_read_kernel(&address, sizeof address, s->bytes + ((addresses + i * sizeof address) & (SCRATCH_SIZE - 1)));
		at = put_frame(slot, at, places + i * sizeof(struct place), address);
	}
	r->addresses_len = places - addresses;
	r->places_len = modules - places;
	r->modules_len = at - modules;
	return at;
}

/* The record of an access that was granted to the current process. */
GLOBAL int accessed(u64 target_address, u32 deed, u32 number, u32 mode)
{
	u32 slot;
	struct task_struct *target = (void *)target_address, *leader = READ(target, group_leader);
	struct scratch *s = told_before(target, deed) ? NULL : claim(FAMILY_PROCESS_ACCESS, &slot);
	if (!s)
		return 0;
	struct access_record *r = (void *)s->bytes;
	FILL_HEAD(r, KIND_ACCESS_RECORD, 0, bpf_get_current_task_btf());
	r->target_start = READ(leader, start_boottime);
	r->target_exec_id = READ(target, self_exec_id);
	r->target_tgid = READ(target, tgid);
	struct cred *cred = (void *)READ(target, cred);
	r->target_uid = READ(cred, uid.val);
	r->uid = bpf_get_current_uid_gid();
	r->number = number;
	r->mode = mode;
	r->deed = deed;
	u32 start = sizeof *r, at = start;
	struct mm_struct *memory = READ(target, mm);
	TAIL(target_image, memory ? put_path_of(slot, at, &READ(memory, exe_file)->f_path) : at);
	r->addresses_len = r->places_len = r->modules_len = 0;
	at = put_code(slot, at);
	r->size = at;
	return send(&event_ring, FAMILY_PROCESS_ACCESS, s, at, r->time);
}

/* Does anybody want to know? The first question of every program here. */
INLINE bool access_matters(void) { return wanted(FAMILY_PROCESS_ACCESS) || from_outside(); }

INLINE int reached(struct task_struct *target, u32 deed, u32 number, u32 mode, bool granted)
{
	struct ourselves *us = from_outside();
	u32 tgid = READ(target, tgid);
	if (us && tgid == us->tgid)
		tell(deed, number, 0, 0);
	if (granted && tgid != (u32)bpf_get_current_task_btf()->tgid && watched(FAMILY_PROCESS_ACCESS))
		accessed((u64)target, deed, number, mode);
	return 0;
}

/* ---- inside the kernel: one hook for all ways */

/* Which deed needs the access, by the system call that the current task is in; 0 if it is none to speak of. */
INLINE u32 deed_of(u32 call)
{
	struct pt_regs___x86 *x86 = NULL;
	if (FIELD_EXISTS(x86, orig_ax)) {
		switch (call) {
		case 0: case 17: return 0; /* read, pread64: of /proc/PID/stack and the like */
		case 101: return DEED_TRACE;
		case 310: return DEED_READ;
		case 311: return DEED_WRITE;
		case 2: case 257: case 437: return DEED_OPEN_MEMORY;
		}
	} else {
		switch (call) {
		case 63: case 67: return 0;
		case 117: return DEED_TRACE;
		case 270: return DEED_READ;
		case 271: return DEED_WRITE;
		case 56: case 437: return DEED_OPEN_MEMORY;
		}
	}
	return call == 438 ? DEED_TAKE_DESCRIPTOR : DEED_ACCESS; /* other numbers: io_uring, or a 32-bit call */
}

/* What the current task opens a file for: open(name, flags), openat(at, name, flags), openat2(at, name, {flags}). */
INLINE u32 mode_of_opening(u32 call)
{
	struct pt_regs___x86 *x86 = NULL;
	u64 second = syscall_argument(1), third = syscall_argument(2), flags = third;
	PIN(second); /* two loads, not one by either pointer, which verifiers refuse */
	PIN(third);
	if (call == 437)
		bpf_probe_read_user(&flags, sizeof flags, (void *)third);
	else if (FIELD_EXISTS(x86, orig_ax) && call == 2)
		flags = second;
	return (flags + 1) & (FMODE_READ | FMODE_WRITE); /* as the kernel counts */
}

/* Behind the kernel's last question whether it is allowed: the answer is known. */
SEC("fexit/security_ptrace_access_check")
int on_access(u64 *context) /* the task, the mode, the answer */
{
	if (!(context[1] & PTRACE_MODE_ATTACH) || !access_matters())
		return 0;
	u32 call = syscall_number(), deed = deed_of(call);
	if (!deed)
		return 0;
	u32 mode = deed == DEED_OPEN_MEMORY ? mode_of_opening(call) : 0;
	struct task_struct *target; /* as a number: what the verifier takes for a task it hands to no function */
	bpf_probe_read_kernel(&target, sizeof target, context);
	return reached(target, deed, call, mode, (s32)context[2] == 0);
}

/* ---- where system calls end */

INLINE struct task_struct *task_of(struct pid *pid)
{
	struct hlist_node *first = pid ? READ(pid, tasks[0].first) : NULL;
	return first ? (void *)first - FIELD_OFFSET(struct task_struct, pid_links) : NULL;
}

#define PID_TREE_DEPTH 6 /* 64 ways each: more than there are process ids */

/* The task that the current process, where it lives, calls by that number, looked up as the kernel does; 0 if none. */
GLOBAL u64 task_by_number(u32 number)
{
	struct pid *caller = READ(bpf_get_current_task_btf(), thread_pid);
	u32 level = READ(caller, level);
	if (level >= MAX_PID_NS_LEVEL)
		return 0;
	u64 offset = FIELD_OFFSET(struct pid, numbers) + level * SIZE_OF(struct upid);
	struct upid *his = (void *)caller + offset;
	struct pid_namespace *namespace = READ(his, ns);
	u64 entry = (u64)READ(namespace, idr.idr_rt.xa_head);
	for (int i = 0; i < PID_TREE_DEPTH && (entry & 3) == 2; i++) { /* marked so, it leads to a node */
		struct xa_node *node = (void *)(entry - 2);
		u64 place = FIELD_OFFSET(struct xa_node, slots) + (number >> READ(node, shift) & 63) * sizeof(void *);
		entry = 0;
		bpf_probe_read_kernel(&entry, sizeof entry, (void *)node + place);
	}
	struct upid *found = (void *)entry + offset;
	return entry && READ(found, nr) == (s32)number ? (u64)task_of((void *)entry) : 0;
}

INLINE int reached_number(u32 number, u32 deed)
{
	struct task_struct *target = (void *)task_by_number(number);
	return target ? reached(target, deed, syscall_number(), 0, true) : 0;
}

SEC("tracepoint/syscalls/sys_exit_ptrace")
int on_ptrace(struct sys_exit_context *context)
{
	u64 request = syscall_argument(0);
	bool attached = context->ret == 0 && (request == PTRACE_ATTACH || request == PTRACE_SEIZE);
	return attached && access_matters() ? reached_number(syscall_argument(1), DEED_TRACE) : 0;
}

#define ON_MEMORY(name, deed) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_##name(struct sys_exit_context *context) \
{ \
	return context->ret >= 0 && access_matters() ? reached_number(syscall_argument(0), deed) : 0; \
}
ON_MEMORY(process_vm_readv, DEED_READ)
ON_MEMORY(process_vm_writev, DEED_WRITE)

/* The first argument stands for a process: since 6.9 by the inode of its file, before by the file. */
SEC("tracepoint/syscalls/sys_exit_pidfd_getfd")
int on_pidfd_getfd(struct sys_exit_context *context)
{
	struct file *file = context->ret >= 0 && access_matters() ? file_of((s32)syscall_argument(0)) : NULL;
	if (!file)
		return 0;
	struct inode *inode = READ(file, f_inode);
	struct super_block *super = READ(inode, i_sb);
	struct pid *pid = READ(super, s_magic) == PID_FS_MAGIC ? READ(inode, i_private) : READ(file, private_data);
	struct task_struct *target = task_of(pid);
	return target ? reached(target, DEED_TAKE_DESCRIPTOR, syscall_number(), 0, true) : 0;
}

/* Whose memory it is, if the file is /proc/PID/mem. */
INLINE struct task_struct *owner_of_memory(struct file *file)
{
	struct inode *inode = READ(file, f_inode);
	struct super_block *super = READ(inode, i_sb);
	struct dentry *dentry = READ(file, f_path.dentry);
	char name[4] = {};
	if (READ(super, s_magic) != PROC_SUPER_MAGIC || (READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return NULL;
	if (bpf_probe_read_kernel_str(name, sizeof name, READ(dentry, d_name.name)) != sizeof name)
		return NULL;
	if (name[0] != 'm' || name[1] != 'e' || name[2] != 'm')
		return NULL;
	struct proc_inode *of_process = (void *)inode - FIELD_OFFSET(struct proc_inode, vfs_inode);
	return task_of(READ(of_process, pid));
}

/* For the ends of open (file.bpf.c), of which there are many: told only if access is wanted. */
INLINE void opened_memory(struct file *file)
{
	struct task_struct *target = file && wanted(FAMILY_PROCESS_ACCESS) ? owner_of_memory(file) : NULL;
	if (target)
		reached(target, DEED_OPEN_MEMORY, syscall_number(), READ(file, f_mode) & (FMODE_READ | FMODE_WRITE), true);
}
