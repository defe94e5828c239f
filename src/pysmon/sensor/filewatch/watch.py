"""The sensor's side of the file watch: starts the process that has fanotify, and makes records of what that tells."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import select
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pysmon.sensor.capabilities import drop_capabilities
from pysmon.sensor.descriptors import close_all_but
from pysmon.sensor.filewatch.asked import program_in
from pysmon.sensor.filewatch.fanotify import Group
from pysmon.sensor.filewatch.guardian import Guardian
from pysmon.sensor.filewatch.held import LIMIT, HeldFiles, kernel_device
from pysmon.sensor.filewatch.mounts import MOUNTS, local_mounts
from pysmon.sensor.filewatch.place import Places
from pysmon.sensor.filewatch.wire import (
    ALIVE,
    LOST,
    OVERWRITE,
    PING,
    RUN,
    SETTLED,
    TROUBLE,
    WATCH,
    Message,
    receive,
    send,
)
from pysmon.sensor.records import FileOverwriteRecord, FileWrittenRecord, components_of

# What the process with fanotify keeps: to mark file systems, to see with which flags a process opens, and to remove
# what may not run, whoever owns the folder.
_RIGHTS = ("CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_FOWNER")
_SILENCE = 5.0  # s without an answer after which it is taken to hang
_SYNC, _LAST = 0.2, 2.0  # s to wait for what it has not told yet while records come, and for what it is to do
_DIE_WITH_PARENT, _NAME = 1, 15  # linux/prctl.h


class FileWatch:
    """Files as they are written, run and overwritten, on the file systems that are to be watched."""

    def __init__(self, mounts: Iterable[Path] | None = None, *, silence: float = _SILENCE) -> None:
        """Start the process; before this one has threads, and gives up rights. Watches nothing until `want`.

        `mounts`: watch the file systems of these paths only; None means all local ones. SensorError if fanotify is
        refused. `silence` (s): how long the process may say nothing before it is ended.
        """
        self._mounts = None if mounts is None else [str(path) for path in mounts]
        self._silence = silence
        room = _room()  # before the other process is made: it reads hundreds of open files at once
        self._channel, self.pid = _start()
        self._table = MOUNTS.open("rb", buffering=0)
        self._changed = select.poll()
        self._changed.register(self._table, select.POLLPRI)
        self._places = Places()
        self.held = HeldFiles(room)
        self.due = self.lost = 0
        self._wanted, self._marked, self._names = 0, list[str](), tuple[str, ...]()
        self._ready: list[FileWrittenRecord | FileOverwriteRecord] = []
        self._early: list[FileWrittenRecord | FileOverwriteRecord] = []
        self._troubles: list[str] = []
        self._asked = time.monotonic()
        self._pings = self._pongs = 0
        self._caught_up = False  # since the last turn

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self.pid > 0

    @property
    def idle(self) -> bool:
        """Is no file held, and none on its way?"""
        return not self._wanted and self._pongs == self._pings and not len(self.held)

    @property
    def waiting(self) -> bool:
        """Are there records that `turn` has still to give?"""
        return bool(self._ready or self._early)

    def want(self, wanted: int, names: Iterable[str] = ()) -> None:
        """Tell of that (bits of wire.py) from when this returns; file systems that appear are marked by `look`.

        `names` are the texts for NAMED. A process that hangs is waited for a moment.
        """
        self._wanted, self._names = wanted, tuple(names)
        self._marked = self._to_mark() if wanted else []
        self._say(Message(WATCH, wanted, text="\0".join([*self._marked, "", *self._names])))
        self._sync(_LAST)

    def turn(self) -> list[FileWrittenRecord | FileOverwriteRecord]:
        """Records that came before the last call, and take in those that have come since.

        So call it after the rings were read: what they tell of the processes is known then, and the content of a file
        is held before the record of its removal is looked at.
        """
        ready, self._ready = self._ready, self._early
        self._early, self._caught_up = [], False
        self._take_in()
        return ready

    def catch_up(self) -> bool:
        """Wait, a moment at most, until all that was closed before the last turn is held; False if that took longer."""
        if self._caught_up or not self.alive:
            return self._caught_up
        self._caught_up = True
        return self._sync(_SYNC)

    def finish(self) -> None:
        """Watch for nothing more, and wait for what was still to tell."""
        self.want(0)

    def _sync(self, patience: float) -> bool:
        self._pings += 1
        self._say(Message(PING, token=self._pings))
        give_up = time.monotonic() + patience
        while self._pongs < self._pings and self.alive and (left := give_up - time.monotonic()) > 0:
            select.select([self._channel], [], [], left)
            self._take_in()
        return self._pongs == self._pings

    def settle(self, token: int, path: str, *, allow: bool) -> None:
        """Let go on who waits, or refuse it; a program that may not run is removed."""
        self._say(Message(SETTLED, int(allow), token=token, text="" if allow else path))

    def look(self) -> list[str]:
        """Once a second: mark file systems that appeared; what went wrong since the last time, in words."""
        if self.alive and self._wanted and self._changed.poll(0) and self._to_mark() != self._marked:
            self.want(self._wanted, self._names)
        now = time.monotonic()
        if self._pongs < self._pings and now - self._asked > self._silence and self.alive:
            self._end("the process that watches files does not answer: it was ended, and what it held up was allowed")
        elif self._pongs == self._pings and self.alive and self._wanted:  # else it can hold up nobody
            self._asked = now
            self._pings += 1
            self._say(Message(PING, token=self._pings))
        told, self._troubles = self._troubles, []
        return told

    def fileno(self) -> int:
        """To be polled: readable when something has happened; -1 when nothing can any more."""
        return self._channel.fileno()

    def close(self) -> None:
        """End the process and let go of all files. A second call does nothing."""
        self._end("")
        self.held.close()
        self._places.close()
        self._table.close()

    def _to_mark(self) -> list[str]:
        if self._mounts is not None:
            return self._mounts
        self._table.seek(0)
        return list(local_mounts(self._table.read()).values())

    def _take_in(self) -> None:
        while self.alive:
            try:
                messages = receive(self._channel)
            except BlockingIOError:
                return
            except ConnectionError:
                messages = []
            if not messages:
                self._end("the process that watches files has ended: nothing is told of their content any more")
            for message in messages:
                self._note(message)

    def _note(self, message: Message) -> None:
        if message.what == ALIVE:
            self._pongs = message.token
        elif message.what == LOST:
            self.due += message.token
            self.lost += message.token
        elif message.what == TROUBLE:
            self._troubles.append(message.text)
        elif message.file >= 0:
            self._found(message)

    def _found(self, message: Message) -> None:
        """A file: it is held, so that what is in it can be had when it is asked for."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        found = os.fstat(message.file)
        path = self._places.of(message.file, found.st_nlink, message.pid)
        if message.what != RUN:
            self.due += 1
            self._early.append(record_of(message, found, path, now))
        self.held.hold(message.file, found, path, now)

    def _say(self, message: Message) -> None:
        with suppress(OSError):  # it has ended, or hangs: `look` tells
            send(self._channel, [message])

    def _end(self, trouble: str) -> None:
        if not self.alive:
            return
        pid, self.pid = self.pid, 0
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
        self._channel.close()
        if trouble:
            self._troubles.append(trouble)


