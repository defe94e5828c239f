/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The kernel's BPF helpers by their numbers (bpf-helpers(7); the numbers are ABI), and how sections and maps are declared. */
#pragma once
#include "kernel.bpf.h"

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline, unused))
#define GLOBAL __attribute__((noinline))          /* a function that the verifier checks once, not at every call */
#define HELPER(type, name, number, ...) \
	static __attribute__((unused)) type (*const name)(__VA_ARGS__) = (type (*)(__VA_ARGS__))number

HELPER(void *, bpf_map_lookup_elem, 1, void *map, const void *key);
HELPER(long, bpf_map_update_elem, 2, void *map, const void *key, const void *value, u64 flags);
HELPER(long, bpf_map_delete_elem, 3, void *map, const void *key);
HELPER(u32, bpf_get_smp_processor_id, 8, void);
HELPER(u64, bpf_get_current_pid_tgid, 14, void);
HELPER(u64, bpf_get_current_uid_gid, 15, void);
HELPER(u64, bpf_get_current_cgroup_id, 80, void);
HELPER(long, bpf_probe_read_user, 112, void *to, u32 size, const void *from);
HELPER(long, bpf_probe_read_kernel, 113, void *to, u32 size, const void *from);
HELPER(long, bpf_probe_read_user_str, 114, void *to, u32 size, const void *from);
HELPER(long, bpf_probe_read_kernel_str, 115, void *to, u32 size, const void *from);
HELPER(u64, bpf_get_current_ancestor_cgroup_id, 123, int level);
HELPER(u64, bpf_ktime_get_boot_ns, 125, void);
HELPER(long, bpf_seq_write, 127, struct seq_file *seq, const void *data, u32 size);
HELPER(long, bpf_ringbuf_output, 130, void *ring, void *data, u64 size, u64 flags);
HELPER(void *, bpf_ringbuf_reserve, 131, void *ring, u64 size, u64 flags);
HELPER(u64, bpf_ringbuf_query, 134, void *ring, u64 what);
HELPER(void, bpf_ringbuf_submit, 132, void *data, u64 flags);
HELPER(long, bpf_get_task_stack, 141, struct task_struct *task, void *to, u32 size, u64 flags);
HELPER(struct task_struct *, bpf_get_current_task_btf, 158, void);
HELPER(struct pt_regs *, bpf_task_pt_regs, 175, struct task_struct *task);
HELPER(long, bpf_find_vma, 180, struct task_struct *task, u64 address, void *found, void *context, u64 flags);
HELPER(long, bpf_loop, 181, u32 turns, void *step, void *context, u64 flags); /* since 5.17: ask CAN_LOOP */

/* Map declarations that libbpf reads from BTF. */
#define MAP_NUMBER(name, value) int (*name)[value]
#define MAP_TYPE(name, type) type *name

/* One field of a kernel object behind a pointer that the verifier does not know. */
#define READ(object, field) ({ \
	__typeof__((object)->field) value_; \
	bpf_probe_read_kernel(&value_, sizeof value_, &(object)->field); \
	value_; })
/* The same behind one that it knows: what a hook hands over, and what can be reached from there. One instruction, where
 * READ takes a call. */
#define LOAD(object, field) ((object)->field)
#define FIELD_EXISTS(object, field) __builtin_preserve_field_info((object)->field, 2)
#define TYPE_EXISTS(type) __builtin_preserve_type_info(*(type *)0, 0)
#define CAN_LOOP __builtin_preserve_enum_value(*(enum bpf_func_id *)BPF_FUNC_loop, 0)
#define SIZE_OF(type) ((u32)__builtin_preserve_type_info(*(type *)0, 1))
#define FIELD_OFFSET(type, field) __builtin_preserve_field_info(((type *)0)->field, 0)

/* Keeps the compiler from moving a bound away from its use, where the verifier would no longer see it. */
#define PIN(value) __asm__ volatile("" : "+r"(value))
#define SWAP16(value) __builtin_bswap16(value)

/* A tp_btf program gets its arguments as an array of 64-bit words. */
#define ARGUMENT(context, number, type) ((type)(context)[number])

/* The first of them as a number, to be computed with: of what it knows as a pointer the verifier allows little. */
INLINE u64 first_word(u64 *context)
{
	u64 word = 0;
	bpf_probe_read_kernel(&word, sizeof word, context);
	return word;
}
