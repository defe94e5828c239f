"""The capabilities of this process: which it has, and giving up for good those that it does not need any more."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from pysmon.errors import SensorError

# In the order of linux/capability.h, which gives them their numbers.
_WORDS = """
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
"""
NAMES = tuple(f"CAP_{word}" for word in _WORDS.split())
# To read the program files of others, and to find them through /proc/PID where they have another view of the disk.
_READING = frozenset({"CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"})
_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3: two words of 32 bits for each set
_SET_NO_NEW_PRIVILEGES, _DROP_BOUND, _READ_BOUND = 38, 24, 23  # linux/prctl.h
_AMBIENT, _AMBIENT_CLEAR_ALL = 47, 4
_BPF_CALLS = {"x86_64": 321, "aarch64": 280}
_NEXT_KEY = 4  # BPF_MAP_GET_NEXT_KEY
_FOR_HOOKS = "CAP_PERFMON"  # opens tracepoints
_FOR_MAPS = ("CAP_BPF", "CAP_SYS_ADMIN")  # either opens bpf(2); the lesser one first
_UNPRIVILEGED = Path("/proc/sys/kernel/unprivileged_bpf_disabled")


def effective(task: Path = Path("/proc/self")) -> frozenset[str]:
    """The capabilities that count now, of this process or of the one (or the thread) whose folder in /proc it is."""
    for line in (task / "status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return _named(int(line.split()[1], 16))
    return frozenset()


def needed_once_attached(setting: Path = _UNPRIVILEGED) -> frozenset[str]:
    """What a sensor at work still needs of this process, tried out on this kernel.

    Hooks come and go with the configuration, and who may not open tracepoints can attach none of those later.
    Before Linux 5.19 with kernel.unprivileged_bpf_disabled set, every call of bpf(2) needs CAP_BPF, and so reading
    counters and setting the scope; since then only loading does. Distributions change that, so it is tried. Where the
    setting is 0 trying shows nothing, and it may be set later: then the capability stays.
    """
    held = _permitted()
    always = _READING | (held & {_FOR_HOOKS})
    opening = next((name for name in _FOR_MAPS if name in held), None)
    if opening is None:
        return always
    _set(held - set(_FOR_MAPS), held)
    try:
        refused = _asks_in_vain()
    finally:
        _set(held, held)
    return always | {opening} if refused or _open_to_all(setting) else always


def drop_capabilities(keep: Iterable[str], *, later: int | None = None) -> frozenset[str]:
    """Give up all capabilities but these, for good, and give those that remain.

    Call it while there is one thread only: the kernel keeps them by thread, and new threads inherit. Nothing that this
    process starts can get them back. SensorError if a name is unknown, the kernel refuses, or another thread has more,
    but the one whose id is `later`: it still needs them, and ends soon.
    """
    wanted = frozenset(keep)
    if unknown := wanted - set(NAMES):
        raise SensorError(f"no capability is called {', '.join(sorted(unknown))}")
    remaining = _permitted() & wanted
    _control("forget ambient capabilities", _AMBIENT, _AMBIENT_CLEAR_ALL)
    if "CAP_SETPCAP" in effective():
        for number, name in enumerate(NAMES):
            if name not in remaining and _libc().prctl(_READ_BOUND, number, 0, 0, 0) == 1:
                _control(f"take {name} out of the bounding set", _DROP_BOUND, number)
    _control("forbid programs to get more rights", _SET_NO_NEW_PRIVILEGES, 1)
    _set(remaining, remaining)
    others = (task for task in Path("/proc/self/task").iterdir() if task.name != str(later))
    more = frozenset[str]().union(*map(_of_thread, others)) - remaining
    if more:
        raise SensorError(f"another thread keeps {', '.join(sorted(more))}: they were to go before it began")
    return effective()


def _of_thread(folder: Path) -> frozenset[str]:
    try:
        return effective(folder)
    except OSError:  # it has ended
        return frozenset()


def _asks_in_vain() -> bool:
    """Is a question about a map that does not exist refused for want of rights, rather than because it is senseless?"""
    number = _BPF_CALLS.get(os.uname().machine)
    if number is None:
        return True
    attributes = ctypes.create_string_buffer(struct.pack("<I", 0xFFFF_FFFF), 32)
    return _libc().syscall(number, _NEXT_KEY, attributes, len(attributes)) != 0 and ctypes.get_errno() == errno.EPERM


def _open_to_all(setting: Path) -> bool:
    return setting.exists() and setting.read_text().strip() == "0"


def _permitted() -> frozenset[str]:
    words = ctypes.create_string_buffer(24)
    if _libc().capget(struct.pack("<Ii", _VERSION, 0), words):
        raise SensorError(f"cannot read the capabilities of this process: {os.strerror(ctypes.get_errno())}")
    low, high = struct.unpack_from("<4xI8xI", words.raw)
    return _named(high << 32 | low)


def _set(effective_ones: frozenset[str], permitted: frozenset[str]) -> None:
    """Of this thread; nothing is inheritable."""
    counting, may = _bits(effective_ones), _bits(permitted)
    words = [counting & 0xFFFF_FFFF, may & 0xFFFF_FFFF, 0, counting >> 32, may >> 32, 0]
    if _libc().capset(struct.pack("<Ii", _VERSION, 0), struct.pack("<6I", *words)):
        raise SensorError(f"cannot give up capabilities: {os.strerror(ctypes.get_errno())}")


def _control(what: str, option: int, argument: int) -> None:
    if _libc().prctl(option, argument, 0, 0, 0):
        raise SensorError(f"cannot {what}: {os.strerror(ctypes.get_errno())}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _named(bits: int) -> frozenset[str]:
    return frozenset(name for number, name in enumerate(NAMES) if bits >> number & 1)


def _bits(names: frozenset[str]) -> int:
    return sum(1 << number for number, name in enumerate(NAMES) if name in names)
