// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Files that are mapped to be executed: the program and its interpreter once execve has put them in place, what a process
 * maps itself, and mappings that become executable later. Memory without a file is none of it. */
#include "memory.bpf.h"

/* Since 6.8 a file system that stacks on others maps files on mounts of its own, which hold the path that the process knows.
 * Their mark in f_mode is another bit in every few versions; what tells them from memfds, which are on mounts of the kernel's
 * own too, is that they lie in a directory. */
INLINE struct path *shown_path(struct file *file)
{
	struct backing_file *backing = (void *)file;
	struct mount *mount = (void *)READ(file, f_path.mnt) - FIELD_OFFSET(struct mount, mnt);
	struct dentry *dentry = READ(file, f_path.dentry);
	if (FIELD_EXISTS(backing, user_path) && (s64)READ(mount, mnt_ns) == -EINVAL && READ(dentry, d_parent) != dentry)
		return &backing->user_path;
	return &file->f_path;
}

/* Shared memory without a name has a file too, but one that is the kernel's own. */
INLINE bool is_plain_file(struct file *file, struct inode *inode)
{
	if ((READ(inode, i_mode) & S_IFMT) != S_IFREG || READ(inode, i_flags) & S_PRIVATE)
		return false;
	struct super_block *super = READ(inode, i_sb);
	if (READ(super, s_magic) != HUGETLBFS_MAGIC)
		return true;
	struct dentry *dentry = READ(file, f_path.dentry);
	char first = 0;
	bpf_probe_read_kernel(&first, sizeof first, READ(dentry, d_name.name));
	return READ(inode, i_nlink) || first != 'a'; /* anon_hugepage */
}

INLINE u64 read_change_time(struct inode *inode)
{
	struct inode___6_11 *newest = (void *)inode;
	struct inode___6_6 *newer = (void *)inode;
	struct inode___old *old = (void *)inode;
	if (FIELD_EXISTS(newest, i_ctime_sec))
		return READ(newest, i_ctime_sec) * SECOND + (READ(newest, i_ctime_nsec) & ~CTIME_QUERIED);
	if (FIELD_EXISTS(newer, __i_ctime))
		return READ(newer, __i_ctime.tv_sec) * SECOND + READ(newer, __i_ctime.tv_nsec);
	return READ(old, i_ctime.tv_sec) * SECOND + READ(old, i_ctime.tv_nsec);
}

/* Which file it is, for those who look at it later. */
#define FILL_IDENTITY(r, file_inode) do { \
	struct super_block *super_ = READ(file_inode, i_sb); \
	(r)->inode = READ(file_inode, i_ino); \
	(r)->device = READ(super_, s_dev); \
	(r)->file_size = READ(file_inode, i_size); \
	(r)->change_time = read_change_time(file_inode); \
} while (0)

/* Part of its callers, since only these may ask for types that older kernels lack: libbpf looks for those in modules, which takes
 * CAP_SYS_ADMIN, and for functions that are shared it does so whatever is loaded. */
INLINE int image_loaded(u64 file_address, u64 address, u32 how)
{
	struct file *file = (void *)file_address;
	struct inode *inode = READ(file, f_inode);
	u32 slot;
	struct scratch *s = is_plain_file(file, inode) ? claim(FAMILY_IMAGE_LOAD, &slot) : NULL;
	if (!s)
		return 0;
	struct image_load_record *r = (void *)s->bytes;
	FILL_HEAD(r, KIND_IMAGE_LOAD_RECORD, 0, bpf_get_current_task_btf());
	FILL_IDENTITY(r, inode);
	r->address = address;
	r->uid = bpf_get_current_uid_gid();
	r->links = READ(inode, i_nlink);
	r->how = how;
	u32 start = sizeof *r, at = start;
	TAIL(path, put_path_of(slot, at, shown_path(file)));
	r->size = at;
	return send(&event_ring, FAMILY_IMAGE_LOAD, s, at, r->time);
}

/* ---- what is mapped where; since 5.17 */

struct mapping { u64 file, start, flags; };

static long on_mapping(struct task_struct *task, struct vm_area_struct *area, struct mapping *found)
{
	(void)task;
	found->file = (u64)READ(area, vm_file);
	found->start = READ(area, vm_start);
	found->flags = READ(area, vm_flags);
	return 0;
}

/* The mapping of the current process at that address; false if there is none. Before Linux 6.1, or while the list changes, the
 * kernel is asked, who refuses while somebody else changes mappings: then a record is counted as lost. */
INLINE bool find_mapping(u64 address, struct mapping *found)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vm_area_struct *region = (void *)region_at((u64)READ(task, mm), address);
	if (region) {
		on_mapping(task, region, found);
		return found->file;
	}
	long failed = bpf_find_vma(bpf_get_current_task_btf(), address, on_mapping, found, 0);
	if (failed == -EBUSY)
		tally(FAMILY_IMAGE_LOAD, true);
	return !failed && found->file;
}

/* ---- the kernel's own mappings, when all is in place */

SEC("tp_btf/sched_process_exec")
int on_program_image(u64 *context)
{
	struct task_struct *task = ARGUMENT(context, 0, struct task_struct *);
	if (!watched(FAMILY_IMAGE_LOAD))
		return 0;
	struct mm_struct *memory = READ(task, mm);
	return image_loaded((u64)READ(memory, exe_file), READ(memory, start_code), HOW_EXECUTED);
}

