/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* How records leave the kernel: two rings, a throttled wake-up, exact counts. */
#pragma once
#include "pushdown.bpf.h"

/* Process records have a ring of their own: the process table above must not lose one. What the reader cannot judge at once
 * it takes into its own memory, so they need not be larger than what comes between two of its looks. */
struct { MAP_NUMBER(type, BPF_MAP_TYPE_RINGBUF); MAP_NUMBER(max_entries, 1 << 22); } process_ring SEC(".maps");
struct { MAP_NUMBER(type, BPF_MAP_TYPE_RINGBUF); MAP_NUMBER(max_entries, 1 << 23); } event_ring SEC(".maps");

/* Per family: records that were due, those for which a ring had no room, and those that no rule can keep.
 * due - lost - pushed_down = sent. */
struct count { u64 due, lost, pushed_down; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_NUMBER(max_entries, FAMILY_COUNT);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct count);
} counts SEC(".maps");

/* A wake-up costs four times what a record costs: one in this time is enough, the reader polls between. Who asks what
 * becomes of a new program waits less: until the answer is there, all that it does comes up. So do those for whom nobody
 * could be woken when they began. */
#define WAKE_UP_EVERY 20000000ull /* ns */
#define ASK_EVERY 2000000ull
#define ASK_AGAIN 10000000ull
#define MUCH_WAITS (1 << 20)      /* bytes of a ring */
u64 last_wake_up, last_ask;

INLINE void tally(u32 family, bool lost)
{
	struct count *count = bpf_map_lookup_elem(&counts, &family);
	if (count) {
		count->due++;
		count->lost += lost;
	}
}

/* What becomes of a record, by that process, that no rule can keep: true if it ends here, counted. In shadow mode, which is
 * for tests, it goes up with a mark. */
INLINE bool pushed_down(u32 family, u32 tgid)
{
	struct settings *s = get_settings();
	struct count *count = bpf_map_lookup_elem(&counts, &family);
	if (!s || !count || s->pushdown & PUSHDOWN_SHADOW || tgid == s->spared)
		return false;
	count->due++;
	count->pushed_down++;
	return true;
}

INLINE u64 wake_up_flag(void *ring, u64 now, u32 mark)
{
	struct settings *s = get_settings();
	u32 reader = s ? s->reader : READER_EAGER;
	if (reader == READER_ASLEEP) {
		s->reader = READER_PATIENT; /* until it lies down again, it comes by itself */
	} else if (mark & PUSHDOWN_ASKS && now - last_ask >= (mark & ASKS_NOW ? ASK_EVERY : ASK_AGAIN)) {
		last_ask = now;
	} else {
		if (now - last_wake_up < WAKE_UP_EVERY)
			return BPF_RB_NO_WAKEUP;
		if (reader == READER_PATIENT && bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) < MUCH_WAITS)
			return BPF_RB_NO_WAKEUP;
	}
	last_wake_up = now;
	return BPF_RB_FORCE_WAKEUP;
}

/* Room for a record of fixed size; returns from the caller if there is none. One test of the pointer only: before 6.2
 * the verifier does not know at a second one what the first has shown. */
#define RESERVE(type, name, ring, family) \
	struct type *name = bpf_ringbuf_reserve(&ring, sizeof *name, 0); \
	if (!name) { \
		tally(family, true); \
		return 0; \
	} \
	tally(family, false)

/* The members that open every record; every struct of records.gen.h begins with them. */
#define FILL_HEAD(record, kind_, size_, task) do { \
	(record)->kind = kind_; \
	(record)->cpu = bpf_get_smp_processor_id(); \
	(record)->size = size_; \
	(record)->time = bpf_ktime_get_boot_ns(); \
	(record)->start = (task)->group_leader->start_boottime; \
	(record)->exec_id = (task)->self_exec_id; \
	(record)->tgid = (task)->tgid; \
	(record)->tid = (task)->pid; \
} while (0)

/* Records with tails are put together here. A CPU has two slots, because a program may be preempted by another on the
 * same CPU, and a map of per-CPU values could not be this large. */
#define SCRATCH_SIZE (64 * 1024)
#define ARGS_LIMIT (32 * 1024)
#define TAILS_LIMIT (SCRATCH_SIZE - ARGS_LIMIT - 4096) /* no tail but the arguments begins behind this */
#define SLOTS_PER_CPU 2
struct scratch { u64 taken, last; u32 mark, number; struct part part; char bytes[SCRATCH_SIZE]; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 1); /* the loader sets SLOTS_PER_CPU for each possible CPU */
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct scratch);
} scratches SEC(".maps");

