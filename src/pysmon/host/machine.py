"""What this machine is: its id, its boot, its name and its clocks."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

from pysmon.host.guid import Machine

_MACHINE_ID = ("etc/machine-id", "var/lib/dbus/machine-id")
_BOOT_ID = "proc/sys/kernel/random/boot_id"
_STAT = "proc/stat"
_SECOND = 1_000_000_000
_CLOCK_SET = 50_000_000  # ns: a larger change of the wall clock is somebody setting it


def this_machine(root: Path = Path("/")) -> Machine:
    """The machine that this runs on; what it does not tell is 0 (a container without /etc/machine-id)."""
    return Machine(machine_id(root), boot_id(root), boot_time(root))


def machine_id(root: Path = Path("/")) -> int:
    """The first 8 hex digits of the machine id, as Sysmon for Linux takes them; 0 if there is none."""
    for path in _MACHINE_ID:
        try:
            return int(_line(root / path)[:8], 16)
        except ValueError:
            continue
    return 0


def boot_id(root: Path = Path("/")) -> int:
    """The kernel's random number of this boot; 0 if it cannot be read."""
    try:
        return uuid.UUID(_line(root / _BOOT_ID)).int
    except ValueError:
        return 0


def boot_time(root: Path = Path("/")) -> int:
    """When the machine started, in ns since 1970, cut to the second.

    The kernel's own figure (`btime` of /proc/stat): it is the same at every reading until somebody sets the clock, so
    a sensor that starts again gives the same guids. A measured offset would differ by some ns each time.
    """
    for line in _text(root / _STAT).splitlines():
        name, _, value = line.partition(" ")
        if name == "btime":
            return int(value) * _SECOND
    return 0


def host_name() -> str:
    """The name for `<Computer>`."""
    return os.uname().nodename


def mount_namespace(root: Path = Path("/")) -> int:
    """The inode number of the machine's own mount namespace, that of process 1; 0 if it may not be seen."""
    try:
        return (root / "proc/1/ns/mnt").stat().st_ino
    except OSError:
        return 0


def clock_offset(tries: int = 9) -> int:
    """What to add to a time since boot (the records') to get ns since 1970, measured now.

    Both clocks are read close together; of several tries the one that took the shortest time is the best.
    """
    best, took = 0, 1 << 62
    for _ in range(tries):
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        wall = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if after - before < took:
            best, took = wall - (before + after) // 2, after - before
    return best


def clock_offset_after(before: int) -> int:
    """The same as measured before, unless somebody has set the wall clock since."""
    measured = clock_offset(tries=3)
    return measured if abs(measured - before) > _CLOCK_SET else before


def since_boot() -> int:
    """The clock of the records, in ns."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def _line(path: Path) -> str:
    return _text(path).strip()


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""
