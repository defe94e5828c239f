// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The kernel's settings: values that are set below /proc/sys, and tables of them that come, go or get another name.
 * A cgroup program knows the name and both values, as the kernel has copied them, but not how it ends; that is told where
 * the write ends. */
#include "objects.bpf.h"

struct bpf_sysctl { u32 write, file_pos; }; /* linux/bpf.h */

HELPER(long, bpf_sysctl_get_name, 101, struct bpf_sysctl *context, char *to, u64 size, u64 flags);
HELPER(long, bpf_sysctl_get_current_value, 102, struct bpf_sysctl *context, char *to, u64 size);
HELPER(long, bpf_sysctl_get_new_value, 103, struct bpf_sysctl *context, char *to, u64 size);

#define SETTING_NAME 256
#define SETTING_VALUE 512 /* no text of the kernel's settings but lists of ports and CPUs is longer */
#define E2BIG 7

/* A write that has begun. */
struct sysctl_write {
	u32 call, position, cut;
	char name[SETTING_NAME], previous[SETTING_VALUE], value[SETTING_VALUE];
};
/* What an entry begins as: too large for the stack. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 1);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct sysctl_write);
} no_write SEC(".maps");
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 512);
	MAP_TYPE(key, u64);
	MAP_TYPE(value, struct sysctl_write);
} sysctl_writes SEC(".maps");
u64 sysctl_writes_begun, sysctl_writes_ended; /* they differ while one goes on: what the ends of all writes look at first */

SEC("cgroup/sysctl")
int on_sysctl(struct bpf_sysctl *context) /* returns 1: it may go on */
{
	if (!context->write || !wanted(FAMILY_SYSCTL))
		return 1;
	struct task_struct *task = bpf_get_current_task_btf();
	u64 thread = (u64)(u32)task->tgid << 32 | (u32)task->pid;
	u32 zero = 0;
	struct sysctl_write *empty = bpf_map_lookup_elem(&no_write, &zero), *begun = NULL;
	if (empty && !bpf_map_update_elem(&sysctl_writes, &thread, empty, BPF_ANY))
		begun = bpf_map_lookup_elem(&sysctl_writes, &thread);
	if (!begun)
		return 1;
	begun->call = syscall_number();
	begun->position = context->file_pos;
	bpf_sysctl_get_name(context, begun->name, SETTING_NAME, 0);
	bpf_sysctl_get_current_value(context, begun->previous, SETTING_VALUE);
	begun->cut = bpf_sysctl_get_new_value(context, begun->value, SETTING_VALUE) == -E2BIG;
	__sync_fetch_and_add(&sysctl_writes_begun, 1);
	return 1;
}

INLINE int setting_written(struct sysctl_write *begun, bool done)
{
	u32 slot;
	struct scratch *s = done && watched(FAMILY_SYSCTL) ? claim(FAMILY_SYSCTL, &slot) : NULL;
	if (!s)
		return 0;
	struct setting_record *r = (void *)s->bytes;
	FILL_HEAD(r, KIND_SETTING_RECORD, 0, bpf_get_current_task_btf());
	r->uid = bpf_get_current_uid_gid();
	r->position = begun->position;
	r->cut = begun->cut;
	u32 start = sizeof *r, at = start;
	TAIL(name, put_string(s, at, SETTING_NAME, begun->name));
	TAIL(value, put_string(s, at, SETTING_VALUE, begun->value));
	TAIL(previous, put_string(s, at, SETTING_VALUE, begun->previous));
	r->size = at;
	return send(&event_ring, FAMILY_SYSCTL, s, at, r->time);
}

/* `call`: the system call that ends here; another one may have left its write behind unseen. 0: it cannot. */
INLINE int sysctl_write_ends(s64 result, u32 call)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct sysctl_write *begun = bpf_map_lookup_elem(&sysctl_writes, &thread);
	if (!begun)
		return 0;
	__sync_fetch_and_add(&sysctl_writes_ended, 1);
	setting_written(begun, result > 0 && (!call || begun->call == call));
	bpf_map_delete_elem(&sysctl_writes, &thread);
	return 0;
}

SEC("fexit/proc_sys_write")
int on_sysctl_write(u64 *context) /* kiocb, iterator, result */ { return sysctl_write_ends(context[2], 0); }

#define ON_WRITE(name) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_##name(struct sys_exit_context *context) \
{ \
	if (sysctl_writes_begun == sysctl_writes_ended) \
		return 0; \
	return sysctl_write_ends(context->ret, context->nr); \
}
ON_WRITE(write)
ON_WRITE(pwrite64)
ON_WRITE(writev)
ON_WRITE(pwritev)
ON_WRITE(pwritev2)
ON_WRITE(sendfile64)
ON_WRITE(splice)

