/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Everything that this sensor reads of the kernel, and nothing else. CO-RE moves the offsets at load time. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;
typedef _Bool bool;
#define true 1
#define false 0

#define NULL ((void *)0)
#define CORE __attribute__((preserve_access_index))

/* linux/bpf.h */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum bpf_func_id { BPF_FUNC_unspec, BPF_FUNC_loop = 181 }; /* the type is the kernel's: asked for what it knows */
enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum { BPF_F_NO_PREALLOC = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2, BPF_RB_AVAIL_DATA = 0 };

/* linux/socket.h, linux/in.h, net/tcp_states.h */
enum { AF_INET = 2, AF_INET6 = 10, IPPROTO_TCP = 6, IPPROTO_UDP = 17, IPPROTO_FRAGMENT = 44, IPPROTO_MPTCP = 262 };
enum { TCP_ESTABLISHED = 1, TCP_SYN_SENT = 2, TCP_SYN_RECV = 3, TCP_CLOSE = 7 };
/* linux/if_ether.h, as they stand in the packet on a little-endian machine */
enum { ETH_P_IP_BE = 0x0008, ETH_P_IPV6_BE = 0xdd86 };

/* linux/fcntl.h, linux/stat.h, linux/fs.h */
enum { AT_FDCWD = -100, AT_REMOVEDIR = 0x200, RENAME_EXCHANGE = 2 };
enum { S_IFMT = 0xf000, S_IFSOCK = 0xc000, S_IFREG = 0x8000, S_IFBLK = 0x6000, S_IFDIR = 0x4000, S_IFCHR = 0x2000 };
enum { FMODE_READ = 1, FMODE_WRITE = 2, FMODE_CREATED = 0x100000 };
enum { S_PRIVATE = 0x200, MNT_NOEXEC = 4 };
/* linux/mman.h, linux/mm.h, linux/personality.h */
enum { PROT_READ = 1, PROT_EXEC = 4, MAP_ANONYMOUS = 0x20, READ_IMPLIES_EXEC = 0x400000 };
/* linux/sched/signal.h, asm-generic/signal.h, asm-generic/siginfo.h */
enum { SIGNAL_GROUP_EXIT = 4 };
enum { SEND_SIG_NOINFO = 0, SEND_SIG_PRIV = 1 }; /* in place of a pointer to the details */
enum { SI_USER = 0, SI_KERNEL = 0x80 };
enum { SIGPIPE = 13, SIGALRM = 14, SIGCHLD = 17, SIGURG = 23, SIGVTALRM = 26, SIGPROF = 27, SIGWINCH = 28, SIGIO = 29 };
/* linux/ptrace.h, linux/bpf.h, linux/magic.h */
enum { PTRACE_MODE_ATTACH = 2, PTRACE_ATTACH = 16, PTRACE_SEIZE = 0x4206 };
enum { PTRACE_POKETEXT = 4, PTRACE_POKEDATA = 5, PTRACE_POKEUSR = 6, PTRACE_SETREGS = 13, PTRACE_SETREGSET = 0x4205 };
/* linux/mman.h, linux/mm.h, linux/prctl.h */
enum { PROT_WRITE = 2, VM_WRITE = 2, VM_EXEC = 4, VM_RIGHTS = 15 };
enum { PR_SET_MM = 35, PR_SET_MM_EXE_FILE = 13, PR_SET_MM_MAP = 14 };
enum {
	BPF_PROG_LOAD = 5,
	BPF_PROG_ATTACH = 8,
	BPF_PROG_GET_FD_BY_ID = 13,
	BPF_MAP_GET_FD_BY_ID = 14,
	BPF_RAW_TRACEPOINT_OPEN = 17,
	BPF_LINK_CREATE = 28,
	BPF_LINK_GET_FD_BY_ID = 30,
};
enum { PERF_BPF_EVENT_PROG_LOAD = 1 };
enum { PID_FS_MAGIC = 0x50494446, PROC_SUPER_MAGIC = 0x9fa0 };
enum { HUGETLBFS_MAGIC = 0x958458f6u };
enum { EBUSY = 16, EINVAL = 22 };
enum { READING_MODULE = 2 }; /* linux/kernel_read_file.h */
enum { MAX_PID_NS_LEVEL = 32 };

