// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Openings that read past the file system: of a disk itself, or of what shows memory and ports. Called where file.bpf.c sees
 * an opening. */
#include "objects.bpf.h"

enum { MEMORY_MAJOR = 1, MEM = 1, KMEM = 2, PORT = 4 }; /* Documentation/admin-guide/devices.txt */

/* Is it /proc/kcore? Its name alone says it, at the top of proc. */
INLINE bool is_kcore(struct file *file, struct inode *inode)
{
	struct super_block *super = READ(inode, i_sb);
	if (READ(super, s_magic) != PROC_SUPER_MAGIC)
		return false;
	char name[6] = {};
	struct dentry *dentry = READ(file, f_path.dentry), *above = READ(dentry, d_parent);
	bpf_probe_read_kernel_str(name, sizeof name, READ(dentry, d_name.name));
	return above == READ(above, d_parent) && name[0] == 'k' && name[1] == 'c' && name[2] == 'o' && name[3] == 'r' &&
	       name[4] == 'e' && !name[5];
}

INLINE bool is_raw(struct file *file, struct inode *inode)
{
	u32 device = READ(inode, i_rdev), major = device >> 20, minor = device & 0xfffff;
	switch (READ(inode, i_mode) & S_IFMT) {
	case S_IFBLK: return true;
	case S_IFCHR: return major == MEMORY_MAJOR && (minor == MEM || minor == KMEM || minor == PORT);
	case S_IFREG: return is_kcore(file, inode);
	}
	return false;
}

INLINE void opened_raw(struct file *file)
{
	if (!wanted(FAMILY_RAW_ACCESS) || !file || !(READ(file, f_mode) & FMODE_READ))
		return;
	struct inode *inode = READ(file, f_inode);
	u32 slot;
	struct scratch *s = is_raw(file, inode) && watched(FAMILY_RAW_ACCESS) ? claim(FAMILY_RAW_ACCESS, &slot) : NULL;
	if (!s)
		return;
	struct raw_access_record *r = (void *)s->bytes;
	FILL_HEAD(r, KIND_RAW_ACCESS_RECORD, 0, bpf_get_current_task_btf());
	r->uid = bpf_get_current_uid_gid();
	r->device = READ(inode, i_rdev);
	r->mode = READ(inode, i_mode);
	u32 start = sizeof *r, at = start;
	TAIL(path, put_path(slot, at, (u64)READ(file, f_path.dentry), (u64)READ(file, f_path.mnt)));
	r->size = at;
	send(&event_ring, FAMILY_RAW_ACCESS, s, at, r->time);
}
