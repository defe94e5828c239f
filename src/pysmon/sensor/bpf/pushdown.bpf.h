/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What no rule can keep ends here, counted, before anything is sent: pushdown.py derives and writes what stands in these
 * maps. In doubt a record goes up: every look that finds nothing lets it pass. */
#pragma once
#include "scope.bpf.h"

/* Of a family. */
struct approval {
	u64 directory_lengths, ending_lengths; /* bit n: there are parts of n bytes */
	u32 events;   /* bit 2n for each event that a record of the family makes; 0: paths decide nothing */
	u32 needed;   /* bit 2n for those of them that a path without any part cannot make */
	u32 by_actor; /* who acts may decide */
	u32 by_port;  /* ports decide */
};
#define MAKES(bits) ((bits) & 0x55555555u)          /* what a part of a path says: event n needs such a part, */
#define UNMAKES(bits) ((bits) >> 1 & 0x55555555u)   /* or is not made of a path that has it */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 2 * FAMILY_COUNT); /* of even and of odd generations */
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct approval);
} approvals SEC(".maps");

/* Parts of paths, read backwards: "hcs.\0..." for the end of a name, "\0rsu\0bil" for the directory /usr/lib/. */
#define PART_SIZE 64
enum { PART_DIRECTORY = 0, PART_ENDING = 1 };
struct part { u32 generation; u8 family, kind, size, unused; char bytes[PART_SIZE]; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(map_flags, BPF_F_NO_PREALLOC);
	MAP_NUMBER(max_entries, PARTS_LIMIT);
	MAP_TYPE(key, struct part);
	MAP_TYPE(value, u32);
} parts SEC(".maps");

/* Ports that may pass, a bit each: by generation, side, who began the connection, and protocol. */
struct port_set { u8 bits[8192]; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 16);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct port_set);
} port_sets SEC(".maps");

/* Programs by their paths as exec records them; numbered by the user side when they are first told of. */
#define IMAGE_SIZE 256
struct image_path { char bytes[IMAGE_SIZE]; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(map_flags, BPF_F_NO_PREALLOC);
	MAP_NUMBER(max_entries, IMAGES_LIMIT);
	MAP_TYPE(key, struct image_path);
	MAP_TYPE(value, u32);
} images SEC(".maps");

/* Which of these a process runs. It holds for one program of one process: another number of either is another one. */
struct running { u64 start, exec_id; u32 image, unused; u64 whose, answer; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 16384);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct running);
} running SEC(".maps");

/* Of which families nothing is kept of what that program does for that user, as bits, the same of connections WITHIN the
 * machine, of the begin of its processes (BRIEF), and that it is ANSWERED. Without that bit it was asked for: by a record
 * with the mark PUSHDOWN_ASKS, which the user side answers for all families at once. */
struct actor { u32 image, uid, generation; };
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 8192);
	MAP_TYPE(key, struct actor);
	MAP_TYPE(value, u32);
} answers SEC(".maps");
#define ASKS_NOW (1u << 16) /* beyond what is sent of a mark: the reader is to be woken for the answer */

/* What is in force for the family; NULL if everything goes up. */
INLINE struct approval *approval_of(const struct settings *s, u32 family)
{
	u32 index = (s->generation & 1) * FAMILY_COUNT + family;
	return s->generation ? bpf_map_lookup_elem(&approvals, &index) : NULL;
}

INLINE struct running *running_of(struct task_struct *task)
{
	u32 tgid = task->tgid;
	struct running *found = bpf_map_lookup_elem(&running, &tgid);
	return found && found->start == task->group_leader->start_boottime && found->exec_id == task->self_exec_id ? found : NULL;
}

/* The number of the program that the task runs, which may be that of several processes; 0 if there is none. */
INLINE u32 image_of(struct task_struct *task)
{
	struct running *found = running_of(task);
	return found ? found->image : 0;
}

/* The mark of a record of what nobody has a number for, while numbers are given. */
INLINE u32 mark_of_unknown(const struct settings *s) { return s->pushdown & PUSHDOWN_ASKING ? PUSHDOWN_ASKS : 0; }

/* What is known of that program and that user, and how the record asks as long as nothing is. */
struct answer { u32 bits, asks; };
INLINE struct answer answer_of(const struct settings *s, u32 image, u32 uid)
{
	struct answer found = {};
	if (!image) {
		found.asks = mark_of_unknown(s);
		return found;
	}
	struct actor actor = { .image = image, .uid = uid, .generation = s->generation };
	u32 *known = bpf_map_lookup_elem(&answers, &actor);
	if (known) {
		found.bits = *known;
		found.asks = found.bits & PUSHDOWN_ANSWERED ? 0 : PUSHDOWN_ASKS;
		return found;
	}
	u32 asked = 0;
	bpf_map_update_elem(&answers, &actor, &asked, BPF_NOEXIST); /* an answer may have come meanwhile */
	found.asks = PUSHDOWN_ASKS | ASKS_NOW;
	return found;
}

