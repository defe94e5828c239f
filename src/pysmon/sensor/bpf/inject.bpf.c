// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Who writes into another process or turns its threads to other code. The first time is told at once; who goes on is
 * counted, and told once a minute for each pair of programs, each way, and apart for memory that can be executed. */
#include "memory.bpf.h"

struct injection { u64 source_start, target_start; u32 source, target, source_exec, target_exec, way, executable; };
struct injections_since { u64 told, times, bytes; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_TYPE(key, struct injection);
	MAP_TYPE(value, struct injections_since);
} injections SEC(".maps");

/* How often it was done since it was last told, this time included; 0 if it is only counted. */
INLINE u64 times_to_tell(struct injection *key, u64 *bytes)
{
	u64 now = bpf_ktime_get_boot_ns(), times = 1;
	struct injections_since *since = bpf_map_lookup_elem(&injections, key);
	if (since && now - since->told < AGAIN_AFTER) {
		__sync_fetch_and_add(&since->times, 1);
		__sync_fetch_and_add(&since->bytes, *bytes);
		return 0;
	}
	if (since) {
		times += since->times;
		*bytes += since->bytes;
	}
	struct injections_since begun = { .told = now };
	bpf_map_update_elem(&injections, key, &begun, BPF_ANY);
	return times;
}

/* The current process did it to the target, a thread: wrote so many bytes to the address, or turned it there (0 bytes). */
GLOBAL int injected(u64 target_address, u32 way, u64 address, u64 bytes)
{
	struct task_struct *source = bpf_get_current_task_btf(), *target = (void *)target_address;
	struct task_struct *leader = READ(target, group_leader);
	struct mm_struct *memory = READ(target, mm);
	u32 tgid = READ(target, tgid), slot;
	if (tgid == (u32)source->tgid || !memory)
		return 0;
	struct vm_area_struct *region = (void *)region_at((u64)memory, address);
	u32 rights = region ? READ(region, vm_flags) & VM_RIGHTS : 0;
	struct injection key = {
		.source_start = source->group_leader->start_boottime, .target_start = READ(leader, start_boottime),
		.source = source->tgid, .target = tgid,
		.source_exec = source->self_exec_id, .target_exec = READ(target, self_exec_id),
		.way = way, .executable = rights & VM_EXEC,
	};
	u64 times = times_to_tell(&key, &bytes);
	struct scratch *s = times ? claim(FAMILY_INJECTION, &slot) : NULL;
	if (!s)
		return 0;
	struct injection_record *r = (void *)s->bytes;
	FILL_HEAD(r, KIND_INJECTION_RECORD, 0, source);
	r->target_start = key.target_start;
	r->target_exec_id = key.target_exec;
	r->target_tgid = tgid;
	r->target_tid = READ(target, pid);
	struct cred *cred = (void *)READ(target, cred);
	r->target_uid = READ(cred, uid.val);
	r->uid = bpf_get_current_uid_gid();
	r->address = address;
	r->offset = region ? offset_in_file(region, address) : 0;
	r->times = times;
	r->bytes = bytes;
	r->rights = rights;
	r->way = way;
	FILL_REGION(r, memory, region);
	u32 start = sizeof *r, at = start;
	TAIL(target_image, put_path_of(slot, at, &READ(memory, exe_file)->f_path));
	TAIL(module, r->inode ? put_path_of(slot, at, &READ(region, vm_file)->f_path) : at);
	r->size = at;
	return send(&event_ring, FAMILY_INJECTION, s, at, r->time);
}

/* ---- ptrace: memory word by word, and registers; of these, only where the thread goes on */

/* The instruction pointer with which a stopped thread goes on. All threads keep their registers at the same place of
 * their kernel stacks: where it is, our own tells. */
INLINE u64 instruction_pointer(struct task_struct *task)
{
	struct task_struct *us = bpf_get_current_task_btf();
	struct pt_regs *ours = bpf_task_pt_regs(us);
	u64 place = 0;
	bpf_probe_read_kernel(&place, sizeof place, &ours); /* as a number: computed with */
	struct pt_regs___x86 *x86 = (void *)READ(task, stack) + (place - (u64)us->stack);
	struct pt_regs___arm64 *arm64 = (void *)x86;
	return FIELD_EXISTS(x86, ip) ? READ(x86, ip) : READ(arm64, pc);
}

/* Of threads that are about to write registers: whose, and where that one would have gone on. */
struct turning { u64 target, pointer; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 1024);
	MAP_TYPE(key, u64);
	MAP_TYPE(value, struct turning);
} turnings SEC(".maps");