/* Are there records of this family that may be dropped here? */
INLINE bool may_go(u32 family) { return family != FAMILY_PROCESS && family != FAMILY_FORK && family != FAMILY_GUARD; }

/* A free slot, marked as taken, for a record of the current process. NULL, and the record counted, if nothing is kept of what
 * it does, or no slot is free. `send` gives it back. */
INLINE struct scratch *claim(u32 family, u32 *slot)
{
	u32 mark = may_go(family) ? mark_of_current(family) : 0;
	if (mark & PUSHDOWN_MARK && pushed_down(family, bpf_get_current_pid_tgid() >> 32))
		return NULL;
	u32 first = bpf_get_smp_processor_id() * SLOTS_PER_CPU;
	for (u32 i = 0; i < SLOTS_PER_CPU; i++) {
		*slot = first + i;
		struct scratch *s = bpf_map_lookup_elem(&scratches, slot);
		if (s && __sync_val_compare_and_swap(&s->taken, 0, 1) == 0) {
			s->mark = mark;
			return s;
		}
	}
	tally(family, true);
	return NULL;
}

/* Sends the first `end` bytes of the scratch and frees its slot. */
INLINE int send(void *ring, u32 family, struct scratch *s, u32 end, u64 now)
{
	PIN(end);
	if (end > SCRATCH_SIZE)
		end = SCRATCH_SIZE;
	((struct exit_record *)s->bytes)->cpu |= s->mark;
	tally(family, bpf_ringbuf_output(ring, s->bytes, end, wake_up_flag(ring, now, s->mark)) != 0);
	s->taken = 0;
	return 0;
}

/* ---- tails: each function appends at `at` and returns the new end */

INLINE u32 put_string(struct scratch *s, u32 at, u32 limit, const void *from)
{
	PIN(at);
	if (at > TAILS_LIMIT)
		return at;
	long size = bpf_probe_read_kernel_str(s->bytes + at, limit, from);
	return size > 0 ? at + size : at;
}

INLINE u32 put_user_string(struct scratch *s, u32 at, u32 limit, const void *from)
{
	PIN(at);
	if (at > TAILS_LIMIT)
		return at;
	long size = bpf_probe_read_user_str(s->bytes + at, limit, from);
	return size > 0 ? at + size : at;
}

#define PATH_DEPTH 128
#define NAME_SIZE 256 /* NAME_MAX and its NUL */

/* On the way from a file up to the root; addresses and numbers alone. */
struct climb {
	struct dentry *dentry, *root; /* where it stands, and the root of what is mounted there */
	struct mount *mount;
	u32 slot, at; /* where the path is put */
	bool first, whole;
};

/* One step: puts a component, or passes over to what is mounted above. Is it the last one? */
INLINE bool climb_on(struct scratch *s, struct climb *c)
{
	struct dentry *parent = READ(c->dentry, d_parent);
	bool first = c->first;
	c->first = false;
	if (c->dentry == c->root || c->dentry == parent) {
		struct mount *above = READ(c->mount, mnt_parent);
		if (c->dentry == c->root && above != c->mount) {
			c->dentry = READ(c->mount, mnt_mountpoint);
			c->mount = above;
			c->root = READ(above, mnt.mnt_root);
			return false;
		}
		if (first && c->dentry != c->root) /* an object without a place, such as a memfd: its name alone */
			c->at = put_string(s, c->at, NAME_SIZE, READ(c->dentry, d_name.name));
		return c->whole = true;
	}
	u32 at = c->at;
	PIN(at); /* the same range at every turn, or the verifier walks each length apart */
	if (at > TAILS_LIMIT)
		return true;
	long size = bpf_probe_read_kernel_str(s->bytes + at, NAME_SIZE, READ(c->dentry, d_name.name));
	if (size <= 0)
		return true;
	c->at = at + size;
	c->dentry = parent;
	return false;
}

static __attribute__((noinline, unused)) long climb_once(u64 turn __attribute__((unused)), void *context)
{
	struct climb *c = context;
	u32 slot = c->slot;
	struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);
	return !s || climb_on(s, c);
}

/* A path, leaf to root, each component ended by NUL, across mounts up to the root of the mount namespace. Of a deeper one
 * the last component is "...": cut off in silence it would pass for another path.
 * Checked once by the verifier, which is why it takes plain numbers; and every step of it only once where the kernel can. */
