// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Modification times that a process sets. What stood there before is read before it is overwritten: at the one function that
 * all calls lead to, else where the kernel is about to set the change time, in the midst of the system call. */
#include "objects.bpf.h"

enum { UTIME_NOW = 0x3fffffff, UTIME_OMIT = 0x3ffffffe }; /* linux/stat.h: in place of nanoseconds */

/* What this thread is about to set, and what it has found. */
struct setting { s64 seconds, previous_seconds; u64 inode; u32 nanoseconds, previous_nanoseconds; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_TYPE(key, u64);
	MAP_TYPE(value, struct setting);
} settings_of_times SEC(".maps");

INLINE void read_modification_time(struct inode *inode, s64 *seconds, u32 *nanoseconds)
{
	struct inode___6_11 *newest = (void *)inode;
	struct inode___6_7 *newer = (void *)inode;
	struct inode___old *old = (void *)inode;
	if (FIELD_EXISTS(newest, i_mtime_sec)) {
		*seconds = READ(newest, i_mtime_sec);
		*nanoseconds = READ(newest, i_mtime_nsec);
	} else if (FIELD_EXISTS(newer, __i_mtime)) {
		*seconds = READ(newer, __i_mtime.tv_sec);
		*nanoseconds = READ(newer, __i_mtime.tv_nsec);
	} else {
		*seconds = READ(old, i_mtime.tv_sec);
		*nanoseconds = READ(old, i_mtime.tv_nsec);
	}
}

INLINE bool is_set(struct timespec64 *time)
{
	return time->tv_nsec != UTIME_NOW && time->tv_nsec != UTIME_OMIT;
}

INLINE void begin_setting(struct timespec64 *time, struct inode *inode)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct setting begun = { .seconds = time->tv_sec, .nanoseconds = time->tv_nsec, .inode = (u64)inode };
	if (inode)
		read_modification_time(inode, &begun.previous_seconds, &begun.previous_nanoseconds);
	bpf_map_update_elem(&settings_of_times, &thread, &begun, BPF_ANY);
}

/* What this thread began, if it was done and has changed anything. */
INLINE bool finish_setting(bool done, struct setting *finished)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct setting *begun = bpf_map_lookup_elem(&settings_of_times, &thread);
	if (!begun)
		return false;
	*finished = *begun;
	bpf_map_delete_elem(&settings_of_times, &thread);
	return done && finished->inode && (finished->seconds != finished->previous_seconds ||
					   finished->nanoseconds != finished->previous_nanoseconds);
}

#define FILL_TIMES(r, set) do { \
	FILL_FILE(r, KIND_FILE_TIME_RECORD, (struct inode *)(set).inode); \
	(r)->seconds = (set).seconds; \
	(r)->nanoseconds = (set).nanoseconds; \
	(r)->previous_seconds = (set).previous_seconds; \
	(r)->previous_nanoseconds = (set).previous_nanoseconds; \
} while (0)

/* ---- inside the kernel */

SEC("fentry/vfs_utimes")
int on_vfs_utimes_begin(u64 *context) /* the path, two times or NULL for now */
{
	struct timespec64 time;
	struct path *path = (void *)context[0];
	void *times = (void *)context[1];
	if (!watched(FAMILY_FILE_TIME) || !times)
		return 0;
	bpf_probe_read_kernel(&time, sizeof time, times + sizeof time);
	struct dentry *dentry = READ(path, dentry);
	if (is_set(&time))
		begin_setting(&time, READ(dentry, d_inode));
	return 0;
}

SEC("fexit/vfs_utimes")
int on_vfs_utimes(u64 *context) /* the path, the times, the result */
{
	struct setting set;
	struct path *path = (void *)context[0];
	if (!wanted(FAMILY_FILE_TIME) || !finish_setting((s32)context[2] == 0, &set))
		return 0;
	u32 slot;
	struct scratch *s = claim(FAMILY_FILE_TIME, &slot);
	if (!s)
		return 0;
	struct file_time_record *r = (void *)s->bytes;
	FILL_TIMES(r, set);
	u32 start = sizeof *r, at = start;
	TAIL(path, put_path(slot, at, (u64)READ(path, dentry), (u64)READ(path, mnt)));
	r->size = at;
	return send_file(&event_ring, FAMILY_FILE_TIME, slot, s, sizeof *r, at, r->time);
}

