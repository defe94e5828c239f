// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Names that the C library is asked for, wherever it gets the answer from: breakpoints in its file. */
#pragma once
#include "objects.bpf.h"

/* What a thread is looking up. A library calls its own functions: the outermost call counts, told by its stack. */
struct look_up { u64 start, stack, name, result, error; u32 call, unused; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_TYPE(key, u64); /* thread */
	MAP_TYPE(value, struct look_up);
} look_ups SEC(".maps");

INLINE u64 process_start(void)
{
	return bpf_get_current_task_btf()->group_leader->start_boottime;
}

/* The look-up that the current thread is in, or NULL. */
INLINE struct look_up *current_look_up(void)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct look_up *found = bpf_map_lookup_elem(&look_ups, &thread);
	return found && found->start == process_start() ? found : NULL;
}

/* A register of the program, each machine's apart: merged, the compiler computes the offset, and the verifier takes constants
 * only. */
#define REGISTER(context, x86_name, arm64_name) ({ \
	struct pt_regs___x86 *x86_ = context; \
	struct pt_regs___arm64 *arm64_ = context; \
	u64 value_; \
	if (FIELD_EXISTS(x86_, x86_name)) { \
		value_ = x86_->x86_name; \
		PIN(value_); \
	} else { \
		value_ = arm64_->arm64_name; \
		PIN(value_); \
	} \
	value_; })

/* Argument `n` (0-6) of a function that has just been entered. */
INLINE u64 function_argument(void *context, int n)
{
	switch (n) {
	case 0: return REGISTER(context, di, regs[0]);
	case 1: return REGISTER(context, si, regs[1]);
	case 2: return REGISTER(context, dx, regs[2]);
	case 3: return REGISTER(context, cx, regs[3]);
	case 4: return REGISTER(context, r8, regs[4]);
	case 5: return REGISTER(context, r9, regs[5]);
	}
	struct pt_regs___x86 *x86 = context;
	u64 value = REGISTER(context, sp, regs[6]);
	if (FIELD_EXISTS(x86, sp)) /* the seventh stands above the return address */
		bpf_probe_read_user(&value, sizeof value, (void *)value + 8);
	return value;
}

INLINE int begin_look_up(void *context, u32 call, u64 name, u64 result, u64 error)
{
	struct look_up begun = {
		.start = process_start(), .stack = REGISTER(context, sp, sp), .name = name, .result = result, .error = error,
		.call = call,
	};
	struct look_up *outer = current_look_up();
	if (outer && begun.stack < outer->stack)
		return 0;
	u64 thread = bpf_get_current_pid_tgid();
	bpf_map_update_elem(&look_ups, &thread, &begun, BPF_ANY);
	return 0;
}

/* The look-up that ends with the function that has just returned, whose stack is shorter now by at most an address. */
INLINE bool finish_look_up(void *context, u32 call, struct look_up *finished)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct look_up *begun = current_look_up();
	if (!begun || begun->call != call || REGISTER(context, sp, sp) < begun->stack)
		return false;
	*finished = *begun;
	bpf_map_delete_elem(&look_ups, &thread);
	return true;
}

#define ADDRESSES 64
#define CANONICAL_SIZE 256
#define LOOK_UP_NAME_SIZE 1024
struct told_address { u16 family; u8 bytes[16]; };

/* Always the same range, or the verifier walks each number of addresses apart. */
#define ROOM_AT(at) ({ PIN(at); at &= 0x7fff; at <= TAILS_LIMIT; })

INLINE u32 put_address(struct scratch *s, u32 at, u16 family, u64 from)
{
	struct told_address *told = (void *)s->bytes + at;
	u32 size = family == AF_INET6 ? 16 : 4;
	PIN(size);
	if (size > 16)
		return at;
	told->family = family;
	__builtin_memset(told->bytes, 0, sizeof told->bytes);
	return bpf_probe_read_user(told->bytes, size, (void *)from) ? at : at + sizeof *told;
}

/* netdb.h, in glibc and musl alike */
struct addrinfo { s32 flags, family, kind, protocol; u32 size, unused; u64 address, canonical, next; };
struct hostent { u64 name, aliases; s32 family, size; u64 addresses; };
enum { AI_NUMERICHOST = 4 };

/* Once for each kind of socket comes every address; the first kind is enough. */
GLOBAL u32 put_address_list(u32 slot, u32 at, u64 first)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);
	if (!s)
		return at;
	struct addrinfo each;
	s32 kind = 0;
	u64 next = first;
	for (int i = 0; i < ADDRESSES; i++) {
		if (!next || !ROOM_AT(at) || bpf_probe_read_user(&each, sizeof each, (void *)next))
			break;
		if (i == 0)
			kind = each.kind;
		next = each.next;
		if (each.kind == kind && (each.family == AF_INET || each.family == AF_INET6))
			at = put_address(s, at, each.family, each.address + (each.family == AF_INET ? 4 : 8));
	}
	return at;
}

