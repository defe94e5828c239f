/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* From what a system call was given or returned to the kernel objects behind it. */
#pragma once
#include "emit.bpf.h"

/* The file behind a descriptor of the current process, or NULL. */
INLINE struct file *file_of(s64 descriptor)
{
	struct fdtable *table = bpf_get_current_task_btf()->files->fdt;
	if (descriptor < 0 || descriptor >= table->max_fds)
		return NULL;
	struct file **files = table->fd, *file = NULL;
	bpf_probe_read_kernel(&file, sizeof file, files + descriptor);
	return file;
}

/* The socket behind a descriptor of the current process, or NULL. */
INLINE struct sock *socket_of(s64 descriptor)
{
	struct file *file = file_of(descriptor);
	if (!file)
		return NULL;
	struct inode *inode = READ(file, f_inode);
	if ((READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	struct socket *socket = READ(file, private_data);
	return READ(socket, sk);
}

/* Argument `n` (0-5) of the system call that the current task is in. Valid at its end too: x86 keeps all argument
 * registers, arm64 keeps the first one beside the result. */
INLINE u64 syscall_argument(int n)
{
	struct pt_regs *regs = bpf_task_pt_regs(bpf_get_current_task_btf());
	struct pt_regs___x86 *x86 = (void *)regs;
	if (FIELD_EXISTS(x86, di)) {
		switch (n) {
		case 0: return x86->di;
		case 1: return x86->si;
		case 2: return x86->dx;
		case 3: return x86->r10;
		case 4: return x86->r8;
		default: return x86->r9;
		}
	}
	struct pt_regs___arm64 *arm64 = (void *)regs;
	return n == 0 ? arm64->orig_x0 : arm64->regs[n];
}

/* The number of the system call that the current task is in. */
INLINE u32 syscall_number(void)
{
	struct pt_regs *regs = bpf_task_pt_regs(bpf_get_current_task_btf());
	struct pt_regs___x86 *x86 = (void *)regs;
	struct pt_regs___arm64 *arm64 = (void *)regs;
	return FIELD_EXISTS(x86, orig_ax) ? x86->orig_ax : (u32)arm64->syscallno;
}

/* A program at the tracepoint where a system call ends. The body follows, with its `result`. */
#define AT_TRACEPOINT_OF(call, name) \
INLINE int name##_does(s64 result); \
SEC("tracepoint/syscalls/sys_exit_" #call) \
int name(struct sys_exit_context *context) { return name##_does(context->ret); } \
INLINE int name##_does(s64 result)

/* The same twice over, at the end or at the beginning (of the arguments, the first three): at the tracepoint, and around the
 * function behind the call, on x86. Both see the same calls, but the first tracepoint at any of them makes the kernel take a
 * longer way through all. */
#define AT_END_OF(call, name) \
INLINE int name##_does(s64 result); \
SEC("fexit/__x64_sys_" #call) \
int name##_inside(u64 *context) /* registers, result */ { return name##_does(context[1]); } \
AT_TRACEPOINT_OF(call, name)

#define AT_BEGIN_OF(call, name) \
INLINE int name##_does(u64 first, u64 second, u64 third); \
SEC("tracepoint/syscalls/sys_enter_" #call) \
int name(struct sys_enter_context *context) \
{ \
	u64 *given = context->arguments; \
	return name##_does(given[0], given[1], given[2]); \
} \
SEC("fentry/__x64_sys_" #call) \
int name##_inside(void *context __attribute__((unused))) \
{ \
	return name##_does(syscall_argument(0), syscall_argument(1), syscall_argument(2)); \
} \
INLINE int name##_does(u64 first, u64 second, u64 third __attribute__((unused)))

/* Where a name begins: at the root directory of the process, at the directory behind a descriptor, or where it stands. */
INLINE u32 put_directory(u32 slot, u32 at, s32 descriptor, const char *name)
{
	struct fs_struct *fs = bpf_get_current_task_btf()->fs;
	char first = 0;
	bpf_probe_read_user(&first, sizeof first, name);
	if (first == '/')
		return put_path_of(slot, at, &fs->root);
	if (descriptor == AT_FDCWD)
		return put_path_of(slot, at, &fs->pwd);
	struct file *file = file_of(descriptor);
	return file ? put_path_of(slot, at, &file->f_path) : at;
}
