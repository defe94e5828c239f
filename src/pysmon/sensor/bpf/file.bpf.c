// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Files that come to a name and names that go. Best seen inside the kernel (fentry, fexit), whatever way led there;
 * else where system calls end (tracepoints), which misses io_uring and 32-bit calls. */
#include "objects.bpf.h"
#include "slots.bpf.h"

/* What both records share; the caller fills the rest before `path`. */
#define FILL_FILE(r, kind, inode_) do { \
	struct inode *file_inode = inode_; \
	struct super_block *super = READ(file_inode, i_sb); \
	FILL_HEAD(r, kind, 0, bpf_get_current_task_btf()); \
	(r)->inode = READ(file_inode, i_ino); \
	(r)->device = READ(super, s_dev); \
	(r)->mode = READ(file_inode, i_mode); \
	(r)->uid = bpf_get_current_uid_gid(); \
	(r)->directory_len = (r)->name_len = 0; \
} while (0)

/* Puts the record together in a slot that was claimed, and sends it. */
INLINE int put_created(struct scratch *s, u32 slot, struct inode *inode, u16 how, struct dentry *dentry, struct vfsmount *mount)
{
	struct file_create_record *r = (void *)s->bytes;
	FILL_FILE(r, KIND_FILE_CREATE_RECORD, inode);
	r->how = how;
	u32 start = sizeof *r, at = start;
	TAIL(path, put_path(slot, at, (u64)dentry, (u64)mount));
	r->size = at;
	return send_file(&event_ring, FAMILY_FILE_CREATE, slot, s, sizeof *r, at, r->time);
}

INLINE int created(struct inode *inode, u16 how, struct dentry *dentry, struct vfsmount *mount)
{
	u32 slot;
	struct scratch *s = claim(FAMILY_FILE_CREATE, &slot);
	return s ? put_created(s, slot, inode, how, dentry, mount) : 0;
}

/* Of a file that its opening has created. */
INLINE int opened(struct file *file)
{
	if (!watched(FAMILY_FILE_CREATE))
		return 0;
	u32 slot;
	struct scratch *s = claim(FAMILY_FILE_CREATE, &slot);
	if (!s)
		return 0;
	return put_created(s, slot, READ(file, f_inode), HOW_OPENED, READ(file, f_path.dentry), READ(file, f_path.mnt));
}

/* ---- inside the kernel: a path hook knows the mount, the vfs function knows whether it was done */

/* File systems that stack on others call the vfs functions again, with dentries of their own: with those nothing has begun. */
struct beginning { u64 thread, dentry; };
struct pending { u64 dentry, mount, inode, links; };
struct last_begun { u64 thread; struct pending pending; };
#define LAST_BEGUN_BITS 10 /* few threads are within such a call at the same time */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 1 << LAST_BEGUN_BITS);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct last_begun);
} last_begun SEC(".maps");
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_TYPE(key, struct beginning);
	MAP_TYPE(value, struct pending);
} pendings SEC(".maps");

INLINE struct last_begun *last_begun_by(u64 thread)
{
	u32 slot = slot_of_key(thread, LAST_BEGUN_BITS);
	return bpf_map_lookup_elem(&last_begun, &slot);
}

INLINE void put_behind(u64 thread, const struct pending *pending)
{
	struct beginning key = { .thread = thread, .dentry = pending->dentry };
	bpf_map_update_elem(&pendings, &key, pending, BPF_ANY);
}

INLINE int begin(u32 family, struct dentry *dentry, struct path *directory)
{
	if (!watched(family))
		return 0;
	struct inode *inode = dentry->d_inode; /* what unlink is about to take from the dentry */
	struct pending pending = {
		.dentry = (u64)dentry, .mount = (u64)directory->mnt, .inode = (u64)inode, .links = inode->i_nlink,
	};
	u64 thread = bpf_get_current_pid_tgid();
	struct last_begun *slot = last_begun_by(thread);
	u64 holder = slot ? take(&slot->thread, thread) : 0;
	if (!slot || (holder && holder != thread)) {
		put_behind(thread, &pending);
		return 0;
	}
	if (holder) { /* what it began before was not done, or is not done yet */
		struct pending other = slot->pending;
		if (other.dentry != pending.dentry)
			put_behind(thread, &other);
	}
	slot->pending = pending;
	return 0;
}

/* What this thread began with that dentry; false if nothing. */
INLINE bool finish(struct dentry *dentry, struct pending *begun)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct last_begun *slot = last_begun_by(thread);
	if (slot && slot->thread == thread) {
		*begun = slot->pending;
		u64 which = begun->dentry;
		PIN(which); /* or the compiler takes the pointer where this number is meant: put_path takes no pointer */
		if (which == (u64)dentry) {
			leave(&slot->thread, thread);
			return true;
		}
	}
	struct beginning key = { .thread = thread, .dentry = (u64)dentry };
	struct pending *pending = bpf_map_lookup_elem(&pendings, &key);
	if (!pending)
		return false;
	*begun = *pending;
	bpf_map_delete_elem(&pendings, &key);
	return true;
}

