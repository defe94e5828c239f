"""The process that finds displays and starts a reader for each: it has the right to become other users."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from pysmon.sensor.clipboard.displays import Display, completed, find_displays, made_by
from pysmon.sensor.clipboard.reader import HIDDEN, read_for
from pysmon.sensor.clipboard.wire import BEGIN, CEASE, READER, Message, display_text, receive

EVERY = 2.0  # s between two looks for displays
_MOST = 32  # readers at a time
_FIRST_REST, _LONGEST_REST = 4.0, 300.0  # s after which a display that failed is tried anew: longer each time
_MACHINE = "/proc/1/root"  # its root, also where we see another one (PrivateTmp=)
_Key = tuple[str, int]  # path and inode of the socket


@dataclass(slots=True)
class _Reader:
    """One display: its reader, or when it is tried again."""

    display: Display
    pid: int = 0
    tries: int = 0
    again: float = 0.0
    hidden: bool = False  # it lets nobody see its clipboard


class Finder:
    """Looks for displays while it is told to, and talks over a channel until that ends."""

    def __init__(self, channel: socket.socket, only: Collection[str] | None, *, every: float = EVERY) -> None:
        """`only`: the displays of these sockets; None means all. `every` is s between two looks."""
        self._channel, self._only, self._every = channel, only, every
        self._root = _root(only)
        self._readers: dict[_Key, _Reader] = {}
        self._looking = False

    def serve(self) -> None:
        """Work until the sensor has gone."""
        while True:
            ready, _, _ = select.select([self._channel], [], [], self._every if self._looking else None)
            if ready:
                message = receive(self._channel)
                if message is None:
                    return
                self._looking = message.what == BEGIN
                if message.what == CEASE:
                    self._cease()
            if self._looking:
                self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Take notice of displays that came and went. `now` in s."""
        self._bury(now)
        found = find_displays(f"/proc/self/fd/{self._root}", self._only)
        there = {(each.socket, each.inode): each for each in found}
        for key in self._readers.keys() - there.keys():
            self._end(self._readers.pop(key))
        for key, display in there.items():
            reader = self._readers.setdefault(key, _Reader(display))
            if reader.pid or reader.hidden or now < reader.again:
                continue
            if self._is_shown_elsewhere(display, found) or sum(bool(r.pid) for r in self._readers.values()) >= _MOST:
                continue
            reader.display = completed(f"/proc/self/fd/{self._root}", display)
            self._start(reader)

    def _is_shown_elsewhere(self, display: Display, found: Collection[Display]) -> bool:
        """Does a Wayland display tell the same, which has this one made for X11 programs?"""
        other = made_by(display, found)
        if other is None:
            return False
        reader = self._readers.get((other.socket, other.inode))
        return reader is not None and not reader.hidden

    def _start(self, reader: _Reader) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with suppress(OSError):
            its.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._channel.close()
            read_for(reader.display, self._root, its)
        its.close()
        reader.pid = pid
        with suppress(OSError):  # the sensor has gone: so shall we
            Message(READER, pid=pid, text=display_text(reader.display), file=ours.fileno()).send(self._channel)
        ours.close()

    def _bury(self, now: float) -> None:
        """Readers that have ended: their displays are tried again, unless they show nothing."""
        for reader in self._readers.values():
            if not reader.pid:
                continue
            pid, status = os.waitpid(reader.pid, os.WNOHANG)
            if pid:
                reader.pid = 0
                reader.hidden = os.WIFEXITED(status) and os.WEXITSTATUS(status) == HIDDEN
                reader.again = now + min(_FIRST_REST * 2**reader.tries, _LONGEST_REST)
                reader.tries = min(reader.tries + 1, 16)

    def _cease(self) -> None:
        for reader in self._readers.values():
            self._end(reader)
        self._readers.clear()

    def _end(self, reader: _Reader) -> None:
        if reader.pid:
            with suppress(OSError):
                os.kill(reader.pid, signal.SIGKILL)
                os.waitpid(reader.pid, 0)
            reader.pid = 0


def _root(only: Collection[str] | None) -> int:
    """The machine's root, opened; ours where that is refused, or names of ours were given."""
    flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
    with suppress(OSError):
        if only is None:
            return os.open(_MACHINE, flags)
    return os.open("/", flags)
