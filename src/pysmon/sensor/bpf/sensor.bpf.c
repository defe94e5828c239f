// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The kernel half of the sensor: one object, one file per family. Every program is optional; the loader picks. */
#include "emit.bpf.h"
#include "process.bpf.c"
#include "snapshot.bpf.c"
#include "network.bpf.c"
#include "dns.bpf.c"
#include "guard.bpf.c"
#include "access.bpf.c"
#include "inject.bpf.c"
#include "tamper.bpf.c"
#include "program.bpf.c"
#include "device.bpf.c"
#include "pipe.bpf.c"
#include "file.bpf.c"
#include "times.bpf.c"
#include "sysctl.bpf.c"
#include "xattr.bpf.c"
#include "image.bpf.c"
#include "module.bpf.c"

char LICENSE[] SEC("license") = "Dual MIT/GPL";
/* The loader refuses an object whose layouts are not those of records.py. */
const volatile u32 layout_digest = LAYOUT_DIGEST;