INLINE void renamed(struct dentry *dentry, u64 mount)
{
	struct inode *inode = READ(dentry, d_inode);
	if ((READ(inode, i_mode) & S_IFMT) != S_IFDIR)
		created(inode, HOW_RENAMED, dentry, (void *)mount);
}

/* Is it one of those openings of which nobody tells: of a plain file that was there before, or of a directory? What shows
 * memory and processes is in proc. GET as in network.bpf.c. */
#define IS_PLAIN_OPENING(file, GET) ({ \
	struct inode *inode_ = GET(file, f_inode); \
	u32 kind_ = GET(inode_, i_mode) & S_IFMT; \
	bool plain_ = kind_ == S_IFDIR; \
	if (kind_ == S_IFREG) { \
		struct super_block *super_ = GET(inode_, i_sb); \
		plain_ = GET(super_, s_magic) != PROC_SUPER_MAGIC; \
	} \
	plain_; \
})

SEC("fentry/security_file_open")
int on_file_open(u64 *context)
{
	struct file *file = (void *)context[0];
	if (file->f_mode & FMODE_CREATED)
		return opened(file);
	if (!IS_PLAIN_OPENING(file, LOAD))
		opened_raw(file);
	return 0;
}

SEC("fentry/security_path_rename") /* old directory, old dentry, new directory, new dentry */
int on_path_rename(u64 *context) { return begin(FAMILY_FILE_CREATE, (void *)context[1], (void *)context[2]); }

SEC("fentry/security_path_link") /* old dentry, new directory, new dentry */
int on_path_link(u64 *context) { return begin(FAMILY_FILE_CREATE, (void *)context[2], (void *)context[1]); }

SEC("fentry/security_path_symlink") /* directory, dentry, what it leads to */
int on_path_symlink(u64 *context) { return begin(FAMILY_FILE_CREATE, (void *)context[1], (void *)context[0]); }

SEC("fentry/security_path_unlink") /* directory, dentry */
int on_path_unlink(u64 *context) { return begin(FAMILY_FILE_DELETE, (void *)context[1], (void *)context[0]); }

SEC("fexit/vfs_rename") /* renamedata, result: the old dentry has the new name now */
int on_vfs_rename(u64 *context)
{
	struct renamedata *names = (void *)context[0];
	struct dentry *dentry = READ(names, old_dentry), *other = READ(names, new_dentry);
	struct pending begun;
	if (!finish(dentry, &begun) || (s32)context[1] != 0)
		return 0;
	renamed(dentry, begun.mount);
	if (READ(names, flags) & RENAME_EXCHANGE)
		renamed(other, begun.mount);
	return 0;
}

SEC("fexit/vfs_link") /* old dentry, mapping, directory, new dentry, delegated inode, result */
int on_vfs_link(u64 *context)
{
	struct dentry *old = (void *)context[0], *dentry = (void *)context[3];
	struct pending begun;
	if (!finish(dentry, &begun) || (s32)context[5] != 0)
		return 0;
	return created(READ(old, d_inode), HOW_LINKED, (void *)begun.dentry, (void *)begun.mount);
}

SEC("fexit/vfs_symlink") /* mapping, directory, dentry, what it leads to, result */
int on_vfs_symlink(u64 *context)
{
	struct dentry *dentry = (void *)context[2];
	struct pending begun;
	if (!finish(dentry, &begun) || (s32)context[4] != 0)
		return 0;
	return created(READ(dentry, d_inode), HOW_SYMLINKED, (void *)begun.dentry, (void *)begun.mount);
}

SEC("fexit/vfs_unlink") /* mapping, directory, dentry, delegated inode, result */
int on_vfs_unlink(u64 *context)
{
	struct dentry *dentry = (void *)context[2];
	struct pending begun;
	if (!finish(dentry, &begun) || (s32)context[4] != 0)
		return 0;
	u32 slot;
	struct scratch *s = claim(FAMILY_FILE_DELETE, &slot);
	if (!s)
		return 0;
	struct file_delete_record *r = (void *)s->bytes;
	FILL_FILE(r, KIND_FILE_DELETE_RECORD, (struct inode *)begun.inode);
	r->links = begun.links;
	u32 start = sizeof *r, at = start;
	TAIL(path, put_path(slot, at, begun.dentry, begun.mount));
	r->size = at;
	return send_file(&event_ring, FAMILY_FILE_DELETE, slot, s, sizeof *r, at, r->time);
}

