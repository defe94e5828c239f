"""Processor time, memory and ends of processes, as the guest's kernel tells them. Standard library alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

_QUIET = 30_000_000  # ns of a second: a sensor that uses less has done its work
_PATIENCE = 120  # s


def clock(pid: int) -> int:
    """Processor time of a process in ns: its clock as clock_getcpuclockid(3) names it; 0 if it is gone."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def busy() -> int:
    """What all processors have spent on tasks since the boot, in ns, threads of the kernel included, idling not."""
    lines = Path("/proc/schedstat").read_text().splitlines()
    return sum(int(line.split()[7]) for line in lines if line.startswith("cpu"))


def family(pid: int) -> list[int]:
    """A process and its living descendants."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:  # ended meanwhile
                continue
    return found


def memory(pids: Iterable[int], what: str = "VmRSS") -> int:
    """Resident memory of these processes in KiB, now (VmRSS) or at most (VmHWM); of those that are gone none."""
    lines = []
    for pid in pids:
        with suppress(OSError):
            lines += Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


def until_quiet(pids: Sequence[int]) -> None:
    """Wait until these processes have done what there is to do: the same pause for all, and longer for who needs it."""
    until = time.monotonic() + _PATIENCE
    used = sum(map(clock, pids))
    time.sleep(2)
    while (now := sum(map(clock, pids))) - used > _QUIET and time.monotonic() < until:
        used = now
        time.sleep(1)


def end(pid: int, patience: float = 30) -> None:
    """Ask a process to end, and wait until it has; kill it if that takes too long."""
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + patience
    while _runs(pid):
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
    except ChildProcessError:  # not a child of this process
        pass
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
