"""Where an open file lies, as the process sees it that wrote it."""

from __future__ import annotations

import os
import select
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from pysmon.sensor.filewatch.mounts import unescaped

_GONE = " (deleted)"
_PROC = Path("/proc")
_MOUNT = b"mnt_id:"
_ROOM = 4096  # bytes of proc(5) fdinfo: the number of the mount is in its third line


class Places:
    """Tells paths of open files. Our own mount table is read again only when the kernel says that it has changed."""

    def __init__(self, proc: Path = _PROC) -> None:
        """`proc` is where proc(5) is mounted."""
        self._proc, self._self = proc, f"{proc}/self"
        self._changed = select.poll()
        self._table = -1
        with suppress(OSError):
            self._table = os.open(f"{self._self}/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
            self._changed.register(self._table, select.POLLPRI)
        self._ours: frozenset[bytes] | None = None  # ids of our own mounts

    def of(self, file: int, links: int, pid: int) -> str:
        """The path of an open file of ours, which has so many names; `-` if it cannot be told.

        The kernel gives it below the root of the mount that it was opened on. Where that mount is none of ours (a
        container's, a service's own /tmp), the mount table of process `pid` tells the rest, while that lives.
        """
        try:
            path = os.readlink(f"{self._self}/fd/{file}")
            if not links:
                path = path.removesuffix(_GONE)
            number = _mount(f"{self._self}/fdinfo/{file}")
        except OSError:
            return "-"
        if self._ours is None or self._changed.poll(0):
            self._ours = frozenset(_points(self._proc / "self" / "mountinfo"))
        if number in self._ours:
            return path
        point = _points_of(pid, number, self._proc)
        return path if point in ("", "/") else point + path

    def close(self) -> None:
        """Let go of the table. A second call does nothing."""
        if self._table >= 0:
            os.close(self._table)
            self._table = -1


def _mount(info: str) -> bytes:
    file = os.open(info, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _, _, after = os.read(file, _ROOM).partition(_MOUNT)
    finally:
        os.close(file)
    return after.partition(b"\n")[0].strip()


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
