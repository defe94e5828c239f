"""May the sensor run here, and if not, what is missing and how to get it: told before the kernel refuses."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from pysmon.errors import SensorError
from pysmon.sensor.capabilities import effective

BTF = Path("/sys/kernel/btf/vmlinux")
TRACEFS = Path("/sys/kernel/tracing")


def check_rights() -> None:
    """Raise SensorError if this process may not load tracing programs, or the kernel cannot take them."""
    held = effective()
    if "CAP_SYS_ADMIN" not in held and not held >= {"CAP_BPF", "CAP_PERFMON"}:
        raise SensorError(
            "the kernel sensor (eBPF) needs root, or the capabilities CAP_BPF and CAP_PERFMON", hint="run it with sudo"
        )
    if not BTF.exists():
        raise SensorError(
            f"this kernel has no type information ({BTF} is missing)",
            hint="kernels of Debian 12, Ubuntu 22.04, RHEL 9 and later have it (CONFIG_DEBUG_INFO_BTF)",
        )


def ensure_tracefs() -> bool:
    """Is tracefs at its place? Mount it there if it is not and we may: some minimal systems leave that to the user."""
    if os.path.exists(TRACEFS / "events"):  # False, too, for who has the capabilities but may not look into it
        return True
    libc = ctypes.CDLL(None, use_errno=True)
    return TRACEFS.is_dir() and libc.mount(b"tracefs", os.fsencode(TRACEFS), b"tracefs", 0, None) == 0