/* A process of a dynamic program begins in its interpreter: ld.so. */
SEC("tp_btf/sched_process_exec")
int on_interpreter_image(u64 *context)
{
	struct task_struct *task = ARGUMENT(context, 0, struct task_struct *);
	struct mapping found = {};
	if (!watched(FAMILY_IMAGE_LOAD))
		return 0;
	struct pt_regs *regs = bpf_task_pt_regs(task);
	struct pt_regs___x86 *x86 = (void *)regs;
	struct pt_regs___arm64 *arm64 = (void *)regs;
	if (!find_mapping(FIELD_EXISTS(x86, ip) ? x86->ip : arm64->pc, &found))
		return 0;
	struct mm_struct *memory = READ(task, mm);
	struct file *exe = READ(memory, exe_file);
	if (READ(shown_path((void *)found.file), dentry) == READ(exe, f_path.dentry))
		return 0; /* a static program */
	return image_loaded(found.file, found.start, HOW_INTERPRETER);
}

/* ---- inside the kernel */

/* An old program's personality makes everything executable that it may read, unless the mount forbids. */
INLINE bool makes_executable(u64 protection, struct file *file)
{
	if (protection & PROT_EXEC)
		return true;
	if (!(protection & PROT_READ) || !(bpf_get_current_task_btf()->personality & READ_IMPLIES_EXEC))
		return false;
	struct vfsmount *mount = READ(file, f_path.mnt);
	return !(READ(mount, mnt_flags) & MNT_NOEXEC);
}

/* Is execve still putting the program together? What it maps is told when it has done so. */
INLINE bool in_exec(void)
{
	return bpf_get_current_task_btf()->mm->arg_end == 0;
}

#define IS_ERROR(result) ((u64)(result) > (u64)-4096)

SEC("fexit/vm_mmap_pgoff")
int on_vm_mmap(u64 *context) /* the file or NULL, address, length, protection, flags, offset, the result */
{
	struct file *file; /* as a number: see on_access */
	if (!(context[3] & (PROT_EXEC | PROT_READ)) || context[4] & MAP_ANONYMOUS)
		return 0;
	bpf_probe_read_kernel(&file, sizeof file, context);
	if (!file || !makes_executable(context[3], file) || IS_ERROR(context[6]) || !watched(FAMILY_IMAGE_LOAD) || in_exec())
		return 0;
	return image_loaded((u64)file, context[6], HOW_MAPPED);
}

SEC("fexit/security_file_mprotect")
int on_file_mprotect(u64 *context) /* the area, the protection asked for, and what becomes of it, the answer */
{
	struct vm_area_struct *area;
	if (!(context[2] & PROT_EXEC) || (s32)context[3] != 0 || !watched(FAMILY_IMAGE_LOAD))
		return 0;
	bpf_probe_read_kernel(&area, sizeof area, context);
	struct file *file = READ(area, vm_file);
	if (!file || READ(area, vm_flags) & VM_EXEC || in_exec())
		return 0;
	return image_loaded((u64)file, READ(area, vm_start), HOW_PROTECTED);
}

/* ---- where system calls end: what is mapped there by then */

INLINE int mapped_at(u64 address, u32 how)
{
	struct mapping found = {};
	if (!find_mapping(address, &found) || !(found.flags & VM_EXEC))
		return 0;
	return image_loaded(found.file, how == HOW_MAPPED ? address : found.start, how);
}

INLINE bool may_execute(u64 protection)
{
	return protection & PROT_EXEC ||
	       (protection & PROT_READ && bpf_get_current_task_btf()->personality & READ_IMPLIES_EXEC);
}

SEC("tracepoint/syscalls/sys_exit_mmap")
int on_mmap(struct sys_exit_context *context)
{
	if (!may_execute(syscall_argument(2)) || syscall_argument(3) & MAP_ANONYMOUS || IS_ERROR(context->ret))
		return 0;
	return watched(FAMILY_IMAGE_LOAD) ? mapped_at(context->ret, HOW_MAPPED) : 0;
}

/* Threads about to make a file's mapping executable, with its address. Of several in one call only the first is told. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_TYPE(key, u64);
	MAP_TYPE(value, u64);
} protections SEC(".maps");

INLINE int protection_comes(u64 address, u64 protection)
{
	struct mapping found = {};
	if (!may_execute(protection) || !watched(FAMILY_IMAGE_LOAD))
		return 0;
	if (!find_mapping(address, &found) || found.flags & VM_EXEC)
		return 0;
	u64 thread = bpf_get_current_pid_tgid();
	bpf_map_update_elem(&protections, &thread, &address, BPF_ANY);
	return 0;
}

INLINE int protection_set(s64 result)
{
	if (!may_execute(syscall_argument(2)) || !wanted(FAMILY_IMAGE_LOAD))
		return 0;
	u64 thread = bpf_get_current_pid_tgid(), *begun = bpf_map_lookup_elem(&protections, &thread);
	if (!begun)
		return 0;
	u64 address = *begun;
	bpf_map_delete_elem(&protections, &thread);
	return result == 0 ? mapped_at(address, HOW_PROTECTED) : 0;
}

#define ON_IMAGE_PROTECTION(call) \
SEC("tracepoint/syscalls/sys_enter_" #call) \
int on_image_##call##_begin(struct sys_enter_context *context) \
{ \
	return protection_comes(context->arguments[0], context->arguments[2]); \
} \
SEC("tracepoint/syscalls/sys_exit_" #call) \
int on_image_##call(struct sys_exit_context *context) { return protection_set(context->ret); }
ON_IMAGE_PROTECTION(mprotect)
ON_IMAGE_PROTECTION(pkey_mprotect)
