"""An EVTX file that is being written: whole at every moment, so that a crash costs only what was not put yet.

A new chunk goes out as a whole. More records for it are put behind those that it has, and only then its header tells
of them. The header of the file is marked dirty until the file is closed, as Windows does it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pysmon.formats.evtx.layout import CHUNK_SIZE, FILE_HEADER_SIZE, FileHeader
from pysmon.formats.evtx.write import Chunk, Row
from pysmon.formats.evtx.write_end import End
from pysmon.formats.evtx.write_template import Definitions


class EvtxFile:
    """An open file. All methods may raise OSError; then `forget` what is not in the file, and go on."""

    def __init__(self, fd: int, end: End, definitions: Definitions) -> None:
        """Go on behind that end; what follows it is cut off. A file without records is begun anew."""
        self._fd, self._end, self._definitions = fd, end, definitions
        self._chunk = self._begun()
        self._put = 0  # records of the chunk that are in the file
        if end.chunks:
            os.ftruncate(fd, _place(end.chunks))
        else:
            os.ftruncate(fd, 0)
            self._write(self._chunk.whole(), FILE_HEADER_SIZE)  # a log without records is one empty chunk
            self._write(bytes(FILE_HEADER_SIZE - 128), 128)
        self._mark(dirty=True)

    @property
    def next_id(self) -> int:
        """The id of the next record."""
        return self._end.next_id + self._chunk.count

    @property
    def chunks(self) -> int:
        """How many chunks there are with the one that is being filled."""
        return self._end.chunks + 1

    def is_named(self, path: Path) -> bool:
        """Whether that is a name of it."""
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(path))
        except OSError:
            return False

    def add(self, row: Row, filetime: int) -> bool:
        """Add a record, or tell that the chunk has no room for it."""
        return self._chunk.add(row, filetime)

    def put(self) -> None:
        """Write what was added since the last time."""
        if not self._chunk.fresh:
            return
        place = _place(self._end.chunks)
        if self._put:
            offset, data = self._chunk.take()
            self._write(data, place + offset)
            self._write(self._chunk.header(), place)
        else:
            self._write(self._chunk.whole(), place)
            self._mark(dirty=True)
        self._put = self._chunk.count

    def next_chunk(self) -> None:
        """Begin the next chunk; what was not put is forgotten."""
        if self._put:
            end = self._end
            self._end = End(end.chunks + 1, end.next_number + self._put, end.next_id + self._put)
        self._chunk, self._put = self._begun(), 0

    def forget(self) -> None:
        """Give up what is not in the file."""
        self.next_chunk()
        if self._end.chunks:
            with suppress(OSError):
                os.ftruncate(self._fd, _place(self._end.chunks))

    def close(self) -> None:
        """Let the disk keep all, mark the file clean, and close it."""
        try:
            os.fdatasync(self._fd)
            self._mark(dirty=False)
        finally:
            os.close(self._fd)

    def _begun(self) -> Chunk:
        return Chunk(self._end.next_number, self._end.next_id, self._definitions)

    def _mark(self, *, dirty: bool) -> None:
        chunks = self._end.chunks + bool(self._put or not self._end.chunks)
        header = FileHeader(0, chunks - 1, self._end.next_id + self._put, chunks, int(dirty))
        self._write(header.pack(), 0)

    def _write(self, data: bytes, offset: int) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._fd, view, offset)
            view, offset = view[written:], offset + written


def _place(chunk: int) -> int:
    return FILE_HEADER_SIZE + chunk * CHUNK_SIZE
