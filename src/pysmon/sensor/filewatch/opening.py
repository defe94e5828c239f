"""With which flags a process is opening a file just now, while the kernel holds it for our permission."""

from __future__ import annotations

import os
import struct
from pathlib import Path

_PROC = Path("/proc")
# System calls that open, by machine: where their flags stand among the arguments. openat2 has them in memory.
_CALLS = {"x86_64": {2: 1, 257: 2}, "aarch64": {56: 2}}
_OPENAT2, _HOW = 437, 2
_FLAGS = struct.Struct("<Q")  # begins struct open_how


def overwrites(pid: int, proc: Path = _PROC) -> int:
    """The flags with which a thread of that process opens a file to write over what is in it; 0 if none does.

    To empty it first or to append is something else: what was on the disk stays there, or is freed as it is.
    """
    try:
        threads = os.listdir(proc / str(pid) / "task")
    except OSError:
        return 0
    for thread in threads:
        flags = _flags(proc / str(pid) / "task" / thread)
        if flags & os.O_ACCMODE and not flags & (os.O_TRUNC | os.O_APPEND):
            return flags
    return 0


def _flags(thread: Path) -> int:
    """What this thread asks open(2) for; 0 if it is not opening, or that cannot be read."""
    try:
        number, *arguments = (thread / "syscall").read_bytes().split()
        call = int(number)
        if call == _OPENAT2:
            with (thread / "mem").open("rb", buffering=0) as memory:
                memory.seek(int(arguments[_HOW], 16))
                return int(_FLAGS.unpack(memory.read(_FLAGS.size))[0])
        place = _CALLS.get(os.uname().machine, {}).get(call)
        return int(arguments[place], 16) & 0xFFFFFFFF if place is not None else 0
    except (OSError, ValueError, IndexError, struct.error):
        return 0