GLOBAL u32 put_path(u32 slot, u32 at, u64 dentry_address, u64 vfsmount_address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);
	if (!s)
		return at;
	struct mount *mount = (void *)vfsmount_address - FIELD_OFFSET(struct mount, mnt);
	struct climb c = {
		.dentry = (void *)dentry_address, .root = READ(mount, mnt.mnt_root), .mount = mount,
		.slot = slot, .at = at, .first = true,
	};
	if (CAN_LOOP)
		bpf_loop(PATH_DEPTH, climb_once, &c, 0);
	else
		for (int i = 0; i < PATH_DEPTH && !climb_on(s, &c); i++)
			;
	at = c.at;
	PIN(at);
	if (c.whole || at > TAILS_LIMIT + NAME_SIZE)
		return at;
	__builtin_memcpy(s->bytes + at, "...", 4);
	return at + 4;
}

INLINE u32 put_path_of(u32 slot, u32 at, struct path *path)
{
	return put_path(slot, at, (u64)READ(path, dentry), (u64)READ(path, mnt));
}

/* A byte of the scratch. Compilers that know how far `position` goes would leave out the mask, which the verifier needs. */
INLINE char byte_at(struct scratch *s, u32 position)
{
	PIN(position);
	return s->bytes[position & (SCRATCH_SIZE - 1)];
}

INLINE char lower(char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; }

/* What the first `size` bytes of the part that stands in the scratch say. */
INLINE u32 part_bits(struct scratch *s, u32 kind, u32 size)
{
	s->part.kind = kind;
	s->part.size = size;
	u32 *bits = bpf_map_lookup_elem(&parts, &s->part);
	return bits ? *bits : 0;
}

/* Can nothing be kept of a path, which stands at `start` to `end` as put_path wrote it, for its directories or its end? */
GLOBAL u32 path_refused(u32 slot, u32 family, u32 start, u32 end)
{
	struct settings *settings_now = get_settings();
	struct approval *approval = settings_now ? approval_of(settings_now, family) : NULL;
	struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);
	if (!s || !approval || !approval->events || end > SCRATCH_SIZE || start + 2 > end)
		return 0;
	/* Perhaps the dots are put_path's: where the path begins is not known then. */
	if (byte_at(s, end - 2) == '.' && byte_at(s, end - 3) == '.' && byte_at(s, end - 4) == '.')
		return 0;
	/* Numbers that have been in memory are unknown to the verifier: of known ones it walks each apart. */
	volatile u32 *number = &s->number;
	*number = 0;
	u32 found = *number;
	s->part.generation = settings_now->generation;
	s->part.family = family;
	__builtin_memset(s->part.bytes, 0, PART_SIZE);
	u64 lengths = approval->directory_lengths;
	for (u32 i = 0; lengths && i < PART_SIZE; i++) {
		u32 position = end - 1 - i;
		if (position < start || position >= end)
			break;
		char c = byte_at(s, position);
		if (!c && lengths >> i & 1)
			found |= part_bits(s, PART_DIRECTORY, i);
		s->part.bytes[i] = lower(c);
	}
	lengths = approval->ending_lengths;
	PIN(start);
	if (start > TAILS_LIMIT)
		return 0;
	/* Onto itself: the helper counts, and what it writes stands there already. A loop of ours would be walked step by step. */
	long size = lengths ? bpf_probe_read_kernel_str(s->bytes + start, NAME_SIZE, s->bytes + start) : 0;
	u32 name = size > 0 ? size - 1 : 0;
	__builtin_memset(s->part.bytes, 0, PART_SIZE);
	for (u32 i = 0; i < PART_SIZE - 1; i++) {
		if (i >= name)
			break;
		s->part.bytes[i] = lower(byte_at(s, start + name - 1 - i));
		if (lengths >> (i + 1) & 1)
			found |= part_bits(s, PART_ENDING, i + 1);
	}
	u32 unmade = (approval->needed & ~MAKES(found)) | UNMAKES(found);
	return (unmade & approval->events) == approval->events;
}

/* As `send`, for a record that ends with the whole path of a file, which may decide: it begins at `path`. */
INLINE int send_file(void *ring, u32 family, u32 slot, struct scratch *s, u32 path, u32 end, u64 now)
{
	if (path_refused(slot, family, path, end)) {
		if (pushed_down(family, bpf_get_current_pid_tgid() >> 32)) {
			s->taken = 0;
			return 0;
		}
		s->mark |= PUSHDOWN_MARK;
	}
	return send(ring, family, s, end, now);
}

/* Closes a tail: notes its length in the record. Needs `at` and `start` in the function. */
#define TAIL(member, end) do { at = end; r->member##_len = at - start; start = at; } while (0)