struct super_block { u32 s_dev; u64 s_magic; struct dentry *s_root; } CORE;
typedef struct { u32 val; } kuid_t;
typedef struct { u32 val; } kgid_t;
struct pipe_inode_info { u32 files, r_counter, w_counter; } CORE;
struct inode {
	u16 i_mode;
	u32 i_flags, i_rdev, i_nlink;
	u64 i_ino, i_size;
	struct super_block *i_sb;
	struct pipe_inode_info *i_pipe;
	void *i_private;
} CORE;
struct timespec64 { s64 tv_sec; long tv_nsec; } CORE;
struct inode___old { struct timespec64 i_ctime, i_mtime; } CORE;
struct inode___6_6 { struct timespec64 __i_ctime; } CORE;
struct inode___6_7 { struct timespec64 __i_mtime; } CORE;
struct inode___6_11 { s64 i_ctime_sec, i_mtime_sec; u32 i_ctime_nsec, i_mtime_nsec; } CORE;
#define SECOND 1000000000ull
#define CTIME_QUERIED (1u << 31) /* a mark in i_ctime_nsec since 6.13 */
struct qstr { const u8 *name; } CORE;
struct dentry { struct dentry *d_parent; struct qstr d_name; struct inode *d_inode; struct super_block *d_sb; } CORE;
struct vfsmount { struct dentry *mnt_root; s32 mnt_flags; } CORE;
struct mnt_namespace;
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns; /* -EINVAL: of the kernel's own */
} CORE;
struct path { struct vfsmount *mnt; struct dentry *dentry; } CORE;
struct file {
	struct path f_path;
	struct inode *f_inode;
	u32 f_mode, f_flags;
	s64 f_pos;
	void *private_data;
	const void *f_op;
} CORE;
struct backing_file { struct file file; struct path user_path; } CORE; /* since 6.8 */
struct fdtable { u32 max_fds; struct file **fd; } CORE;
struct files_struct { struct fdtable *fdt; } CORE;
struct fs_struct { struct path root, pwd; } CORE;
struct maple_tree { void *ma_root; } CORE; /* since 6.1 */
struct maple_range_64 { u64 pivot[15]; void *slot[16]; } CORE;
struct maple_arange_64 { u64 pivot[9]; void *slot[10]; } CORE;
struct vm_area_struct { u64 vm_start, vm_end, vm_flags, vm_pgoff; struct file *vm_file; } CORE;
struct mm_struct {
	u64 arg_start, arg_end, start_code, end_code, start_brk, brk, start_stack;
	struct file *exe_file;
	struct maple_tree mm_mt;
} CORE;

struct ns_common { u32 inum; } CORE;
struct xarray { void *xa_head; } CORE;
struct xa_node { u8 shift; void *slots[1]; } CORE;
struct idr { struct xarray idr_rt; } CORE;
struct hlist_node { struct hlist_node *next; } CORE;
struct hlist_head { struct hlist_node *first; } CORE;
struct pid_namespace { struct ns_common ns; struct idr idr; } CORE;
struct mnt_namespace { struct ns_common ns; } CORE;
struct upid { s32 nr; struct pid_namespace *ns; } CORE;
struct pid { u32 level; struct hlist_head tasks[1]; struct upid numbers[1]; } CORE;
struct proc_inode { struct pid *pid; struct inode vfs_inode; } CORE;
struct nsproxy { struct mnt_namespace *mnt_ns; } CORE;

struct kernfs_node___parent { struct kernfs_node___parent *parent; } CORE;     /* before 6.15 */
struct kernfs_node___rcu { struct kernfs_node___rcu *__parent; } CORE;         /* since 6.15 */
struct kernfs_node { const char *name; u64 id; } CORE;
struct cgroup { struct kernfs_node *kn; } CORE;
struct css_set { struct cgroup *dfl_cgrp; } CORE;

