// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Who reaches for the sensor itself: signals to its process, handles on its kernel objects, a look into its memory.
 * Free of the scope: only what aims at us makes a record, whoever it comes from. */
#include "objects.bpf.h"

/* The process that is guarded: the one that ran `on_ourselves`. A tgid of 0 is nobody. */
struct ourselves { u32 tgid, unused; u64 leader; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 1);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct ourselves);
} ourselves SEC(".maps");

/* Our programs, maps and links; the loader enters them. */
struct object { u32 kind, id; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 512);
	MAP_TYPE(key, struct object);
	MAP_TYPE(value, u8);
} our_objects SEC(".maps");

/* The newest records once more: who holds this map can still read them when we are gone. */
#define WORD_SIZE 1024
#define WORDS 8
struct word { char bytes[WORD_SIZE]; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, WORDS);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct word);
} last_words SEC(".maps");
u32 words_said;

INLINE struct ourselves *get_ourselves(void)
{
	u32 zero = 0;
	return bpf_map_lookup_elem(&ourselves, &zero);
}

/* Guarded, and the current process is another? */
INLINE struct ourselves *from_outside(void)
{
	struct ourselves *us = get_ourselves();
	return us && us->tgid && (u32)bpf_get_current_task_btf()->tgid != us->tgid ? us : NULL;
}

/* Whoever runs it is the process that is guarded from then on; it reads its own number, as the kernel counts. */
SEC("iter/task")
int on_ourselves(struct bpf_iter__task *context)
{
	struct ourselves *us = get_ourselves();
	if (context->task || !us) /* once, behind the last task */
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	us->leader = (u64)task->group_leader;
	us->tgid = task->tgid;
	bpf_seq_write(context->meta->seq, &us->tgid, sizeof us->tgid);
	return 0;
}

/* The record of a deed, by the current process. */
GLOBAL int tell(u32 deed, u32 number, u32 object, u32 code)
{
	u32 slot;
	struct scratch *s = claim(FAMILY_GUARD, &slot);
	if (!s)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf(), *parent = task->real_parent;
	struct guard_record *r = (void *)s->bytes;
	FILL_HEAD(r, KIND_GUARD_RECORD, 0, task);
	r->parent_start = parent->group_leader->start_boottime;
	r->parent_exec_id = parent->self_exec_id;
	r->parent_tgid = parent->tgid;
	r->uid = task->cred->uid.val;
	r->deed = deed;
	r->number = number;
	r->object = object;
	r->code = code;
	u32 start = sizeof *r, at = start;
	struct mm_struct *memory = READ(task, mm);
	TAIL(image, memory ? put_path_of(slot, at, &READ(memory, exe_file)->f_path) : at);
	memory = READ(parent, mm);
	TAIL(parent_image, memory ? put_path_of(slot, at, &READ(memory, exe_file)->f_path) : at);
	r->size = at;
	u32 word = __sync_fetch_and_add(&words_said, 1) % WORDS;
	bpf_map_update_elem(&last_words, &word, s->bytes, BPF_ANY);
	return send(&event_ring, FAMILY_GUARD, s, at, r->time);
}

/* ---- signals */

/* What the kernel sends in the course of things: a child ended, a timer ran off, a terminal changed its size. */
INLINE bool is_routine(u32 signal)
{
	const u32 routine = 1u << SIGPIPE | 1u << SIGALRM | 1u << SIGCHLD | 1u << SIGURG | 1u << SIGVTALRM |
			    1u << SIGPROF | 1u << SIGWINCH | 1u << SIGIO;
	return signal < 32 && routine & 1u << signal;
}

