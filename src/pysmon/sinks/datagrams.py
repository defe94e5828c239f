"""Sends messages as datagrams, to a local socket or by UDP, and connects anew when the other side was away."""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable, Sequence

PATIENCE = 10.0  # s that a local receiver whose queue is full is waited for
_ANSWER = 100  # ms in which a host tells that nobody listens there
_GONE = {errno.ECONNREFUSED, errno.ENOTCONN, errno.EPIPE, errno.ECONNRESET}

Connect = Callable[[], socket.socket]
Oversize = Callable[[socket.socket, bytes], None]  # what to do with a message that the kernel finds too large


class Datagrams:
    """A way for messages that arrive whole or not at all. What the kernel has taken counts as sent.

    By UDP more than that cannot be known; but a host that says that nobody listens is believed.
    """

    def __init__(self, connect: Connect, oversize: Oversize, patience: float = PATIENCE) -> None:
        """`connect` makes a socket that is connected; OSError. `patience` is that with a receiver, in seconds."""
        self._connect, self._oversize, self._patience = connect, oversize, patience
        self._socket: socket.socket | None = None
        self._doubtful = True  # whether it is not known that somebody listens

    def send(self, messages: Sequence[bytes]) -> tuple[int, OSError | None]:
        """Send them in order: how many went out, and what stopped the others."""
        for number, message in enumerate(messages):
            try:
                self._send(message)
            except OSError as error:
                went = self._before(number, error)
                self.close()
                return went, error
        return len(messages), None

    def flush(self) -> OSError | None:
        """Do nothing: nothing is held back."""
        return None

    def close(self) -> OSError | None:
        """Let go of the socket; the next message opens it anew."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._doubtful = None, True
        return None

    def _before(self, number: int, error: OSError) -> int:
        refused = error.errno == errno.ECONNREFUSED and self._socket is not None and not _is_local(self._socket)
        return max(number - 1, 0) if refused else number  # what a host refuses is the one before

    def _send(self, message: bytes) -> None:
        ready = self._ready()
        try:
            self._put(ready, message)
        except OSError as error:
            if error.errno not in _GONE or not _is_local(ready):
                raise
            self.close()
            self._put(self._ready(), message)  # the receiver was started anew, perhaps
        if self._doubtful and self._socket is not None and not _is_local(self._socket):
            _ask(self._socket)
        self._doubtful = False

    def _put(self, ready: socket.socket, message: bytes) -> None:
        try:
            ready.send(message)
        except OSError as error:
            if error.errno != errno.EMSGSIZE and not (error.errno == errno.ENOBUFS and _is_local(ready)):
                raise
            self._oversize(ready, message)

    def _ready(self) -> socket.socket:
        if self._socket is None:
            self._socket = self._connect()
            self._socket.settimeout(self._patience)
        return self._socket


def _is_local(ready: socket.socket) -> bool:
    return ready.family == socket.AF_UNIX


def _ask(ready: socket.socket) -> None:
    """Wait a moment for the host to say that nobody listens; OSError if it does."""
    told = select.poll()
    told.register(ready, 0)
    if told.poll(_ANSWER):
        number = ready.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        raise OSError(number, os.strerror(number))
