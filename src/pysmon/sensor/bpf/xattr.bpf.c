// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Extended attributes of the namespace `user` that are given to a file. Seen inside the kernel, where name and value are its
 * own copies; else where system calls end, by what they were given. */
#include "objects.bpf.h"

#define ATTRIBUTE_NAME 256 /* XATTR_NAME_MAX and its NUL */
#define ATTRIBUTE_VALUE 4096

INLINE bool is_of_user(const char *name, bool kernel)
{
	char begin[5] = {};
	if (kernel ? bpf_probe_read_kernel(begin, sizeof begin, name) : bpf_probe_read_user(begin, sizeof begin, name))
		return false;
	return begin[0] == 'u' && begin[1] == 's' && begin[2] == 'e' && begin[3] == 'r' && begin[4] == '.';
}

/* As much of a value as there is room for. */
INLINE u32 put_value(struct scratch *s, u32 at, u64 size, const void *value, bool kernel)
{
	PIN(at);
	if (at > TAILS_LIMIT || !size)
		return at;
	u32 length = size < ATTRIBUTE_VALUE ? size : ATTRIBUTE_VALUE;
	length -= 1;
	PIN(length);
	length &= ATTRIBUTE_VALUE - 1; /* at least 1, as old verifiers see it, too */
	length += 1;
	long failed = kernel ? bpf_probe_read_kernel(s->bytes + at, length, value) : bpf_probe_read_user(s->bytes + at, length, value);
	return failed ? at : at + length;
}

/* ---- inside the kernel */

/* File systems that stack on others set attributes of files of theirs meanwhile: only the first one of a thread counts. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 1024);
	MAP_TYPE(key, u64);
	MAP_TYPE(value, u64);
} attributes_begun SEC(".maps");

#define MOUNTS_LOOKED_AT 64

/* A mount of the file's file system where the current process lives: the hook knows none. Best one that shows all of it. */
GLOBAL u64 mount_of(u64 dentry_address)
{
	struct super_block *super = READ((struct dentry *)dentry_address, d_sb);
	struct task_struct *task = bpf_get_current_task_btf();
	struct mnt_namespace *here = task->nsproxy ? task->nsproxy->mnt_ns : NULL;
	struct dentry *root = READ(super, s_root);
	struct super_block___mounts *listed = (void *)super;
	u64 head = (u64)listed + FIELD_OFFSET(struct super_block___mounts, s_mounts), found = 0;
	struct list_head *next = READ(listed, s_mounts.next);
	for (int i = 0; i < MOUNTS_LOOKED_AT && (u64)next != head; i++) {
		struct mount___listed *mount = (void *)next - FIELD_OFFSET(struct mount___listed, mnt_instance);
		next = READ(next, next);
		if (READ(mount, mnt_ns) != here)
			continue;
		found = (u64)mount + FIELD_OFFSET(struct mount___listed, mnt);
		if (READ(mount, mnt.mnt_root) == root)
			break;
	}
	return found;
}

SEC("fentry/vfs_setxattr")
int on_vfs_setxattr_begin(u64 *context) /* mapping, dentry, name, value, size, flags; since 5.12 */
{
	u64 thread = bpf_get_current_pid_tgid(), dentry, name;
	bpf_probe_read_kernel(&dentry, sizeof dentry, context + 1);
	bpf_probe_read_kernel(&name, sizeof name, context + 2);
	if (wanted(FAMILY_XATTR) && is_of_user((void *)name, true) && watched(FAMILY_XATTR))
		bpf_map_update_elem(&attributes_begun, &thread, &dentry, BPF_NOEXIST);
	return 0;
}

SEC("fexit/vfs_setxattr")
int on_vfs_setxattr(u64 *context)
{
	u64 thread = bpf_get_current_pid_tgid(), *begun = bpf_map_lookup_elem(&attributes_begun, &thread);
	if (!begun)
		return 0;
	struct { u64 mapping, dentry, name, value, size, flags, result; } called;
	bpf_probe_read_kernel(&called, sizeof called, context);
	if (*begun != called.dentry)
		return 0;
	bpf_map_delete_elem(&attributes_begun, &thread);
	u32 slot;
	struct scratch *s = (s32)called.result == 0 && wanted(FAMILY_XATTR) ? claim(FAMILY_XATTR, &slot) : NULL;
	if (!s)
		return 0;
	struct attribute_record *r = (void *)s->bytes;
	struct dentry *dentry = (void *)called.dentry;
	FILL_FILE(r, KIND_ATTRIBUTE_RECORD, READ(dentry, d_inode));
	r->value_size = called.size;
	u32 start = sizeof *r, at = start;
	u64 mount = mount_of(called.dentry);
	TAIL(path, mount ? put_path(slot, at, called.dentry, mount) : at);
	TAIL(attribute, put_string(s, at, ATTRIBUTE_NAME, (void *)called.name));
	TAIL(value, put_value(s, at, called.size, (void *)called.value, true));
	r->size = at;
	return send(&event_ring, FAMILY_XATTR, s, at, r->time);
}

/* ---- where system calls end */

/* The file: by name, from that directory on; or, of no name, what the descriptor stands for. */
INLINE int attribute_set(s32 descriptor, u64 file_name, u64 attribute, u64 value, u64 size)
{
	if (!wanted(FAMILY_XATTR) || !is_of_user((void *)attribute, false))
		return 0;
	u32 slot;
	struct scratch *s = watched(FAMILY_XATTR) ? claim(FAMILY_XATTR, &slot) : NULL;
	if (!s)
		return 0;
	char first = 0;
	if (file_name)
		bpf_probe_read_user(&first, sizeof first, (void *)file_name);
	struct file *file = first ? NULL : file_of(descriptor);
	struct attribute_record *r = (void *)s->bytes;
	FILL_FILE(r, KIND_ATTRIBUTE_RECORD, file ? READ(file, f_inode) : NULL);
	r->value_size = size;
	u32 start = sizeof *r, at = start;
	TAIL(path, file ? put_path_of(slot, at, &file->f_path) : at);
	TAIL(directory, first ? put_directory(slot, at, descriptor, (void *)file_name) : at);
	TAIL(name, first ? put_user_string(s, at, 4096, (void *)file_name) : at);
	TAIL(attribute, put_user_string(s, at, ATTRIBUTE_NAME, (void *)attribute));
	TAIL(value, put_value(s, at, size, (void *)value, false));
	r->size = at;
	return send(&event_ring, FAMILY_XATTR, s, at, r->time);
}

#define ON_ATTRIBUTE(name, ...) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_##name(struct sys_exit_context *context) { return context->ret == 0 ? attribute_set(__VA_ARGS__) : 0; }
ON_ATTRIBUTE(setxattr, AT_FDCWD, ARG(0), ARG(1), ARG(2), ARG(3))
ON_ATTRIBUTE(lsetxattr, AT_FDCWD, ARG(0), ARG(1), ARG(2), ARG(3))
ON_ATTRIBUTE(fsetxattr, ARG(0), 0, ARG(1), ARG(2), ARG(3))

/* setxattrat, since 6.13: the value and its size come in a struct. */
SEC("tracepoint/syscalls/sys_exit_setxattrat")
int on_setxattrat(struct sys_exit_context *context)
{
	struct { u64 value; u32 size, flags; } given = {};
	if (context->ret != 0 || !wanted(FAMILY_XATTR))
		return 0;
	bpf_probe_read_user(&given, sizeof given, (void *)ARG(4));
	return attribute_set(ARG(0), ARG(1), ARG(3), given.value, given.size);
}