def record_of(message: Message, found: os.stat_result, path: str, now: int) -> FileWrittenRecord | FileOverwriteRecord:
    """The record of a file; `now` in ns since boot. Slot by slot: there is one for each file that is told of."""
    record: FileWrittenRecord | FileOverwriteRecord
    if message.what == OVERWRITE:
        record = FileOverwriteRecord.__new__(FileOverwriteRecord)
        record.flags = message.flags
    else:
        record = FileWrittenRecord.__new__(FileWrittenRecord)
    layout = record.layout
    record.kind, record.time = layout.kind, now
    record.tgid = record.tid = message.pid
    record.cpu = record.start = record.exec_id = 0  # fanotify does not tell
    record.token = message.token
    record.inode, record.file_size, record.mode = found.st_ino, found.st_size, found.st_mode
    record.change_time = found.st_ctime_ns
    record.device = kernel_device(found.st_dev)
    record.program = program_in(message.file, found)
    record.path = components_of(path)
    record.size = layout.head.size + len(record.path)
    return record


def _room() -> int:
    """How many files may be held: as many as the process may open, with room for all else."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, 2 * LIMIT)
    if soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return min(LIMIT, soft // 2)


def _start() -> tuple[socket.socket, int]:
    """The channel to a new process with fanotify, and its id."""
    group = Group()
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    pid = os.fork()
    if pid == 0:
        _guard(its, group)
    group.close()  # nobody else may hold it: with its only holder goes whatever it holds up
    its.close()
    return ours, pid


def _guard(channel: socket.socket, group: Group) -> None:
    """In the child: be the guardian. Never returns."""
    code = 1
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_NAME, b"pysmon files", 0, 0, 0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # Ctrl-C is for the sensor, which ends us
            signal.signal(number, signal.SIG_IGN)
        close_all_but(channel.fileno(), group.fd)
        drop_capabilities(_RIGHTS)
        gc.freeze()  # what is shared with the sensor's process stays shared
        Guardian(channel, group).serve()
        code = 0
    except Exception as error:
        with suppress(OSError):
            send(channel, [Message(TROUBLE, text=f"the process that watches files failed: {error}")])
    finally:
        os._exit(code)