/* Every signal of the machine comes by here. */
SEC("tp_btf/signal_generate")
int on_signal(u64 *context) /* signal, its details, the task that gets it */
{
	struct ourselves *us = get_ourselves();
	if (!us || (u32)ARGUMENT(context, 2, struct task_struct *)->tgid != us->tgid || !from_outside())
		return 0;
	u32 signal = context[0];
	u64 details = context[1];
	s32 code = details == SEND_SIG_NOINFO ? SI_USER : SI_KERNEL;
	if (details > SEND_SIG_PRIV)
		code = READ((struct kernel_siginfo *)details, si_code);
	return code > 0 && is_routine(signal) ? 0 : tell(DEED_SIGNAL, signal, 0, code);
}

/* ---- handles on our kernel objects. There is no other door to them, nothing of ours being pinned: whoever wants to read or
 * write a map, detach a link or take a program's place must first get a handle by its id. */

INLINE int handled(u32 command, u32 kind, u32 id)
{
	struct object key = { .kind = kind, .id = id };
	return bpf_map_lookup_elem(&our_objects, &key) ? tell(DEED_BPF, command, id, kind) : 0;
}

/* With the kernel's copy of the arguments: before it is known whether the call succeeds. */
SEC("fentry/security_bpf")
int on_bpf_command(u64 *context) /* command, arguments */
{
	u32 command = context[0], id = 0; /* all arguments of these commands begin with it */
	if (!from_outside() || bpf_probe_read_kernel(&id, sizeof id, (void *)context[1]))
		return 0;
	switch (command) {
	case BPF_PROG_GET_FD_BY_ID: return handled(command, OBJECT_PROGRAM, id);
	case BPF_MAP_GET_FD_BY_ID: return handled(command, OBJECT_MAP, id);
	case BPF_LINK_GET_FD_BY_ID: return handled(command, OBJECT_LINK, id);
	}
	return 0;
}

/* By what the descriptor that the caller got leads to. */
SEC("tracepoint/syscalls/sys_exit_bpf")
int on_bpf(struct sys_exit_context *context)
{
	if (context->ret < 0 || !from_outside())
		return 0;
	u32 command = syscall_argument(0);
	if (command != BPF_PROG_GET_FD_BY_ID && command != BPF_MAP_GET_FD_BY_ID && command != BPF_LINK_GET_FD_BY_ID)
		return 0;
	struct file *file = file_of(context->ret);
	void *object = file ? READ(file, private_data) : NULL;
	if (!object)
		return 0;
	if (command == BPF_PROG_GET_FD_BY_ID) {
		struct bpf_prog_aux *aux = READ((struct bpf_prog *)object, aux);
		return handled(command, OBJECT_PROGRAM, READ(aux, id));
	}
	if (command == BPF_MAP_GET_FD_BY_ID)
		return handled(command, OBJECT_MAP, READ((struct bpf_map *)object, id));
	return handled(command, OBJECT_LINK, READ((struct bpf_link *)object, id));
}

/* ---- access as a debugger has it */

/* Which deed needs the access, by the system call that the current task is in; 0 if it is none to speak of. */
INLINE u32 deed_of(u32 call)
{
	struct pt_regs___x86 *x86 = NULL;
	if (FIELD_EXISTS(x86, orig_ax)) {
		switch (call) {
		case 0: case 17: return 0; /* read, pread64: of /proc/PID/stack and the like */
		case 101: return DEED_TRACE;
		case 310: return DEED_READ;
		case 311: return DEED_WRITE;
		case 2: case 257: case 437: return DEED_OPEN_MEMORY;
		}
	} else {
		switch (call) {
		case 63: case 67: return 0;
		case 117: return DEED_TRACE;
		case 270: return DEED_READ;
		case 271: return DEED_WRITE;
		case 56: case 437: return DEED_OPEN_MEMORY;
		}
	}
	return call == 438 ? DEED_TAKE_DESCRIPTOR : DEED_ACCESS; /* other numbers: io_uring, or a 32-bit call */
}

SEC("fentry/security_ptrace_access_check")
int on_access(u64 *context) /* the task, the mode */
{
	struct ourselves *us = get_ourselves();
	if (!us || (u32)ARGUMENT(context, 0, struct task_struct *)->tgid != us->tgid || !from_outside())
		return 0;
	if (!(context[1] & PTRACE_MODE_ATTACH))
		return 0;
	u32 call = syscall_number(), deed = deed_of(call);
	return deed ? tell(deed, call, 0, 0) : 0;
}