GLOBAL u32 put_address_array(u32 slot, u32 at, u64 array, u32 family)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);
	if (!s)
		return at;
	for (int i = 0; i < ADDRESSES; i++) {
		u64 address = 0;
		if (!ROOM_AT(at) || bpf_probe_read_user(&address, sizeof address, (void *)array + i * 8) || !address)
			break;
		at = put_address(s, at, family, address);
	}
	return at;
}

#define FILL_LOOK_UP(r, look_up, result_) do { \
	FILL_HEAD(r, KIND_LOOK_UP_RECORD, 0, bpf_get_current_task_btf()); \
	(r)->uid = bpf_get_current_uid_gid(); \
	(r)->result = result_; \
	(r)->call = (look_up).call; \
} while (0)

/* int getaddrinfo(name, service, hints, list) */
SEC("uprobe")
int on_getaddrinfo(void *context)
{
	u64 name = function_argument(context, 0), hints = function_argument(context, 2);
	if (!name || !watched(FAMILY_DNS))
		return 0;
	s32 flags = 0;
	if (hints)
		bpf_probe_read_user(&flags, sizeof flags, (void *)hints);
	if (flags & AI_NUMERICHOST) /* an address is wanted to be read, nobody is asked */
		return 0;
	return begin_look_up(context, CALL_GETADDRINFO, name, function_argument(context, 3), 0);
}

SEC("uretprobe")
int on_getaddrinfo_end(void *context)
{
	struct look_up done;
	u32 slot;
	struct scratch *s = finish_look_up(context, CALL_GETADDRINFO, &done) ? claim(FAMILY_DNS, &slot) : NULL;
	if (!s)
		return 0;
	struct look_up_record *r = (void *)s->bytes;
	FILL_LOOK_UP(r, done, (s32)REGISTER(context, ax, regs[0]));
	struct addrinfo first = {};
	u64 list = 0;
	if (!r->result && !bpf_probe_read_user(&list, sizeof list, (void *)done.result))
		bpf_probe_read_user(&first, sizeof first, (void *)list);
	u32 start = sizeof *r, at = start;
	TAIL(name, put_user_string(s, at, LOOK_UP_NAME_SIZE, (void *)done.name));
	TAIL(canonical, first.canonical ? put_user_string(s, at, CANONICAL_SIZE, (void *)first.canonical) : at);
	TAIL(addresses, put_address_list(slot, at, list));
	r->size = at;
	return send(&event_ring, FAMILY_DNS, s, at, r->time);
}

/* int gethostbyname_r(name, host, buffer, size, result, error); the other functions of its kind call it or the next one */
SEC("uprobe")
int on_gethostbyname(void *context)
{
	u64 name = function_argument(context, 0);
	if (!name || !watched(FAMILY_DNS))
		return 0;
	return begin_look_up(context, CALL_GETHOSTBYNAME, name, function_argument(context, 4), function_argument(context, 5));
}

/* int gethostbyname2_r(name, family, host, buffer, size, result, error) */
SEC("uprobe")
int on_gethostbyname2(void *context)
{
	u64 name = function_argument(context, 0);
	if (!name || !watched(FAMILY_DNS))
		return 0;
	return begin_look_up(context, CALL_GETHOSTBYNAME, name, function_argument(context, 5), function_argument(context, 6));
}

enum { ERANGE = 34 };

SEC("uretprobe")
int on_gethostbyname_end(void *context)
{
	struct look_up done;
	u32 slot;
	if (!finish_look_up(context, CALL_GETHOSTBYNAME, &done) || (s32)REGISTER(context, ax, regs[0]) == ERANGE) /* that: asked again at once */
		return 0;
	struct scratch *s = claim(FAMILY_DNS, &slot);
	if (!s)
		return 0;
	u64 found = 0;
	s32 error = 0;
	struct hostent host = {};
	bpf_probe_read_user(&found, sizeof found, (void *)done.result);
	if (found)
		bpf_probe_read_user(&host, sizeof host, (void *)found);
	else
		bpf_probe_read_user(&error, sizeof error, (void *)done.error);
	struct look_up_record *r = (void *)s->bytes;
	FILL_LOOK_UP(r, done, error);
	u32 start = sizeof *r, at = start;
	TAIL(name, put_user_string(s, at, LOOK_UP_NAME_SIZE, (void *)done.name));
	TAIL(canonical, host.name ? put_user_string(s, at, CANONICAL_SIZE, (void *)host.name) : at);
	TAIL(addresses, host.addresses ? put_address_array(slot, at, host.addresses, host.family) : at);
	r->size = at;
	return send(&event_ring, FAMILY_DNS, s, at, r->time);
}
