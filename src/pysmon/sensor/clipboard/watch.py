"""The sensor's side of the clipboards: starts the process that finds displays, and makes records of what is told."""

from __future__ import annotations

import ctypes
import gc
import os
import select
import signal
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pysmon.errors import SensorError
from pysmon.sensor.capabilities import drop_capabilities, effective
from pysmon.sensor.clipboard.change import LIMIT
from pysmon.sensor.clipboard.displays import Display
from pysmon.sensor.clipboard.finder import Finder
from pysmon.sensor.clipboard.seal import is_sealed
from pysmon.sensor.clipboard.wire import (
    BEGIN,
    CEASE,
    CHANGED,
    LOST,
    READER,
    TROUBLE,
    WATCHING,
    Message,
    display_of,
    receive,
)
from pysmon.sensor.descriptors import close_all_but
from pysmon.sensor.records import ClipboardRecord

# To become the users of sessions and end what runs as them, and to see the root of the machine and its processes.
RIGHTS = ("CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH")
_TO_BECOME_OTHERS = frozenset(RIGHTS[:3])
_HINT = "the unit of the service needs a drop-in for that: docs/clipboard.md"
_AT_ONCE = 256  # changes that are taken in before they are judged
_BYTES = 4 * LIMIT  # of their content
_DIE_WITH_PARENT, _NAME = 1, 15  # linux/prctl.h


@dataclass(slots=True)
class _Channel:
    """What a reader tells, and of which display."""

    socket: socket.socket
    display: Display
    watching: bool = False


