/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What lies at an address of a process: the kernel's own list of its regions, read as the kernel reads it. */
#pragma once
#include "objects.bpf.h"

#define TREE_DEPTH 8 /* 10 to 16 ways each: more than there are regions */
#define MOST_PIVOTS 15

/* Of the slots of a node, the one in which the address belongs: each but the last ends at its pivot. */
INLINE u64 slot_of(u64 pivots, u64 slots, u64 address)
{
	u64 slot = 0, pivot = 0;
	for (; slot < MOST_PIVOTS && pivots < slots; slot++, pivots += sizeof pivot) {
		bpf_probe_read_kernel(&pivot, sizeof pivot, (void *)pivots);
		if (pivot >= address)
			break;
	}
	return slot;
}

/* The region of that memory that holds the address, as a number; 0 if none does, or before Linux 6.1, whose list is another. */
GLOBAL u64 region_at(u64 memory_address, u64 address)
{
	struct mm_struct *memory = (void *)memory_address;
	if (!FIELD_EXISTS(memory, mm_mt) || !memory_address)
		return 0;
	u64 entry = (u64)READ(memory, mm_mt.ma_root);
	if ((entry & 3) != 2) /* no node: nothing is mapped */
		return 0;
	for (int depth = 0; depth < TREE_DEPTH; depth++) {
		u64 kind = entry >> 3 & 15, node = entry & ~255ull; /* nodes are aligned: the rest of the pointer tells their kind */
		if (kind < 1 || kind > 3) /* leaf, wide, and wide with gaps */
			return 0;
		u64 slots = node + (kind == 3 ? FIELD_OFFSET(struct maple_arange_64, slot) : FIELD_OFFSET(struct maple_range_64, slot));
		u64 slot = slot_of(node + FIELD_OFFSET(struct maple_range_64, pivot), slots, address);
		entry = 0;
		bpf_probe_read_kernel(&entry, sizeof entry, (void *)slots + slot * sizeof(void *));
		if (kind == 1)
			break;
	}
	struct vm_area_struct *region = (void *)entry;
	return entry && READ(region, vm_start) <= address && address < READ(region, vm_end) ? entry : 0;
}

INLINE u32 kind_of_file(struct file *file)
{
	struct inode *inode = READ(file, f_inode);
	return READ(inode, i_nlink) ? REGION_FILE : REGION_NAMELESS;
}

INLINE u32 kind_of_region(struct mm_struct *memory, struct vm_area_struct *region)
{
	if (!region)
		return REGION_NOWHERE;
	struct file *file = READ(region, vm_file);
	if (file)
		return kind_of_file(file);
	u64 start = READ(region, vm_start), end = READ(region, vm_end), stack = READ(memory, start_stack);
	if (start <= stack && stack < end)
		return REGION_STACK;
	return start <= READ(memory, brk) && end >= READ(memory, start_brk) ? REGION_HEAP : REGION_ANONYMOUS;
}

/* Where the byte at the address stands in the file that is mapped there. */
INLINE u64 offset_in_file(struct vm_area_struct *region, u64 address)
{
	return address - READ(region, vm_start) + (READ(region, vm_pgoff) << 12);
}

/* What a record tells of a region; needs `s`, `slot`, `at` and `start` in the function. */
#define FILL_REGION(r, memory, region_) do { \
	struct file *mapped = region_ ? READ(region_, vm_file) : NULL; \
	struct inode *mapped_inode = mapped ? READ(mapped, f_inode) : NULL; \
	struct super_block *mapped_super = READ(mapped_inode, i_sb); \
	(r)->inode = READ(mapped_inode, i_ino); \
	(r)->device = READ(mapped_super, s_dev); \
	(r)->region = kind_of_region(memory, region_); \
} while (0)
