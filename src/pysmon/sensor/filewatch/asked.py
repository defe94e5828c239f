"""Which of the files that the kernel tells of are asked for: decided by the open file, the cheapest question first."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from pysmon.sensor.filewatch.fanotify import CLOSE_WRITE
from pysmon.sensor.filewatch.magic import HEAD, LEAST, kind_of
from pysmon.sensor.filewatch.wire import ALL, NAMED, PROGRAMS

_FILES = "/proc/self/fd"


class Asked:
    """What the sensor asks for, as bits of wire.py and texts of paths. Nearly all files are not asked for."""

    def __init__(self) -> None:
        """Nothing is, at first. The folder of open files is held: from there the way to each is one step."""
        self._files = os.open(_FILES, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._all = self._programs = False
        self._names: tuple[str, ...] = ()

    def use(self, wanted: int, names: Sequence[str]) -> None:
        """Ask for this from now on; `names` are the texts for NAMED."""
        self._all, self._programs = bool(wanted & ALL), bool(wanted & PROGRAMS)
        self._names = tuple(names) if wanted & NAMED else ()

    def wants(self, mask: int, file: int) -> bool:
        """Is the sensor to be told of this file, on which an event of that mask is?"""
        if self._all:
            return True
        if not mask & CLOSE_WRITE:
            return False
        if self._names:
            try:
                path = os.readlink(str(file), dir_fd=self._files)
            except OSError:
                path = ""
            for name in self._names:
                if name in path:
                    return True
        return self._programs and program_in(file, os.fstat(file)) > 0

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._files)


def program_in(file: int, found: os.stat_result) -> int:
    """Which of magic.KINDS an open file holds, of which fstat says that; too short a one is not read."""
    if found.st_size < LEAST or not stat.S_ISREG(found.st_mode):
        return 0
    try:
        return kind_of(os.pread(file, HEAD, 0))
    except OSError:
        return 0