class ClipboardWatch:
    """The clipboards of all sessions, or of displays that are named."""

    def __init__(self, displays: Iterable[Path] | None = None) -> None:
        """Start the process; before this one has threads, and gives up rights. It connects to nothing until `want`.

        `displays`: only those of these sockets. SensorError if that cannot be.
        """
        if missing := sorted(_TO_BECOME_OTHERS - effective()):
            raise SensorError(f"to become the users of sessions, {', '.join(missing)} is missing", hint=_HINT)
        only = None if displays is None else [os.path.realpath(path) for path in displays]
        self._channel, self.pid = _start(only)
        self._channel.setblocking(False)
        self._poll = select.epoll()
        self._poll.register(self._channel, select.EPOLLIN)
        self._readers: dict[int, _Channel] = {}  # by descriptor
        self.due = self.lost = 0
        self._tokens, self._bytes = 0, 0
        self._held: dict[int, tuple[int, int]] = {}  # by token: descriptor and bytes of content
        self._ready: list[ClipboardRecord] = []
        self._early: list[ClipboardRecord] = []
        self._more = False
        self._troubles: list[str] = []
        self._wanted = False

    @property
    def waiting(self) -> bool:
        """Are there records that `turn` has still to give?"""
        return bool(self._ready or self._early or self._more)

    @property
    def watched(self) -> tuple[Display, ...]:
        """The displays that are watched now."""
        return tuple(reader.display for reader in self._readers.values() if reader.watching)

    def want(self, wanted: bool) -> None:
        """Watch from now on, or end all connections to displays."""
        if wanted != self._wanted:
            self._wanted = wanted
            with suppress(OSError):  # it has ended: `look` tells
                Message(BEGIN if wanted else CEASE).send(self._channel)

    def turn(self) -> list[ClipboardRecord]:
        """Records that came before the last call, and take in those that have come since.

        So call it after the rings were read: what they tell of the processes is known then.
        """
        ready, self._ready = self._ready, self._early
        self._early, self._more = [], False
        self._take_in()
        return ready

    def content(self, token: int) -> str:
        """The path of the content of a record, until `release`; empty if there is none."""
        held = self._held.get(token)
        return f"/proc/self/fd/{held[0]}" if held else ""

    def release(self, token: int) -> None:
        """Nobody asks for the content of this record any more."""
        held = self._held.pop(token, None)
        if held:
            self._bytes -= held[1]
            os.close(held[0])

    def look(self) -> list[str]:
        """Once a second; what went wrong since the last time, in words."""
        told, self._troubles = self._troubles, []
        return told

    def fileno(self) -> int:
        """To be polled: readable when something has happened."""
        return self._poll.fileno()

    def close(self) -> None:
        """End the process and let go of everything. A second call does nothing."""
        self._end("")
        for token in list(self._held):
            self.release(token)
        self._poll.close()

    def _take_in(self) -> None:
        if self._poll.closed:
            return
        for file, _ in self._poll.poll(0):
            while not self._more:
                self._more = len(self._early) >= _AT_ONCE or self._bytes > _BYTES
                if self._more or not self._take_one(file):
                    break

    def _take_one(self, file: int) -> bool:
        """One message; False if there was none."""
        reader = self._readers.get(file)
        try:
            message = receive(reader.socket if reader else self._channel)
        except BlockingIOError:
            return False
        except OSError:
            message = None
        if message is None:
            if reader:
                self._forget(file)
            else:
                self._end("the process that finds displays has ended: nothing is told of clipboards any more")
            return False
        if message.file >= 0 and message.what not in (CHANGED, READER):
            os.close(message.file)
        if reader:
            self._note(message, reader)
        elif message.what == READER and message.file >= 0:
            self._meet(message)
        elif message.what == TROUBLE:
            self._troubles.append(message.text)
        return True

    def _meet(self, message: Message) -> None:
        channel = socket.socket(fileno=message.file)
        channel.setblocking(False)
        self._readers[message.file] = _Channel(channel, display_of(message.text))
        self._poll.register(channel, select.EPOLLIN)

    def _forget(self, file: int) -> None:
        reader = self._readers.pop(file)
        self._poll.unregister(reader.socket)
        reader.socket.close()

    def _note(self, message: Message, reader: _Channel) -> None:
        if message.what == CHANGED:
            self.due += 1
            self._early.append(self._record(message, reader.display))
        elif message.what == LOST:
            self.due += message.size
            self.lost += message.size
        elif message.what == WATCHING:
            reader.watching = True

    def _record(self, message: Message, display: Display) -> ClipboardRecord:
        token = 0
        if message.file >= 0 and not is_sealed(message.file, message.size):
            os.close(message.file)
        elif message.file >= 0:
            token = self._tokens = self._tokens + 1
            self._held[token] = (message.file, message.size)
            self._bytes += message.size
        return ClipboardRecord.make(
            tgid=message.pid,
            tid=message.pid,
            time=message.time,
            token=token,
            content_size=message.size,
            uid=display.uid,
            session=display.session.number,
            outcome=message.outcome,
            display=display.name.encode()[:255],
            session_name=display.session.name.encode()[:255],
            remote=display.session.remote.encode()[:255],
            targets=message.text.encode()[:4096],
        )

    def _end(self, trouble: str) -> None:
        if not self.pid:
            return
        pid, self.pid = self.pid, 0
        for file in list(self._readers):
            self._forget(file)
        with suppress(OSError):
            self._poll.unregister(self._channel)
        self._channel.close()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
        if trouble:
            self._troubles.append(trouble)


def _start(only: list[str] | None) -> tuple[socket.socket, int]:
    """The channel to a new process that finds displays, and its id."""
    try:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
    except OSError as error:
        raise SensorError(f"no process to find displays: {error.strerror}") from error
    if pid == 0:
        _find(its, only)
    its.close()
    return ours, pid


def _find(channel: socket.socket, only: list[str] | None) -> None:
    """In the child: be the finder. Never returns."""
    code = 1
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_NAME, b"pysmon clips", 0, 0, 0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # Ctrl-C is for the sensor, which ends us
            signal.signal(number, signal.SIG_IGN)
        close_all_but(channel.fileno())
        drop_capabilities(RIGHTS)
        gc.freeze()  # what is shared with the sensor's process stays shared
        Finder(channel, only).serve()
        code = 0
    except Exception as error:
        with suppress(OSError):
            Message(TROUBLE, text=f"the process that finds displays failed: {error}").send(channel)
    finally:
        os._exit(code)
