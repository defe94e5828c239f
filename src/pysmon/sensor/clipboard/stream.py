"""The connection to a display, which never waits: what comes and what cannot be sent yet gather in buffers."""

from __future__ import annotations

import array
import socket

from pysmon.sensor.clipboard.change import DisplayError

_CHUNK = 1 << 16
_UNSENT = 1 << 22  # bytes that may wait for a display that is slow to read


class Stream:
    """A connected Unix socket."""

    def __init__(self, path: str) -> None:
        """DisplayError if nobody answers there."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self.incoming, self._unsent = bytearray(), bytearray()
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise DisplayError(f"cannot connect: {error.strerror or error}") from error

    def fileno(self) -> int:
        """To be polled."""
        return self._socket.fileno()

    def read(self) -> None:
        """Take in some of what has come; DisplayError at the end."""
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            raise DisplayError(error.strerror or str(error)) from error
        if not data:
            raise DisplayError("it has ended")
        self.incoming += data

    def take(self, size: int) -> bytes:
        """The first bytes, which must be there."""
        data = bytes(self.incoming[:size])
        del self.incoming[:size]
        return data

    @property
    def unsent(self) -> bool:
        """Is there something to `flush` once it can be written?"""
        return bool(self._unsent)

    def send(self, data: bytes, file: int = -1) -> None:
        """Send, now or later; with an open file beside it, which must go now. DisplayError if that cannot be."""
        if file < 0:
            self._unsent += data
            self.flush()
            return
        self.flush()
        beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))]
        try:
            sent = 0 if self._unsent else self._socket.sendmsg([data], beside)
        except OSError as error:
            raise DisplayError(error.strerror or str(error)) from error
        if sent != len(data):
            raise DisplayError("it does not read what is sent")

    def flush(self) -> None:
        """Send what waits, as much as goes."""
        try:
            sent = self._socket.send(self._unsent) if self._unsent else 0
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise DisplayError(error.strerror or str(error)) from error
        del self._unsent[:sent]
        if len(self._unsent) > _UNSENT:
            raise DisplayError("it does not read what is sent")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