INLINE bool writes_registers(u64 request)
{
	return request == PTRACE_SETREGS || request == PTRACE_SETREGSET || request == PTRACE_POKEUSR;
}

AT_BEGIN_OF(ptrace, on_registers)
{
	if (!writes_registers(first) || !watched(FAMILY_INJECTION))
		return 0;
	u64 thread = bpf_get_current_pid_tgid();
	struct turning turning = { .target = task_by_number(second) };
	if (!turning.target)
		return 0;
	turning.pointer = instruction_pointer((void *)turning.target);
	bpf_map_update_elem(&turnings, &thread, &turning, BPF_ANY);
	return 0;
}

AT_END_OF(ptrace, on_poke)
{
	u64 request = syscall_argument(0);
	if (result || !watched(FAMILY_INJECTION))
		return 0;
	if (request == PTRACE_POKETEXT || request == PTRACE_POKEDATA) {
		u64 target = task_by_number(syscall_argument(1));
		return target ? injected(target, WAY_POKED, syscall_argument(2), sizeof(long)) : 0;
	}
	u64 thread = bpf_get_current_pid_tgid();
	struct turning *found = writes_registers(request) ? bpf_map_lookup_elem(&turnings, &thread) : NULL;
	if (!found)
		return 0;
	struct turning turning = *found;
	bpf_map_delete_elem(&turnings, &thread);
	u64 pointer = instruction_pointer((void *)turning.target);
	return pointer == turning.pointer ? 0 : injected(turning.target, WAY_POINTED, pointer, 0);
}

/* ---- process_vm_writev */

AT_END_OF(process_vm_writev, on_written)
{
	u64 first = 0; /* address of the first piece that was written; its length follows */
	if (result <= 0 || !watched(FAMILY_INJECTION))
		return 0;
	u64 target = task_by_number(syscall_argument(0));
	bpf_probe_read_user(&first, sizeof first, (void *)syscall_argument(3));
	return target ? injected(target, WAY_WRITTEN, first, result) : 0;
}

/* ---- /proc/PID/mem */

INLINE int memory_written(struct file *file, s64 end, s64 bytes)
{
	struct inode *inode = READ(file, f_inode);
	struct super_block *super = READ(inode, i_sb);
	if (READ(super, s_magic) != PROC_SUPER_MAGIC)
		return 0;
	struct proc_inode *of_process = (void *)inode - FIELD_OFFSET(struct proc_inode, vfs_inode);
	u64 target = (u64)task_of(READ(of_process, pid));
	return target ? injected(target, WAY_MEMORY_WRITTEN, end - bytes, bytes) : 0;
}

SEC("fexit/mem_write")
int on_mem_write(u64 *context) /* the file, buffer, count, position, result */
{
	s64 bytes = context[4], end = 0;
	if (bytes <= 0 || !watched(FAMILY_INJECTION))
		return 0;
	bpf_probe_read_kernel(&end, sizeof end, (void *)context[3]);
	return memory_written((void *)context[0], end, bytes);
}

/* The operations of /proc/PID/mem, once one was opened; 0 before. By them such a file is known. */
u64 memory_operations;

#define ON_MEMORY_OPEN(name) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_memory_##name(struct sys_exit_context *context) \
{ \
	struct file *file = context->ret >= 0 && !memory_operations && wanted(FAMILY_INJECTION) ? file_of(context->ret) : NULL; \
	if (file && owner_of_memory(file)) \
		memory_operations = (u64)READ(file, f_op); \
	return 0; \
}
ON_MEMORY_OPEN(open)
ON_MEMORY_OPEN(openat)
ON_MEMORY_OPEN(openat2)

/* Every write of the machine comes by here: nothing is looked at until somebody opened such a file. `position` is where a
 * call was told to write; -1 for where the file stands. */
INLINE int maybe_written(struct sys_exit_context *context, s64 position)
{
	if (!memory_operations || context->ret <= 0 || !wanted(FAMILY_INJECTION))
		return 0;
	struct file *file = file_of((s32)syscall_argument(0));
	if (!file || (u64)READ(file, f_op) != memory_operations || !watched(FAMILY_INJECTION))
		return 0;
	return memory_written(file, position == -1 ? READ(file, f_pos) : position + context->ret, context->ret);
}

#define ON_MEMORY_WRITE(name, position) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_memory_##name(struct sys_exit_context *context) { return maybe_written(context, position); }
ON_MEMORY_WRITE(write, -1)
ON_MEMORY_WRITE(writev, -1)
ON_MEMORY_WRITE(pwrite64, syscall_argument(3))
ON_MEMORY_WRITE(pwritev, syscall_argument(3))
ON_MEMORY_WRITE(pwritev2, syscall_argument(3))
