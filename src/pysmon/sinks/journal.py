"""Sends entries to systemd-journald by its native protocol, so that their fields can be searched."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from pysmon.formats.journal import journal_entry
from pysmon.formats.table import Render
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.datagrams import PATIENCE, Datagrams
from pysmon.sinks.descriptor import cause
from pysmon.sinks.sink import WriteError

SOCKET = Path("/run/systemd/journal/socket")
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
_HINTS = {
    errno.ENOENT: "does systemd-journald run on this machine?",
    errno.ECONNREFUSED: "does systemd-journald run on this machine?",
    errno.EACCES: "pysmon may not write to that socket",
}


class JournalSink:
    """A sink on the journal. An entry larger than a datagram goes in a sealed file in memory, as journald has it."""

    def __init__(self, render: Render, path: Path = SOCKET, *, patience: float = PATIENCE) -> None:
        """`render` makes the MESSAGE of an entry; `patience` is that with a journald that reads nothing, in seconds."""
        self.name = "journald" if path == SOCKET else f"journald {path}"
        self._render, self._path = render, path
        self._way = Datagrams(self._connect, _send_in_memory, patience)
        self._closed = False

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Send them all."""
        if self._closed:
            raise WriteError(f"{self.name} is closed", written=0)
        sent, error = self._way.send([journal_entry(self._render, entry) for entry in entries])
        if error is not None:
            hint = _HINTS.get(error.errno or 0, "")
            raise WriteError(f"cannot send to {self.name}: {cause(error)}", written=sent, hint=hint) from error

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    @property
    def calm(self) -> bool:
        """Always: nothing is held back."""
        return True

    def reopen(self) -> None:
        """Connect anew."""
        self._way.close()

    def close(self) -> None:
        """Let go of the socket; a second call does nothing."""
        self._closed = True
        self._way.close()

    def _connect(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            made.connect(str(self._path))
        except BaseException:
            made.close()
            raise
        return made


def _send_in_memory(ready: socket.socket, message: bytes) -> None:
    fd = os.memfd_create("pysmon", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(fd, "wb", buffering=0) as file:
        view = memoryview(message)
        while view:
            view = view[file.write(view) :]
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)  # journald refuses what could still change under its eyes
        socket.send_fds(ready, [b""], [fd])
