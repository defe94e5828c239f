/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Who called connect(): the answer to its SYN arrives in somebody else's time. */
#pragma once
#include "objects.bpf.h"
#include "slots.bpf.h"

/* A process, and what was known of it when it was told of: an answer of that generation, 0 if there was none. */
struct owner { u64 start, exec_id; u32 tgid, tid, uid, image, generation, answer; };

/* By sock. Nobody looks for an owner before connect() has gone on, so that a slot is filled before it is read. */
struct connecting { u64 sock; struct owner owner; };
#define CONNECTING_BITS 12
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 1 << CONNECTING_BITS);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct connecting);
} connecting SEC(".maps");
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 16384);
	MAP_TYPE(key, u64); /* address of the sock */
	MAP_TYPE(value, struct owner);
} crowded SEC(".maps");

INLINE struct connecting *connecting_slot(u64 sock)
{
	u32 slot = slot_of_key(sock, CONNECTING_BITS);
	return bpf_map_lookup_elem(&connecting, &slot);
}

INLINE void fill_owner(struct owner *owner)
{
	struct task_struct *task = bpf_get_current_task_btf();
	owner->start = task->group_leader->start_boottime;
	owner->exec_id = task->self_exec_id;
	owner->tgid = task->tgid;
	owner->tid = task->pid;
	owner->uid = bpf_get_current_uid_gid();
	owner->image = owner->generation = owner->answer = 0;
	struct settings *s = get_settings();
	struct approval *approval = s ? approval_of(s, FAMILY_NETWORK) : NULL;
	struct running *running = approval && approval->by_actor ? running_of(task) : NULL;
	if (!running)
		return;
	owner->image = running->image;
	owner->generation = *(volatile u32 *)&s->generation; /* once: at another look it may be another */
	owner->answer = answered(running, owner->image, owner->uid, owner->generation);
}

INLINE void begin_connecting(u64 sock)
{
	struct connecting *slot = connecting_slot(sock);
	u64 holder = slot ? take(&slot->sock, sock) : 1;
	if (slot && (!holder || holder == sock)) { /* it has ours if an end was not seen, since nobody asked for one */
		fill_owner(&slot->owner);
		return;
	}
	struct owner owner;
	fill_owner(&owner);
	bpf_map_update_elem(&crowded, &sock, &owner, BPF_ANY);
}

/* Who began it; false if nobody is known. */
INLINE bool finish_connecting(u64 sock, struct owner *owner)
{
	struct connecting *slot = connecting_slot(sock);
	if (slot && slot->sock == sock) {
		*owner = slot->owner;
		leave(&slot->sock, sock);
		return true;
	}
	struct owner *found = bpf_map_lookup_elem(&crowded, &sock);
	if (!found)
		return false;
	*owner = *found;
	bpf_map_delete_elem(&crowded, &sock);
	return true;
}