/* The mark of a record of what that program does for that user: PUSHDOWN_MARK if nothing of the family is kept of it;
 * for FAMILY_PROCESS PUSHDOWN_BRIEF, which is not sent, if nothing is of its begin. */
INLINE u32 mark_by(struct answer answer, u32 family)
{
	if (family == FAMILY_PROCESS)
		return answer.bits & PUSHDOWN_ANSWERED ? answer.bits & PUSHDOWN_BRIEF : answer.asks;
	return answer.bits & 1u << family ? PUSHDOWN_MARK : answer.asks;
}

INLINE u32 mark_of(const struct settings *s, u32 family, u32 image, u32 uid)
{
	return mark_by(answer_of(s, image, uid), family);
}

/* What was answered of that program and that user in this generation; 0 if nothing was. It does not change as long, so it is noted
 * beside the number of the program. Several may write the note at once, and the kernel may give the place to another process
 * meanwhile: it counts only where both its words name the same user, program and generation. */
INLINE u32 answered(struct running *running, u32 image, u32 uid, u32 generation)
{
	volatile u64 *whose = &running->whose, *note = &running->answer;
	u32 check = (image * 0x9e3779b1u + generation) * 0x85ebca6bu ^ uid;
	u64 us = (u64)generation << 32 | uid, noted = *note;
	if (*whose == us && (u32)noted == check)
		return noted >> 32;
	struct actor actor = { .image = image, .uid = uid, .generation = generation };
	u32 *found = bpf_map_lookup_elem(&answers, &actor), bits = found ? *found : 0;
	if (!(bits & PUSHDOWN_ANSWERED))
		return 0;
	*note = (u64)bits << 32 | check;
	*whose = us;
	return bits;
}

/* As mark_of, for a process that runs a program with a number. */
INLINE u32 mark_of_running(const struct settings *s, u32 family, struct running *running, u32 uid)
{
	u32 image = running->image;
	struct answer known = { .bits = answered(running, image, uid, s->generation) };
	return mark_by(known.bits ? known : answer_of(s, image, uid), family);
}

/* The same of the current process. */
INLINE u32 mark_of_current(u32 family)
{
	struct settings *s = get_settings();
	struct approval *approval = s ? approval_of(s, family) : NULL;
	if (!approval || !approval->by_actor)
		return 0;
	struct running *running = running_of(bpf_get_current_task_btf());
	return running ? mark_of_running(s, family, running, bpf_get_current_uid_gid()) : mark_of_unknown(s);
}

/* ---- lifecycle: programs keep their numbers while processes fork, and get them by their paths when they run another */

INLINE bool numbers_images(const struct settings *s) { return s->generation && s->pushdown & PUSHDOWN_ACTORS; }

INLINE void runs_image(struct task_struct *task, u32 image)
{
	u32 tgid = task->tgid;
	struct running now = {
		.start = task->group_leader->start_boottime, .exec_id = task->self_exec_id, .image = image,
	};
	bpf_map_update_elem(&running, &tgid, &now, BPF_ANY);
}

/* The mark of the record. The parent was asked for when it ran its program, so that the reader knows by now. */
INLINE u32 forked_image(const struct settings *s, struct task_struct *parent, struct task_struct *child)
{
	if (!numbers_images(s))
		return 0;
	u32 image = image_of(parent);
	if (!image)
		return mark_of_unknown(s);
	runs_image(child, image);
	return 0;
}

/* The mark of the record. `path`: IMAGE_SIZE bytes, those behind the path 0; one that has no name any more (`links`) is
 * another program to the rules, and a longer one has no number. */
INLINE u32 executed_image(const struct settings *s, struct task_struct *task, const void *path, u32 length, u32 links, u32 uid)
{
	if (length > IMAGE_SIZE)
		return 0;
	u32 *image = links ? bpf_map_lookup_elem(&images, path) : NULL;
	if (!image)
		return mark_of_unknown(s) ? PUSHDOWN_ASKS | ASKS_NOW : 0;
	runs_image(task, *image);
	u32 mark = mark_of(s, FAMILY_PROCESS, *image, uid);
	return s->pushdown & PUSHDOWN_SHADOW || (u32)task->tgid == s->spared ? mark & ~PUSHDOWN_BRIEF : mark;
}

INLINE void ended_image(const struct settings *s, u32 tgid)
{
	if (numbers_images(s))
		bpf_map_delete_elem(&running, &tgid);
}
