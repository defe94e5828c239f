"""Where an open file lies, as the process sees it that wrote it."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from pysmon.sensor.filewatch.mounts import unescaped

_GONE = " (deleted)"
_PROC = Path("/proc")


def place_of(file: int, pid: int, proc: Path = _PROC) -> str:
    """The path of an open file of ours; `-` if it cannot be told.

    The kernel gives it below the root of the mount that it was opened on. Where that mount is none of ours (a
    container's, a service's own /tmp), the mount table of process `pid` tells the rest, while that lives.
    """
    try:
        path = os.readlink(proc / "self" / "fd" / str(file))
        if os.fstat(file).st_nlink == 0:
            path = path.removesuffix(_GONE)
        number = _mount(proc / "self" / "fdinfo" / str(file))
    except OSError:
        return "-"
    if number in _points(proc / "self" / "mountinfo"):
        return path
    point = _points_of(pid, number, proc)
    return path if point in ("", "/") else point + path


def _mount(info: Path) -> bytes:
    for line in info.read_bytes().splitlines():
        if line.startswith(b"mnt_id:"):
            return line.split()[1]
    return b""


@lru_cache(maxsize=256)
def _points_of(pid: int, number: bytes, proc: Path) -> str:
    """Where that mount stands for that process; empty if it has gone."""
    return _points(proc / str(pid) / "mountinfo").get(number, "")


def _points(table: Path) -> dict[bytes, str]:
    """Mount points by the ids of the mounts, from proc(5) mountinfo; none if the table cannot be read."""
    try:
        lines = table.read_bytes().splitlines()
    except OSError:
        return {}
    return {fields[0]: unescaped(fields[4]) for line in lines if len(fields := line.split()) > 4}
