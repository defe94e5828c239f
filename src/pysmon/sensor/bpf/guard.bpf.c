// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Who reaches for the sensor itself: signals to its process, handles on its kernel objects (access.bpf.c: to its memory).
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