#define THREADS 64

/* Is this a number of one of our threads, as that level of PID namespaces counts? Of as many threads as are looked at. */
GLOBAL bool is_our_number(u32 number, u32 level)
{
	struct ourselves *us = get_ourselves();
	if (!us || level >= MAX_PID_NS_LEVEL)
		return false;
	struct task_struct *thread = (void *)us->leader;
	struct signal_struct *signal = READ(thread, signal);
	struct list_head *end = &signal->thread_head, *at = READ(signal, thread_head.next);
	for (int i = 0; i < THREADS && at != end; i++) {
		thread = (void *)at - FIELD_OFFSET(struct task_struct, thread_node);
		struct pid *pid = READ(thread, thread_pid);
		struct upid *found = (void *)pid + FIELD_OFFSET(struct pid, numbers) + level * SIZE_OF(struct upid);
		if (READ(found, nr) == (s32)number && READ(pid, level) >= level)
			return true;
		at = READ(at, next);
	}
	return false;
}

/* Does the current process, where it lives, call one of our threads by that number? */
INLINE bool calls_us(struct ourselves *us, u32 number)
{
	struct pid *caller = READ(bpf_get_current_task_btf(), thread_pid), *ours = READ((struct task_struct *)us->leader, thread_pid);
	u32 level = READ(caller, level);
	if (level > READ(ours, level) || level >= MAX_PID_NS_LEVEL)
		return false;
	u64 offset = FIELD_OFFSET(struct pid, numbers) + level * SIZE_OF(struct upid);
	struct upid *his = (void *)caller + offset, *mine = (void *)ours + offset;
	return READ(his, ns) == READ(mine, ns) && is_our_number(number, level);
}

SEC("tracepoint/syscalls/sys_exit_ptrace")
int on_ptrace(struct sys_exit_context *context)
{
	u64 request = syscall_argument(0);
	struct ourselves *us = context->ret == 0 && (request == PTRACE_ATTACH || request == PTRACE_SEIZE) ? from_outside() : NULL;
	if (!us)
		return 0;
	struct list_head *newest = READ(bpf_get_current_task_btf(), ptraced.next);
	struct task_struct *task = (void *)newest - FIELD_OFFSET(struct task_struct, ptrace_entry);
	return (u32)READ(task, tgid) == us->tgid ? tell(DEED_TRACE, syscall_number(), 0, 0) : 0;
}

#define ON_MEMORY(name, deed) \
SEC("tracepoint/syscalls/sys_exit_" #name) \
int on_##name(struct sys_exit_context *context) \
{ \
	struct ourselves *us = context->ret >= 0 ? from_outside() : NULL; \
	return us && calls_us(us, syscall_argument(0)) ? tell(deed, syscall_number(), 0, 0) : 0; \
}
ON_MEMORY(process_vm_readv, DEED_READ)
ON_MEMORY(process_vm_writev, DEED_WRITE)

/* The first argument stands for a process: since 6.9 by the inode of its file, before by the file. */
SEC("tracepoint/syscalls/sys_exit_pidfd_getfd")
int on_pidfd_getfd(struct sys_exit_context *context)
{
	struct file *file = context->ret >= 0 && from_outside() ? file_of((s32)syscall_argument(0)) : NULL;
	if (!file)
		return 0;
	struct inode *inode = READ(file, f_inode);
	struct super_block *super = READ(inode, i_sb);
	struct pid *pid = READ(super, s_magic) == PID_FS_MAGIC ? READ(inode, i_private) : READ(file, private_data);
	struct upid *outermost = (void *)pid + FIELD_OFFSET(struct pid, numbers);
	return is_our_number(READ(outermost, nr), 0) ? tell(DEED_TAKE_DESCRIPTOR, syscall_number(), 0, 0) : 0;
}
