"""The process that reads the clipboard of one display, with the rights of the session's user and no others."""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import select
import signal
import socket
import struct
import termios
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace

from pysmon.sensor.capabilities import drop_capabilities
from pysmon.sensor.clipboard.authority import NO_COOKIE, cookie, read_authority
from pysmon.sensor.clipboard.change import LIMIT, TOO_MUCH, Change, DisplayError
from pysmon.sensor.clipboard.displays import Display
from pysmon.sensor.clipboard.seal import sealed
from pysmon.sensor.clipboard.stream import Stream
from pysmon.sensor.clipboard.wayland import NoDataControlError, WaylandClipboard
from pysmon.sensor.clipboard.wire import LOST, WATCHING, Message, changed
from pysmon.sensor.clipboard.x11 import X11Clipboard

ENDED, FAILED, HIDDEN = 0, 1, 3  # exit codes: we were let go; the display failed; it lets nobody see its clipboard
_ANSWER = 5.0  # s that a display has to let us in
_UNSENT = 2048  # changes that may wait for the sensor
_UNREAD = 2 * LIMIT  # bytes of content that may do so
_NOBODY = 65534
_DIE_WITH_PARENT, _NAME = 1, 15  # linux/prctl.h


class Outbox:
    """Changes on their way to the sensor. What there is no room for goes without content, or is counted as lost."""

    def __init__(self, channel: socket.socket) -> None:
        """Over that channel."""
        channel.setblocking(False)
        self._channel = channel
        self._waiting: deque[Change] = deque()
        self._bytes = self._lost = 0  # of content that the sensor may not have taken yet; changes not told

    @property
    def full(self) -> bool:
        """Does something wait for the channel?"""
        return bool(self._waiting or self._lost)

    def put(self, change: Change) -> None:
        """Send it, now or with the next `flush`."""
        if len(self._waiting) >= _UNSENT:
            self._lost += 1
            return
        size = len(change.content or b"")
        if not self._waiting and not _unread(self._channel):
            self._bytes = 0
        if self._bytes + size > _UNREAD:
            change = replace(change, content=None, outcome=TOO_MUCH)
            size = 0
        self._bytes += size
        self._waiting.append(change)
        self.flush()

    def flush(self) -> None:
        """Send what waits. OSError if the sensor has gone."""
        with suppress(BlockingIOError):
            while self._waiting:
                _send(self._channel, self._waiting[0])
                self._waiting.popleft()
            if self._lost:
                Message(LOST, size=self._lost).send(self._channel)
                self._lost = 0


def serve(display: Display, root: str, channel: socket.socket, known: tuple[bytes, bytes] = NO_COOKIE) -> int:
    """Read until the display or the channel ends; why it ended. DisplayError if the display fails.

    `root` is the folder that the paths of the display begin in; `known`, its cookie if we may not read that.
    """
    file = os.open(root + display.socket, os.O_PATH | os.O_CLOEXEC)
    try:
        stream = Stream(f"/proc/self/fd/{file}")  # however long the path is
    finally:
        os.close(file)
    try:
        if display.kind == "wayland":
            return _watch(WaylandClipboard(stream, _since_boot), stream, channel)
        own = known if known != NO_COOKIE else _cookie(display, root)
        return _watch(X11Clipboard(stream, own, _since_boot), stream, channel)
    finally:
        stream.close()


def _watch(clipboard: X11Clipboard | WaylandClipboard, stream: Stream, channel: socket.socket) -> int:
    outbox, told = Outbox(channel), False
    until = time.monotonic() + _ANSWER
    while True:
        poll = select.poll()
        poll.register(channel, select.POLLIN | (select.POLLOUT if outbox.full else 0))
        poll.register(stream, select.POLLIN | (select.POLLOUT if stream.unsent else 0))
        for file in clipboard.files():
            poll.register(file, select.POLLIN)
        ready = dict(poll.poll(_wait(clipboard, told, until)))
        if ready.get(channel.fileno(), 0) & ~select.POLLOUT:  # nothing is ever told us: it has ended
            return ENDED
        stream.flush()
        changes = clipboard.take() if ready.keys() - {channel.fileno()} else []
        for change in [*changes, *clipboard.expire(_since_boot() / 1e9)]:
            outbox.put(change)
        outbox.flush()
        if clipboard.ready and not told:
            told = True
            Message(WATCHING).send(channel)
        if not told and time.monotonic() > until:
            raise DisplayError("it does not answer")


def _wait(clipboard: X11Clipboard | WaylandClipboard, told: bool, until: float) -> float | None:
    """How many ms there is nothing to do but wait; None for ever."""
    if not told:
        return max(until - time.monotonic(), 0) * 1000 + 1
    return max(clipboard.due - _since_boot() / 1e9, 0) * 1000 + 1 if clipboard.due else None


def become(uid: int) -> None:
    """Take on the rights of that user, and no others: no group of his, no capability, none to be had later.

    For root it is the same without any capability. OSError if that is refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if uid:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(uid, uid, uid)
    drop_capabilities(())
    libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)  # the kernel forgets it whenever the user changes


def read_for(display: Display, root: int, channel: socket.socket) -> None:
    """In a process of its own: be the reader, until that is over. Never returns. `root` is an open folder."""
    code = FAILED
    try:
        ctypes.CDLL(None).prctl(_NAME, b"pysmon clip", 0, 0, 0)
        with suppress(OSError):
            os.nice(10)
        gc.freeze()  # what is shared with the other process stays shared
        folder = f"/proc/self/fd/{root}"
        known = _cookie(display, folder) if display.root_authority else NO_COOKIE
        become(display.uid)
        code = serve(display, folder, channel, known)
    except NoDataControlError:
        code = HIDDEN
    except Exception:
        code = FAILED
    finally:
        os._exit(code)


def _cookie(display: Display, root: str) -> tuple[bytes, bytes]:
    return cookie(read_authority(root + display.authority), display.name[1:]) if display.authority else NO_COOKIE


def _send(channel: socket.socket, change: Change) -> None:
    if change.content is None:
        changed(change, -1).send(channel)
        return
    file = sealed(change.content)
    try:
        changed(change, file).send(channel)
    finally:
        os.close(file)


def _unread(channel: socket.socket) -> bool:
    """Are there messages that the other side has not taken yet?"""
    (count,) = struct.unpack("i", fcntl.ioctl(channel, termios.TIOCOUTQ, bytes(4)))
    return bool(count)


def _since_boot() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
