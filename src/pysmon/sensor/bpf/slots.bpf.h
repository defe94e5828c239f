/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What has begun and is soon to end stands in an array, in a slot that its key shares with few others: to take it and to leave
 * it costs a fraction of what a hash asks for. Who finds the slot of another goes into a hash behind. */
#pragma once
#include "helpers.bpf.h"

/* Of 1 << bits slots. */
INLINE u32 slot_of_key(u64 key, u32 bits) { return key * 0x9e3779b97f4a7c15ull >> (64 - bits); }

/* Who held it until now: 0 or `key` itself if it is taken now; who else holds it keeps it. */
INLINE u64 take(u64 *holder, u64 key) { return __sync_val_compare_and_swap(holder, 0, key); }

/* Only now, when all of it has been read, may another take it. */
INLINE void leave(u64 *holder, u64 key) { __sync_val_compare_and_swap(holder, key, 0); }
