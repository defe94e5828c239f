// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Files that come to a name and names that go, seen where system calls end. */
#include "objects.bpf.h"

#define TAIL(member, end) do { at = end; r->member##_len = at - start; start = at; } while (0)

/* What open, openat, openat2 and creat return: the file itself says whether it is new. */
INLINE int opened(s64 descriptor)
{
	struct file *file = descriptor < 0 ? NULL : file_of(descriptor);
	if (!file || !(READ(file, f_mode) & FMODE_CREATED) || !watched(FAMILY_FILE_CREATE))
		return 0;
	struct scratch *s = get_scratch();
	if (!s)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	struct file_create_record *r = (void *)s;
	FILL_HEAD(r, KIND_FILE_CREATE_RECORD, 0, task);
	struct inode *inode = READ(file, f_inode);
	struct super_block *super = READ(inode, i_sb);
	r->inode = READ(inode, i_ino);
	r->device = READ(super, s_dev);
	r->mode = READ(inode, i_mode);
	r->uid = bpf_get_current_uid_gid();
	r->how = HOW_OPENED;
	r->directory_len = r->name_len = 0;
	u32 start = sizeof *r, at = start;
	TAIL(path, put_path_of(at, &file->f_path));
	r->size = at;
	return send(&event_ring, FAMILY_FILE_CREATE, s, at, r->time);
}

#define ON_OPEN(name) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_##name(struct sys_exit_context *context) { return opened(context->ret); }
ON_OPEN(open)
ON_OPEN(openat)
ON_OPEN(openat2)
ON_OPEN(creat)

/* rename and link: the new name, as the process gave it. */
INLINE int named(u16 how, s32 directory, u64 name)
{
	if (!watched(FAMILY_FILE_CREATE))
		return 0;
	struct scratch *s = get_scratch();
	if (!s)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	struct file_create_record *r = (void *)s;
	FILL_HEAD(r, KIND_FILE_CREATE_RECORD, 0, task);
	r->inode = 0;
	r->device = r->mode = 0;
	r->uid = bpf_get_current_uid_gid();
	r->how = how;
	r->path_len = 0;
	u32 start = sizeof *r, at = start;
	TAIL(directory, put_directory(at, directory));
	TAIL(name, put_user_string(s, at, 4096, (void *)name));
	r->size = at;
	return send(&event_ring, FAMILY_FILE_CREATE, s, at, r->time);
}

/* unlink and unlinkat of anything but a directory. */
INLINE int unlinked(s32 directory, u64 name)
{
	if (!watched(FAMILY_FILE_DELETE))
		return 0;
	struct scratch *s = get_scratch();
	if (!s)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	struct file_delete_record *r = (void *)s;
	FILL_HEAD(r, KIND_FILE_DELETE_RECORD, 0, task);
	r->inode = 0;
	r->device = r->mode = r->links = 0;
	r->uid = bpf_get_current_uid_gid();
	r->path_len = 0;
	u32 start = sizeof *r, at = start;
	TAIL(directory, put_directory(at, directory));
	TAIL(name, put_user_string(s, at, 4096, (void *)name));
	r->size = at;
	return send(&event_ring, FAMILY_FILE_DELETE, s, at, r->time);
}
#undef TAIL

#define ON_NAME(name, ...) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_##name(struct sys_exit_context *context) { return context->ret == 0 ? __VA_ARGS__ : 0; }
#define ARG(n) syscall_argument(n)
ON_NAME(rename, named(HOW_RENAMED, AT_FDCWD, ARG(1)))
ON_NAME(renameat, named(HOW_RENAMED, ARG(2), ARG(3)))
ON_NAME(renameat2, named(HOW_RENAMED, ARG(2), ARG(3)))
ON_NAME(link, named(HOW_LINKED, AT_FDCWD, ARG(1)))
ON_NAME(linkat, named(HOW_LINKED, ARG(2), ARG(3)))
ON_NAME(unlink, unlinked(AT_FDCWD, ARG(0)))
ON_NAME(unlinkat, (ARG(2) & AT_REMOVEDIR) ? 0 : unlinked(ARG(0), ARG(1)))