/* ---- system calls, and the change time between their beginnings and ends */

/* Of the inodes whose change time a call sets, the last one that still has another modification time: file systems that
 * stack on others touch several. */
INLINE int change_time_comes(struct inode *inode)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct setting *begun = wanted(FAMILY_FILE_TIME) ? bpf_map_lookup_elem(&settings_of_times, &thread) : NULL;
	s64 seconds;
	u32 nanoseconds;
	if (!begun)
		return 0;
	read_modification_time(inode, &seconds, &nanoseconds);
	if (seconds == begun->seconds && nanoseconds == begun->nanoseconds)
		return 0;
	begun->inode = (u64)inode;
	begun->previous_seconds = seconds;
	begun->previous_nanoseconds = nanoseconds;
	return 0;
}

#define ON_CHANGE_TIME(tracepoint, name) \
SEC("tp_btf/" #tracepoint) \
int name(u64 *context) /* the inode, and more */ \
{ \
	struct inode *inode; \
	bpf_probe_read_kernel(&inode, sizeof inode, context); \
	return change_time_comes(inode); \
}
ON_CHANGE_TIME(ctime_ns_xchg, on_change_time)
ON_CHANGE_TIME(inode_set_ctime_to_ts, on_change_time_set)
ON_CHANGE_TIME(ctime_xchg_skip, on_change_time_kept)

/* How each call gives the second time: unit is what its fraction of a second is counted in, in ns. */
INLINE int times_come(u64 times, u64 offset, u64 unit)
{
	struct timespec64 time = {};
	if (!times || !watched(FAMILY_FILE_TIME))
		return 0;
	if (bpf_probe_read_user(&time, unit ? sizeof time : sizeof time.tv_sec, (void *)times + offset))
		return 0;
	if (unit == 1 && !is_set(&time))
		return 0;
	time.tv_nsec *= unit;
	begin_setting(&time, NULL);
	return 0;
}

INLINE int times_set(s64 result, s32 directory, u64 name)
{
	struct setting set;
	u32 slot;
	if (!wanted(FAMILY_FILE_TIME) || !finish_setting(result == 0, &set))
		return 0;
	struct scratch *s = claim(FAMILY_FILE_TIME, &slot);
	if (!s)
		return 0;
	struct file_time_record *r = (void *)s->bytes;
	FILL_TIMES(r, set);
	char first = 0;
	if (name)
		bpf_probe_read_user(&first, sizeof first, (void *)name);
	struct file *file = first ? NULL : file_of(directory); /* of no name: what the descriptor stands for */
	u32 start = sizeof *r, at = start;
	TAIL(path, file ? put_path_of(slot, at, &file->f_path) : at);
	TAIL(directory, first ? put_directory(slot, at, directory, (void *)name) : at);
	TAIL(name, first ? put_user_string(s, at, 4096, (void *)name) : at);
	r->size = at;
	return send(&event_ring, FAMILY_FILE_TIME, s, at, r->time);
}

#define ON_TIMES(call, times, offset, unit, directory, name) \
SEC("tracepoint/syscalls/sys_enter_" #call) \
int on_##call##_begin(struct sys_enter_context *context) { return times_come(context->arguments[times], offset, unit); } \
SEC("tracepoint/syscalls/sys_exit_" #call) \
int on_##call(struct sys_exit_context *context) { return times_set(context->ret, directory, name); }
ON_TIMES(utimensat, 2, sizeof(struct timespec64), 1, syscall_argument(0), syscall_argument(1))
ON_TIMES(futimesat, 2, sizeof(struct timespec64), 1000, syscall_argument(0), syscall_argument(1))
ON_TIMES(utimes, 1, sizeof(struct timespec64), 1000, AT_FDCWD, syscall_argument(0))
ON_TIMES(utime, 1, sizeof(s64), 0, AT_FDCWD, syscall_argument(0))
