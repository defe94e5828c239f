"""Serves followers: whoever connects to a local socket gets every entry from then on, as JSON lines.

Each follower has a buffer of its own. One that reads too slowly misses entries, and is told how many by a line
`{"Gap":17}` in their place; one that reads nothing at all while its buffer is full is disconnected. Nobody else waits
for it, neither the other followers nor the other outputs.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pysmon.errors import SinkError
from pysmon.formats.json_line import json_line
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.descriptor import cause, hint
from pysmon.sinks.local import identity, listen, peer_of
from pysmon.sinks.sink import Changing, WriteError, unwatched

BUFFER = 8 << 20  # bytes for each follower
FOLLOWERS = 32  # at the same time
PATIENCE = 60.0  # s that a follower may read nothing while its buffer is full
_LINGER = 0.25  # s that one `flush` may take


@dataclass(slots=True)
class _Follower:
    socket: socket.socket
    read_at: float  # when it last took something, or could have
    buffer: deque[memoryview] = field(default_factory=deque)
    size: int = 0  # of the buffer, in bytes
    missed: int = 0  # entries

    def take(self, line: bytes, most: int) -> None:
        """Buffer the line, or miss it."""
        told = b'{"Gap":%d}\n' % self.missed if self.missed else b""
        if self.size + len(told) + len(line) > most and self.buffer:
            self.missed += 1
            return
        for part in (told, line):
            if part:
                self.buffer.append(memoryview(part))
                self.size += len(part)
        self.missed = 0

    def send(self, now: float) -> None:
        """Send what it takes at once; OSError if it is gone."""
        while self.buffer:
            try:
                sent = self.socket.send(self.buffer[0])
            except BlockingIOError:
                return
            self.read_at = now
            self.size -= sent
            if sent < len(self.buffer[0]):
                self.buffer[0] = self.buffer[0][sent:]
            else:
                self.buffer.popleft()
        self.read_at = now


class FollowSink:
    """A sink for followers; with none of them, entries go nowhere and cost nothing."""

    def __init__(
        self,
        path: Path,
        *,
        buffer: int = BUFFER,
        followers: int = FOLLOWERS,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Listen on the socket `path`, for root and the own user alone whatever the umask. SinkError if that cannot be.

        A socket that nobody listens on any more is replaced; one that is in use, and any other kind of file, is not.
        """
        self.name = f"followers at {path}"
        self.changing: Changing = unwatched
        self._path, self._most, self._many, self._patience, self._clock = path, buffer, followers, patience, clock
        self._followers: list[_Follower] = []
        self._strangers = self._dropped = self._too_many = 0
        self._listener: socket.socket | None = None
        self._listen()

    @property
    def followed(self) -> bool:
        """Is anybody connected? From any thread."""
        return bool(self._followers)

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Give the entries to everybody who is connected."""
        if self._listener is None:
            raise WriteError(f"{self.name}: the socket is closed", written=0)
        self._welcome(self._listener)
        if self._followers:
            for entry in entries:
                line = json_line(entry) + b"\n"
                if any(follower.size + len(line) > self._most for follower in self._followers):
                    self._send()  # who reads quickly misses nothing, however large the batch
                for follower in self._followers:
                    follower.take(line, self._most)
        self._send()

    def flush(self) -> None:
        """Hand on what is buffered, for a moment, and see who came and who left."""
        if self._listener is None:
            return
        self._welcome(self._listener)
        self._send()
        until = self._clock() + _LINGER
        while (waiting := [f for f in self._followers if f.buffer]) and (left := until - self._clock()) > 0:
            ready = select.poll()
            for follower in waiting:
                ready.register(follower.socket, select.POLLOUT)
            if not ready.poll(left * 1000):
                return
            self._send()

    def reopen(self) -> None:
        """Listen anew if the socket's file is gone or another one."""
        if self._listener is not None and not self._is_ours():
            self._listener.close()
            self._listener = None
            with self.changing(self._path):
                self._listen()

    def close(self) -> None:
        """Disconnect everybody after a last moment, and remove the socket; a second call does nothing."""
        if self._listener is None:
            return
        self.flush()
        for follower in self._followers:
            follower.socket.close()
        self._followers.clear()
        if self._is_ours():
            with suppress(OSError):
                self._path.unlink()
        self._listener.close()
        self._listener = None

    def remarks(self) -> list[str]:
        """Who was turned away or disconnected."""
        told = [
            f"{what}: {count}"
            for what, count in (
                ("turned away, being neither root nor of our user", self._strangers),
                ("turned away, there being too many", self._too_many),
                ("disconnected, reading nothing", self._dropped),
            )
            if count
        ]
        self._strangers = self._too_many = self._dropped = 0
        return told

    def _listen(self) -> None:
        try:
            self._listener = listen(self._path)
        except OSError as error:
            raise SinkError(f"cannot listen on {self._path}: {cause(error)}", hint=hint(error)) from error
        self._identity = identity(self._path)

    def _is_ours(self) -> bool:
        return identity(self._path) == self._identity

    def _welcome(self, listener: socket.socket) -> None:
        while True:
            try:
                made, _ = listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                raise SinkError(f"cannot accept followers: {cause(error)}") from error
            made.setblocking(False)
            if not peer_of(made).may:
                self._strangers += 1
                made.close()
            elif len(self._followers) >= self._many:
                self._too_many += 1
                made.close()
            else:
                self._followers.append(_Follower(made, self._clock()))

    def _send(self) -> None:
        now = self._clock()
        staying = []
        for follower in self._followers:
            try:
                follower.send(now)
                gone = not follower.buffer and _has_left(follower.socket)
            except OSError:
                gone = True
            stuck = follower.missed and now - follower.read_at > self._patience
            self._dropped += bool(stuck and not gone)
            if gone or stuck:
                follower.socket.close()
            else:
                staying.append(follower)
        self._followers = staying


def _has_left(made: socket.socket) -> bool:
    try:
        return made.recv(4096) == b""
    except BlockingIOError:
        return False
