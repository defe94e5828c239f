"""Sends framed messages over a connection, and makes it anew after its death without losing or tearing a message.

What was handed to the kernel is kept until the other side's kernel has acknowledged it (by TCP), or has been read (from
a local socket): messages that were on their way when a connection died go first over the next one. So none is lost by
that, and some may come twice. What the other program had not read from its own kernel when it died is lost: syslog has
no acknowledgements.
"""

from __future__ import annotations

import fcntl
import select
import socket
import struct
import termios
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from pysmon.sinks.datagrams import PATIENCE, Connect

_LINGER = 1.0  # s in which the other side may acknowledge at the end
_HUNG_UP = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class Connection:
    """A way for messages in one stream of bytes; each is given with its framing."""

    def __init__(self, connect: Connect, patience: float = PATIENCE) -> None:
        """`connect` makes a socket that is connected; OSError.

        The other side counts as dead after `patience` seconds without any progress.
        """
        self._connect, self._patience = connect, patience
        self._socket: socket.socket | None = None
        self._sent: deque[bytes] = deque()  # handed to the kernel and not acknowledged
        self._again: list[bytes] = []  # of a connection that died

    def send(self, messages: Sequence[bytes]) -> tuple[int, OSError | None]:
        """Send them in order: how many are on their way for certain, and what stopped the others.

        A message of which a part went out goes whole over the next connection.
        """
        if self._socket is not None and _has_hung_up(self._socket):
            self._let_go()
        everything = [*self._again, *messages]
        before = len(self._again)
        try:
            whole, error = self._put(self._ready(), everything)
        except OSError as refused:
            return 0, refused
        self._sent.extend(everything[:whole])
        self._again = everything[whole:before]
        if error is not None:
            self._let_go()
        else:
            self._forget()
        return max(whole - before, 0), error

    def flush(self) -> OSError | None:
        """Send again what was on its way when the last connection died; what is in the way of that, if anything."""
        if self._socket is not None:
            if not _has_hung_up(self._socket):
                self._forget()
                self._drain(self._socket)
                return None
            self._let_go()
        return self.send(())[1] if self._again else None

    def close(self) -> OSError | None:
        """End the connection; what did not come through, if that is known to be so."""
        error = self.flush()
        if self._socket is not None:
            self._linger(self._socket)
            self._let_go()
        return error

    @property
    def unacknowledged(self) -> int:
        """How many messages are on their way."""
        return len(self._sent) + len(self._again)

    def _ready(self) -> socket.socket:
        if self._socket is None:
            self._socket = self._connect()
            self._socket.settimeout(self._patience)
        return self._socket

    def _put(self, ready: socket.socket, messages: Sequence[bytes]) -> tuple[int, OSError | None]:
        data = memoryview(b"".join(messages))
        done, error = 0, None
        try:
            while done < len(data):
                done += ready.send(data[done:])
        except OSError as failure:
            error = failure
        whole = 0
        for message in messages:
            if done < len(message):
                break
            done -= len(message)
            whole += 1
        return whole, error

    def _forget(self) -> None:
        """Forget what has been acknowledged."""
        if self._socket is None or not self._sent:
            return
        left = _unacknowledged(self._socket)
        keep = 0
        for message in reversed(self._sent):
            if left <= 0:
                break
            left -= len(message)
            keep += 1
        while len(self._sent) > keep:
            self._sent.popleft()

    def _linger(self, ready: socket.socket) -> None:
        wait = select.poll()  # for nothing: to sleep
        for _ in range(int(_LINGER * 100)):
            self._forget()
            if not self._sent or _has_hung_up(ready):
                return
            wait.poll(10)

    def _drain(self, ready: socket.socket) -> None:
        """Take what the other side says, without waiting: unread bytes would make the end of the connection a reset."""
        with suppress(OSError):
            ready.settimeout(0.0)
            while ready.recv(65536):
                continue
        with suppress(OSError):
            ready.settimeout(self._patience)

    def _let_go(self) -> None:
        if self._socket is not None:
            self._drain(self._socket)
            self._socket.close()
        self._socket = None
        self._again = [*self._sent, *self._again]
        self._sent.clear()


def _has_hung_up(ready: socket.socket) -> bool:
    look = select.poll()
    look.register(ready, select.POLLRDHUP)
    return any(events & _HUNG_UP for _, events in look.poll(0))


def _unacknowledged(ready: socket.socket) -> int:
    """Bytes that the kernel has and the other side's has not; for TLS somewhat more than those of the messages."""
    try:
        (left,) = struct.unpack("i", fcntl.ioctl(ready.fileno(), termios.TIOCOUTQ, bytes(4)))
    except OSError:
        return 1 << 62
    return int(left)
