// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Modules that the kernel takes in, with what it makes of their signature. The file is the one that it has read, where that
 * can be seen, else the one behind the descriptor that was given to finit_module. Shares with image.bpf.c what a file is. */
#include "objects.bpf.h"

/* The file that a thread is loading a module from. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 256);
	MAP_TYPE(key, u64);
	MAP_TYPE(value, u64);
} module_files SEC(".maps");

SEC("fentry/security_kernel_post_read_file")
int on_module_file(u64 *context) /* the file, its content, its size, what it is read for */
{
	u64 thread = bpf_get_current_pid_tgid(), file;
	if ((u32)context[3] != READING_MODULE || !watched(FAMILY_MODULE))
		return 0;
	bpf_probe_read_kernel(&file, sizeof file, context);
	bpf_map_update_elem(&module_files, &thread, &file, BPF_ANY);
	return 0;
}

INLINE bool loads_from_file(void)
{
	struct pt_regs___x86 *x86 = NULL;
	u32 call = syscall_number();
	return FIELD_EXISTS(x86, orig_ax) ? call == 313 || call == 350 /* of 32 bits */ : call == 273 || call == 379;
}

/* NULL for a module out of the memory of the process (init_module). */
INLINE struct file *module_file(void)
{
	if (!loads_from_file())
		return NULL;
	u64 thread = bpf_get_current_pid_tgid(), *read = bpf_map_lookup_elem(&module_files, &thread);
	struct file *file = read ? (void *)*read : file_of((s32)syscall_argument(0));
	if (read)
		bpf_map_delete_elem(&module_files, &thread);
	return file;
}

SEC("tp_btf/module_load")
int on_module_load(u64 *context) /* the module: it is whole, and about to begin */
{
	u32 slot;
	struct scratch *s = watched(FAMILY_MODULE) ? claim(FAMILY_MODULE, &slot) : NULL;
	if (!s)
		return 0;
	struct module *module;
	bpf_probe_read_kernel(&module, sizeof module, context);
	struct module_record *r = (void *)s->bytes;
	FILL_HEAD(r, KIND_MODULE_RECORD, 0, bpf_get_current_task_btf());
	struct file *file = module_file();
	struct inode *inode = READ(file, f_inode);
	FILL_IDENTITY(r, inode);
	r->uid = bpf_get_current_uid_gid();
	r->taints = READ(module, taints);
	r->signature = SIGNATURE_UNKNOWN;
	if (FIELD_EXISTS(module, sig_ok))
		r->signature = READ(module, sig_ok) ? SIGNATURE_ACCEPTED : SIGNATURE_MISSED;
	u32 start = sizeof *r, at = start;
	TAIL(path, file ? put_path_of(slot, at, shown_path(file)) : at);
	TAIL(name, put_string(s, at, sizeof module->name, module->name));
	TAIL(version, put_string(s, at, 256, READ(module, version)));
	TAIL(source_version, put_string(s, at, 256, READ(module, srcversion)));
	r->size = at;
	return send(&event_ring, FAMILY_MODULE, s, at, r->time);
}