/* ---- tables */

#define TABLE_DEPTH 12

/* The folder that a table stands in, leaf to root, each component ended by NUL. */
GLOBAL u32 put_table(u32 slot, u32 at, u64 header_address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);
	if (!s)
		return at;
	struct ctl_dir *folder = READ((struct ctl_table_header *)header_address, parent);
	for (int i = 0; i < TABLE_DEPTH && folder; i++) {
		struct ctl_table *table = READ(folder, header.ctl_table);
		PIN(at); /* as in put_path */
		if (at > TAILS_LIMIT)
			break;
		long size = bpf_probe_read_kernel_str(s->bytes + at, NAME_SIZE, READ(table, procname));
		if (size <= 1) /* the root has no name */
			break;
		at += size;
		folder = READ(folder, header.parent);
	}
	return at;
}

/* An interface that this thread gives another name: its tables go and come again. */
typedef struct { char name[16]; } device_name;
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 1024);
	MAP_TYPE(key, u64);
	MAP_TYPE(value, device_name);
} renamed_devices SEC(".maps");

INLINE int table_changed(struct ctl_table_header *header, u16 deed, device_name *before)
{
	u32 slot;
	struct scratch *s = watched(FAMILY_SYSCTL) ? claim(FAMILY_SYSCTL, &slot) : NULL;
	if (!s)
		return 0;
	struct setting_table_record *r = (void *)s->bytes;
	FILL_HEAD(r, KIND_SETTING_TABLE_RECORD, 0, bpf_get_current_task_btf());
	r->uid = bpf_get_current_uid_gid();
	r->deed = deed;
	u32 start = sizeof *r, at = start;
	TAIL(table, put_table(slot, at, (u64)header));
	TAIL(previous, before ? put_string(s, at, sizeof before->name, before->name) : at);
	r->size = at;
	return send(&event_ring, FAMILY_SYSCTL, s, at, r->time);
}

INLINE device_name *name_before(void)
{
	u64 thread = bpf_get_current_pid_tgid();
	return bpf_map_lookup_elem(&renamed_devices, &thread);
}

/* Is the table in the folder of the device under that name? */
INLINE bool is_of(struct ctl_table_header *header, device_name *device)
{
	device_name leaf = {};
	struct ctl_dir *folder = READ(header, parent);
	struct ctl_table *table = READ(folder, header.ctl_table);
	bpf_probe_read_kernel_str(leaf.name, sizeof leaf.name, READ(table, procname));
	for (u32 i = 0; i < sizeof leaf.name; i++) {
		if (leaf.name[i] != device->name[i])
			return false;
		if (!leaf.name[i])
			break;
	}
	return true;
}

/* set, path, table, since 6.6 the table's size; the result is its header. */
SEC("fexit/__register_sysctl_table")
int on_table_made(u64 *context)
{
	struct ctl_table_header___sized *sized = NULL;
	u64 result;
	if (!wanted(FAMILY_SYSCTL))
		return 0;
	bpf_probe_read_kernel(&result, sizeof result, context + (FIELD_EXISTS(sized, ctl_table_size) ? 4 : 3));
	struct ctl_table_header *header = (void *)result;
	if (!header)
		return 0;
	device_name *before = name_before();
	if (before)
		return is_of(header, before) ? 0 : table_changed(header, TABLE_RENAMED, before);
	return table_changed(header, TABLE_MADE, NULL);
}

SEC("fentry/unregister_sysctl_table")
int on_table_removed(u64 *context)
{
	struct ctl_table_header *header;
	bpf_probe_read_kernel(&header, sizeof header, context);
	if (!wanted(FAMILY_SYSCTL) || !header || !READ(header, parent)) /* before 6.6 one without stands for several */
		return 0;
	device_name *before = name_before();
	if (before && is_of(header, before))
		return 0;
	return table_changed(header, TABLE_REMOVED, NULL);
}

SEC("fentry/dev_change_name")
int on_device_rename_begin(u64 *context) /* device, new name */
{
	u64 thread = bpf_get_current_pid_tgid();
	struct net_device *device = (void *)context[0];
	device_name before;
	if (!watched(FAMILY_SYSCTL))
		return 0;
	bpf_probe_read_kernel(&before, sizeof before, &device->name);
	bpf_map_update_elem(&renamed_devices, &thread, &before, BPF_ANY);
	return 0;
}

SEC("fexit/dev_change_name")
int on_device_rename(void *context)
{
	(void)context;
	u64 thread = bpf_get_current_pid_tgid();
	bpf_map_delete_elem(&renamed_devices, &thread);
	return 0;
}
