"""A process that is not root, but may have some of its capabilities; and one without tracefs."""

from __future__ import annotations

import os
import struct

from tests.sensor.provoke import call

from pysmon.sensor.rights import TRACEFS

DAC_READ_SEARCH, SYS_ADMIN, PERFMON, BPF = 2, 21, 38, 39  # linux/capability.h
_NOBODY = 65534
_KEEP_CAPABILITIES = 8  # PR_SET_KEEPCAPS
_DETACH = 2  # MNT_DETACH


def become_nobody(*capabilities: int) -> None:
    """Give up root, but for these capabilities."""
    call("prctl", _KEEP_CAPABILITIES, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(_NOBODY)
    os.setuid(_NOBODY)
    held = sum(1 << c for c in capabilities)
    words = [held & 0xFFFFFFFF, held & 0xFFFFFFFF, 0, held >> 32, held >> 32, 0]
    call("capset", struct.pack("<Ii", 0x20080522, 0), struct.pack("<6I", *words))


def leave_tracefs() -> None:
    """Unmount it; only for a process with mounts of its own."""
    while os.path.exists(TRACEFS / "events"):
        call("umount2", os.fsencode(TRACEFS), _DETACH)
