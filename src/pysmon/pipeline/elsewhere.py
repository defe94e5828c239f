"""C libraries of processes that see another disk than we do, such as those of containers: found while they come.

Looking for files may hang, so a thread of its own does it. Until that is done, such a process is seen by its messages.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Protocol

from pysmon.layout.record import Record
from pysmon.sensor.libraries import Library, c_libraries
from pysmon.sensor.records import BriefExecRecord, ExecRecord

LOOK_AGAIN = 60_000_000_000  # ns of record time between two looks at our own disk: an upgrade brings new files
_LIBRARIES = 64  # that are watched: each costs the kernel a look at every process when it comes and goes
_NAMESPACES = 4096  # that are remembered
_WAITING = 256  # processes to be looked at; what is too much comes again with the next program that runs there
OURSELVES = 0  # in place of a process


class Watching(Protocol):
    """Who watches the functions of further libraries."""

    def watch_library(self, path: str) -> None:
        """As `Sensor` does."""


class Elsewhere:
    """Tells the sensor of libraries that it does not know. Its methods but `close` are for one thread."""

    def __init__(
        self,
        sensor: Watching,
        wanted: Callable[[], bool],
        namespace_of: Callable[[int], int | None] | None = None,
        libraries_of: Callable[[int], list[Library]] | None = None,
    ) -> None:
        """`wanted`: does anybody ask for names now?

        `namespace_of` gives the mount namespace of a process, or None; `libraries_of` what it sees on its disk.
        """
        self._sensor, self._wanted = sensor, wanted
        self._namespace_of, self._libraries_of = namespace_of or _namespace_of, libraries_of or _libraries_of
        self._queue: Queue[Sequence[int] | None] = Queue(_WAITING)
        self._thread: threading.Thread | None = None
        own = self._namespace_of(OURSELVES)
        self._own = own
        self._seen: dict[int | None, None] = {own: None}  # namespaces; written by the thread alone
        self._known = {(each.device, each.inode) for each in self._libraries_of(OURSELVES)}
        self._look_at = 0

    @property
    def heeds(self) -> bool:
        """Must it notice which programs run?"""
        return self._wanted()

    def notice(self, record: Record) -> None:
        """A record came: if a program runs where nobody has looked yet, look there."""
        if not isinstance(record, (ExecRecord, BriefExecRecord)) or not self._wanted():
            return
        if record.mount_namespace not in self._seen:
            self._ask([record.tgid])
        elif record.time >= self._look_at:
            self._look_at = record.time + LOOK_AGAIN
            self._ask([OURSELVES])

    def learn(self, processes: Sequence[int]) -> None:
        """Look where these processes are."""
        if self._wanted():
            self._ask(processes)

    def close(self) -> None:
        """Look no further; what hangs is left behind."""
        while True:
            try:
                self._queue.put_nowait(None)
            except Full:
                self._discard()
            else:
                return

    def _discard(self) -> None:
        try:
            self._queue.get_nowait()
        except Empty:
            return

    def _ask(self, processes: Sequence[int]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pysmon libraries", daemon=True)
            self._thread.start()
        if not self._queue.full():  # nobody else puts
            self._queue.put_nowait(processes)

    def _run(self) -> None:
        while (processes := self._queue.get()) is not None:
            for process in processes:
                self._look(process)

    def _look(self, process: int) -> None:
        namespace = self._namespace_of(process)
        if namespace is None or (process != OURSELVES and namespace in self._seen):
            return
        found = self._libraries_of(process)
        if self._namespace_of(process) != namespace:  # it has gone, and with it what was seen of it
            return
        self._seen[namespace] = None
        if len(self._seen) > _NAMESPACES:
            self._seen = {self._own: None}
        for each in found:
            if (each.device, each.inode) not in self._known and len(self._known) < _LIBRARIES:
                self._known.add((each.device, each.inode))
                self._sensor.watch_library(each.path)


def _namespace_of(process: int) -> int | None:
    try:
        return os.stat(f"{_folder(process)}/ns/mnt").st_ino
    except OSError:
        return None


def _libraries_of(process: int) -> list[Library]:
    try:
        return c_libraries(Path("/") if process == OURSELVES else Path(f"{_folder(process)}/root"))
    except OSError:  # it has gone, or its disk has
        return []


def _folder(process: int) -> str:
    return f"/proc/{process or 'self'}"
