// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A process whose code is no longer that of its file: it passes for another program, makes code of a file writable, or
 * maps something over its own program. Done to oneself, mostly by what was injected. (Programs without a file: exec.) */
#include "memory.bpf.h"

/* What was told of a process and a file is not told again within a minute: code that patches itself does it page by page. */
struct tampering { u64 start, exec_id, file; u32 tgid, how; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_TYPE(key, struct tampering);
	MAP_TYPE(value, u64);
} tamperings SEC(".maps");

INLINE bool tampered_before(u32 how, u64 file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tampering key = {
		.start = task->group_leader->start_boottime, .exec_id = task->self_exec_id, .file = file, .tgid = task->tgid, .how = how,
	};
	u64 now = bpf_ktime_get_boot_ns(), *last = bpf_map_lookup_elem(&tamperings, &key);
	if (last && now - *last < AGAIN_AFTER)
		return true;
	bpf_map_update_elem(&tamperings, &key, &now, BPF_ANY);
	return false;
}

/* The record of what the current process did to itself. `file` is the one in question, or 0. */
GLOBAL int tampered(u32 how, u64 address, u64 size, u32 rights, u64 file_address)
{
	u32 slot;
	struct scratch *s = tampered_before(how, file_address) ? NULL : claim(FAMILY_TAMPERING, &slot);
	if (!s)
		return 0;
	struct tamper_record *r = (void *)s->bytes;
	struct file *file = (void *)file_address;
	struct inode *inode = READ(file, f_inode);
	struct super_block *super = READ(inode, i_sb);
	FILL_HEAD(r, KIND_TAMPER_RECORD, 0, bpf_get_current_task_btf());
	r->uid = bpf_get_current_uid_gid();
	r->address = address;
	r->bytes = size;
	r->inode = READ(inode, i_ino);
	r->device = READ(super, s_dev);
	r->rights = rights;
	r->how = how;
	r->region = file_address ? kind_of_file(file) : REGION_ANONYMOUS;
	u32 start = sizeof *r, at = start;
	TAIL(module, file_address ? put_path_of(slot, at, &file->f_path) : at);
	r->size = at;
	return send(&event_ring, FAMILY_TAMPERING, s, at, r->time);
}

/* ---- the file that the process passes for (/proc/PID/exe) */

#define EXE_OF_MAP 100 /* offset of exe_fd in struct prctl_mm_map (linux/prctl.h) */

AT_END_OF(prctl, on_relinked)
{
	if (syscall_argument(0) != PR_SET_MM || result || !watched(FAMILY_TAMPERING))
		return 0;
	s32 descriptor = -1;
	if (syscall_argument(1) == PR_SET_MM_MAP)
		bpf_probe_read_user(&descriptor, sizeof descriptor, (void *)syscall_argument(2) + EXE_OF_MAP);
	if (syscall_argument(1) != PR_SET_MM_EXE_FILE && descriptor == -1)
		return 0;
	struct mm_struct *memory = READ(bpf_get_current_task_btf(), mm);
	return tampered(TAMPER_RELINKED, 0, 0, 0, (u64)READ(memory, exe_file));
}

/* ---- code of a file made writable */

/* What threads are about to make writable: the file, and where its code lies. */
struct unlocking { u64 file, address, size; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 1024);
	MAP_TYPE(key, u64);
	MAP_TYPE(value, struct unlocking);
} unlockings SEC(".maps");

#define REGIONS 4 /* of a program file, one is code; who makes all of a file writable begins before it */

/* Is there code of a file between the addresses that nobody can write to yet? */
GLOBAL int begin_unlocking(u64 address, u64 end)
{
	struct unlocking found = { .address = address };
	u64 memory = (u64)READ(bpf_get_current_task_btf(), mm), thread = bpf_get_current_pid_tgid();
	for (int i = 0; i < REGIONS && found.address < end; i++) {
		struct vm_area_struct *region = (void *)region_at(memory, found.address);
		if (!region)
			return 0;
		u64 flags = READ(region, vm_flags);
		u64 last = READ(region, vm_end);
		found.file = (u64)READ(region, vm_file);
		if (found.file && flags & VM_EXEC && !(flags & VM_WRITE)) {
			found.size = (last < end ? last : end) - found.address;
			bpf_map_update_elem(&unlockings, &thread, &found, BPF_ANY);
			return 0;
		}
		found.address = last;
	}
	return 0;
}

INLINE int unlocked(s64 result, u32 rights)
{
	if (!(rights & PROT_WRITE) || !wanted(FAMILY_TAMPERING))
		return 0;
	u64 thread = bpf_get_current_pid_tgid();
	struct unlocking *begun = bpf_map_lookup_elem(&unlockings, &thread);
	if (!begun)
		return 0;
	struct unlocking done = *begun;
	bpf_map_delete_elem(&unlockings, &thread);
	return result ? 0 : tampered(TAMPER_UNLOCKED, done.address, done.size, rights, done.file);
}

#define ON_PROTECTION(call) \
AT_BEGIN_OF(call, on_##call##_begin) \
{ \
	return third & PROT_WRITE && watched(FAMILY_TAMPERING) ? begin_unlocking(first, first + second) : 0; \
} \
AT_END_OF(call, on_##call) { return unlocked(result, syscall_argument(2)); }
ON_PROTECTION(mprotect)
ON_PROTECTION(pkey_mprotect)

/* ---- something else mapped where the program lies */

INLINE int mapped(s64 result, u64 size, u32 rights)
{
	u64 address = result;
	struct mm_struct *memory = bpf_get_current_task_btf()->mm;
	if (address >= memory->end_code || address + size <= memory->start_code || !watched(FAMILY_TAMPERING))
		return 0;
	struct vm_area_struct *region = (void *)region_at((u64)READ(bpf_get_current_task_btf(), mm), address);
	return tampered(TAMPER_MAPPED_OVER, address, size, rights, region ? (u64)READ(region, vm_file) : 0);
}

AT_END_OF(mmap, on_mapped_over) { return mapped(result, syscall_argument(1), syscall_argument(2)); }
AT_END_OF(mremap, on_moved_over) { return mapped(result, syscall_argument(2), 0); }
