// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* BPF programs that come into the kernel, and those that are attached by bpf(2). */
#include "objects.bpf.h"

GLOBAL int program_came(u64 program_address, u32 command, u32 attach_type, u64 to)
{
	u32 slot;
	struct scratch *s = watched(FAMILY_BPF) ? claim(FAMILY_BPF, &slot) : NULL;
	if (!s)
		return 0;
	struct bpf_prog *program = (void *)program_address;
	struct bpf_prog_aux *aux = READ(program, aux);
	struct program_record *r = (void *)s->bytes;
	FILL_HEAD(r, KIND_PROGRAM_RECORD, 0, bpf_get_current_task_btf());
	bpf_probe_read_kernel(&r->tag, sizeof r->tag, &program->tag);
	r->uid = bpf_get_current_uid_gid();
	r->command = command;
	r->id = READ(aux, id);
	r->type = READ(program, type);
	r->attach_type = command == BPF_PROG_LOAD ? READ(program, expected_attach_type) : attach_type;
	u32 start = sizeof *r, at = start;
	TAIL(name, put_string(s, at, NAME_SIZE, aux->name));
	TAIL(function, put_string(s, at, NAME_SIZE, READ(aux, attach_func_name)));
	TAIL(tracepoint, to ? put_user_string(s, at, NAME_SIZE, (void *)to) : at);
	r->size = at;
	return send(&event_ring, FAMILY_BPF, s, at, r->time);
}

/* The kernel announces each program that it has taken, whatever way it came. */
SEC("fentry/perf_event_bpf_event")
int on_program(u64 *context) /* the program, what became of it */
{
	u64 program;
	if (!wanted(FAMILY_BPF) || (u32)context[1] != PERF_BPF_EVENT_PROG_LOAD)
		return 0;
	bpf_probe_read_kernel(&program, sizeof program, context);
	return program_came(program, BPF_PROG_LOAD, 0, 0);
}

/* The program behind a descriptor of the current process; 0 if it has none. */
INLINE u64 program_of(s64 descriptor)
{
	struct file *file = file_of(descriptor);
	return file ? (u64)READ(file, private_data) : 0;
}

SEC("tracepoint/syscalls/sys_exit_bpf")
int on_program_load(struct sys_exit_context *context)
{
	if (!wanted(FAMILY_BPF) || context->ret < 0 || (u32)syscall_argument(0) != BPF_PROG_LOAD)
		return 0;
	u64 program = program_of(context->ret);
	return program ? program_came(program, BPF_PROG_LOAD, 0, 0) : 0;
}

/* How bpf(2) is asked to attach: the beginnings of its arguments. */
union attaching {
	struct { u32 program, target, type; } link;
	struct { u64 name; u32 program; } tracepoint;
	struct { u32 target, program, type; } attach;
};

AT_END_OF(bpf, on_program_attach)
{
	if (!wanted(FAMILY_BPF) || result < 0)
		return 0;
	u32 command = syscall_argument(0), descriptor, type = 0;
	union attaching arguments;
	if (command != BPF_LINK_CREATE && command != BPF_RAW_TRACEPOINT_OPEN && command != BPF_PROG_ATTACH)
		return 0;
	if (bpf_probe_read_user(&arguments, sizeof arguments, (void *)syscall_argument(1)))
		return 0;
	u64 name = 0;
	if (command == BPF_LINK_CREATE) {
		descriptor = arguments.link.program;
		type = arguments.link.type;
	} else if (command == BPF_PROG_ATTACH) {
		descriptor = arguments.attach.program;
		type = arguments.attach.type;
	} else {
		descriptor = arguments.tracepoint.program;
		name = arguments.tracepoint.name;
	}
	u64 program = program_of(descriptor);
	return program ? program_came(program, command, type, name) : 0;
}
