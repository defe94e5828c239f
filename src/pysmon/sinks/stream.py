"""Writes entries to an open descriptor that is not ours to reopen: standard output, a pipe, a terminal."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from pysmon.formats.table import Render
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.descriptor import cause, hint, write_fully
from pysmon.sinks.sink import ReaderGoneError, WriteError


class StreamSink:
    """A sink on a descriptor; it never closes it. An entry that was cut by an error is completed by the next call."""

    def __init__(self, fd: int, name: str, render: Render) -> None:
        """`name` is what messages call the stream."""
        self.name = name
        self._fd = fd
        self._render = render
        self._rest = b""  # of an entry whose first bytes went out
        self._open = True

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Write them all, waiting for a slow reader."""
        if not self._open:
            raise WriteError(f"{self.name} is closed", written=0)
        self._put([self._rest, *(self._render(entry) + b"\n" for entry in entries)])

    def flush(self) -> None:
        """Complete what an error cut."""
        if self._open and self._rest:
            self._put([self._rest])

    def close(self) -> None:
        """Complete what an error cut, and write no more."""
        if self._open:
            try:
                self.flush()
            finally:
                self._open = False

    def _put(self, blocks: list[bytes]) -> None:
        done, error = write_fully(self._fd, b"".join(blocks))
        begun, left = 0, done
        while begun < len(blocks) and left >= len(blocks[begun]):
            left -= len(blocks[begun])
            begun += 1
        torn = error is not None and (left > 0 or begun == 0)
        self._rest = blocks[begun][left:] if torn else b""
        if error is not None:
            kind = ReaderGoneError if error.errno == errno.EPIPE else WriteError
            written = begun - 1 + bool(left) if begun else 0
            raise kind(f"cannot write to {self.name}: {cause(error)}", written=written, hint=hint(error)) from error