struct cred { kuid_t uid, euid; kgid_t gid, egid; } CORE;
struct tty_struct { char name[64]; } CORE;
typedef struct { s32 counter; } atomic_t;
struct list_head { struct list_head *next; } CORE;
struct signal_struct {
	atomic_t live;
	u32 flags;
	s32 group_exit_code;
	struct tty_struct *tty;
	struct list_head thread_head;
} CORE;
struct kernel_siginfo { s32 si_code; } CORE;
struct renamedata { struct dentry *old_dentry, *new_dentry; u32 flags; } CORE; /* since 5.12 */
struct linux_binprm { const char *filename; } CORE;
struct task_struct {
	s32 pid, tgid;
	u32 personality;
	struct task_struct *real_parent, *group_leader;
	u64 start_boottime;
	u64 self_exec_id, parent_exec_id;
	s32 exit_code;
	struct mm_struct *mm;
	void *stack;
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct pid *thread_pid;
	struct hlist_node pid_links[1];
	struct css_set *cgroups;
	const struct cred *cred;
	kuid_t loginuid;
	u32 sessionid;
	struct list_head thread_node, ptraced, ptrace_entry;
} CORE;
/* self_exec_id was 32 bits wide before 5.7; bpf_get_current_task_btf, which we need, came with 5.11. */

struct in6_addr { u8 bytes[16]; } CORE;
struct sock_common {
	u16 skc_family;
	u16 skc_num;
	u16 skc_dport;
	u32 skc_daddr, skc_rcv_saddr;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
} CORE;
struct socket;
struct sock { struct sock_common __sk_common; u16 sk_type, sk_protocol; struct socket *sk_socket; struct pid *sk_peer_pid; } CORE;
struct inet_sock { struct sock sk; u16 inet_sport; } CORE;
struct socket { struct file *file; struct sock *sk; } CORE;
struct sockaddr_un { u16 sun_family; char sun_path[108]; } CORE;
struct unix_address { s32 len; struct sockaddr_un name[1]; } CORE;
struct unix_sock { struct sock sk; struct unix_address *addr; struct path path; struct sock *peer; } CORE;
struct proto_accept_arg { int flags; } CORE; /* since 6.10 */
struct sk_buff { u8 *head; u16 protocol, network_header, transport_header, csum_start, csum_offset; struct sock *sk; } CORE;

struct super_block___mounts { struct list_head s_mounts; } CORE; /* a list before 6.18 */
struct mount___listed { struct list_head mnt_instance; struct mnt_namespace *mnt_ns; struct vfsmount mnt; } CORE;

struct ctl_table { const char *procname; } CORE;
struct ctl_table_header { struct ctl_table *ctl_table; struct ctl_dir *parent; } CORE;
struct ctl_table_header___sized { s32 ctl_table_size; } CORE; /* since 6.6 */
struct ctl_dir { struct ctl_table_header header; } CORE;
struct net_device { char name[16]; } CORE;

struct bpf_map { u32 id; } CORE;
struct bpf_link { u32 id; } CORE;
struct bpf_prog_aux { u32 id; const char *attach_func_name; char name[16]; } CORE;
enum bpf_prog_type { BPF_PROG_TYPE_UNSPEC };
enum bpf_attach_type { BPF_CGROUP_INET_INGRESS };
struct bpf_prog { enum bpf_prog_type type; enum bpf_attach_type expected_attach_type; u8 tag[8]; struct bpf_prog_aux *aux; } CORE;

struct module { char name[56]; const char *version, *srcversion; unsigned long taints; bool sig_ok; } CORE;

struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; } CORE;
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } CORE;

/* What a syscalls:sys_exit_* tracepoint hands over (its format file in tracefs). */
struct sys_exit_context { u64 common; s64 nr; s64 ret; };
struct sys_enter_context { u64 common; s64 nr; u64 arguments[6]; };

struct pt_regs;
struct pt_regs___x86 { u64 di, si, dx, cx, r10, r8, r9, ax, sp, ip, orig_ax; } CORE;
struct pt_regs___arm64 { u64 regs[31]; u64 sp, pc, orig_x0; s32 syscallno; } CORE;