/* FIFOs alone: of opening, too, this hook is asked, with the mode of a regular file. */
SEC("fentry/security_path_mknod") /* directory, dentry, mode, device */
int on_path_mknod(u64 *context)
{
	return (context[2] & S_IFMT) == S_IFIFO ? begin(FAMILY_PIPE, (void *)context[1], (void *)context[0]) : 0;
}

SEC("fexit/vfs_mknod") /* mapping, directory, dentry, mode, device, result */
int on_vfs_mknod(u64 *context)
{
	struct pending begun;
	if (!finish((void *)context[2], &begun) || (s32)context[5] != 0)
		return 0;
	return fifo_made(begun.dentry, begun.mount, 0, 0);
}

/* ---- where system calls end */

#define ON_OPEN(name) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_##name(struct sys_exit_context *context) \
{ \
	struct file *file = context->ret < 0 ? NULL : file_of(context->ret); \
	if (!file) \
		return 0; \
	if (READ(file, f_mode) & FMODE_CREATED) \
		return opened(file); \
	if (IS_PLAIN_OPENING(file, READ)) \
		return 0; \
	opened_memory(file); \
	opened_raw(file); \
	opened_fifo(file); \
	return 0; \
}
ON_OPEN(open)
ON_OPEN(openat)
ON_OPEN(openat2)
ON_OPEN(creat)

/* rename, link and symlink: the new name, as the process gave it. */
INLINE int named(u16 how, s32 directory, u64 name)
{
	u32 slot;
	struct scratch *s = watched(FAMILY_FILE_CREATE) ? claim(FAMILY_FILE_CREATE, &slot) : NULL;
	if (!s)
		return 0;
	struct file_create_record *r = (void *)s->bytes;
	FILL_FILE(r, KIND_FILE_CREATE_RECORD, NULL);
	r->how = how;
	r->path_len = 0;
	u32 start = sizeof *r, at = start;
	TAIL(directory, put_directory(slot, at, directory, (void *)name));
	TAIL(name, put_user_string(s, at, 4096, (void *)name));
	r->size = at;
	return send(&event_ring, FAMILY_FILE_CREATE, s, at, r->time);
}

INLINE int renamed_by_flags(s32 from, u64 old, s32 to, u64 new, u32 flags)
{
	named(HOW_RENAMED, to, new);
	return flags & RENAME_EXCHANGE ? named(HOW_RENAMED, from, old) : 0;
}

/* unlink and unlinkat of anything but a directory. */
INLINE int unlinked(s32 directory, u64 name)
{
	u32 slot;
	struct scratch *s = watched(FAMILY_FILE_DELETE) ? claim(FAMILY_FILE_DELETE, &slot) : NULL;
	if (!s)
		return 0;
	struct file_delete_record *r = (void *)s->bytes;
	FILL_FILE(r, KIND_FILE_DELETE_RECORD, NULL);
	r->links = 0;
	r->path_len = 0;
	u32 start = sizeof *r, at = start;
	TAIL(directory, put_directory(slot, at, directory, (void *)name));
	TAIL(name, put_user_string(s, at, 4096, (void *)name));
	r->size = at;
	return send(&event_ring, FAMILY_FILE_DELETE, s, at, r->time);
}

#define ON_NAME(name, ...) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_##name(struct sys_exit_context *context) { return context->ret == 0 ? __VA_ARGS__ : 0; }
#define ARG(n) syscall_argument(n)
ON_NAME(rename, named(HOW_RENAMED, AT_FDCWD, ARG(1)))
ON_NAME(renameat, named(HOW_RENAMED, ARG(2), ARG(3)))
ON_NAME(renameat2, renamed_by_flags(ARG(0), ARG(1), ARG(2), ARG(3), ARG(4)))
ON_NAME(link, named(HOW_LINKED, AT_FDCWD, ARG(1)))
ON_NAME(linkat, named(HOW_LINKED, ARG(2), ARG(3)))
ON_NAME(symlink, named(HOW_SYMLINKED, AT_FDCWD, ARG(1)))
ON_NAME(symlinkat, named(HOW_SYMLINKED, ARG(1), ARG(2)))
ON_NAME(unlink, unlinked(AT_FDCWD, ARG(0)))
ON_NAME(unlinkat, (ARG(2) & AT_REMOVEDIR) ? 0 : unlinked(ARG(0), ARG(1)))
ON_NAME(mknod, (ARG(1) & S_IFMT) == S_IFIFO ? fifo_made(0, 0, AT_FDCWD, ARG(0)) : 0)
ON_NAME(mknodat, (ARG(2) & S_IFMT) == S_IFIFO ? fifo_made(0, 0, ARG(0), ARG(1)) : 0)
