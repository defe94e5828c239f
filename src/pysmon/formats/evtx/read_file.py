"""Chunks of an EVTX file, as many as there are: what the header says of their number is not trusted.

Damage costs what is damaged and no more: a chunk that is none is searched for the beginning of another one, a record
that is none for the beginning of the next.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from pysmon.formats.evtx.layout import (
    CHUNK_HEADER_SIZE,
    CHUNK_MAGIC,
    CHUNK_SIZE,
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    RECORD,
    RECORD_MAGIC,
    ChunkHeader,
    FileHeader,
)

Tell = Callable[[str, str], None]  # place, what is wrong there
_LEAST = RECORD.size + 4  # bytes of a record


class Chunk:
    """A chunk: its bytes, and where in the file it lies."""

    __slots__ = ("data", "place")

    def __init__(self, data: bytes, number: int, offset: int) -> None:
        """`number` counts from 1."""
        self.data = data
        self.place = f"chunk {number} at byte {offset:#x}"

    def records(self, tell: Tell) -> Iterator[tuple[int, int, int, int]]:
        """Of each record its offset, its end, its id, and the FILETIME when it was written."""
        data = self.data
        header = self._header(tell)
        free = min(max(header.free, CHUNK_HEADER_SIZE), len(data)) if header else CHUNK_HEADER_SIZE
        at, latest = CHUNK_HEADER_SIZE, -1
        unpack, last = RECORD.unpack_from, len(data) - RECORD.size
        while at <= last:
            magic, size, number, written = unpack(data, at)
            end = at + size
            if magic != RECORD_MAGIC or size < _LEAST or data[end - 4 : end] != data[at + 4 : at + 8]:
                if at >= free:
                    return
                tell(f"{self.place}, record at {at:#x}", _why_none(data, at, magic, size))
                at = data.find(RECORD_MAGIC, at + 1)
                if at < 0:
                    return
                continue
            if at >= free and latest >= 0 and number != latest + 1:
                return  # left over from what the chunk held before
            yield at, end, number, written
            at, latest = end, number

    def _header(self, tell: Tell) -> ChunkHeader | None:
        try:
            header = ChunkHeader.unpack(self.data)
        except ValueError as error:
            tell(self.place, str(error))
            return None
        if not header.sound:
            tell(self.place, "the checksum of its header is wrong; read as far as it goes")
        elif zlib.crc32(memoryview(self.data)[CHUNK_HEADER_SIZE : header.free]) != header.data_crc:
            tell(self.place, "the checksum of its records is wrong; read as far as it goes")
        return header


def chunks(stream: BinaryIO, tell: Tell) -> Iterator[Chunk]:
    """The chunks of a file, also of one whose header is damaged or missing. OSError and its like as they come."""
    head = _read(stream, FILE_HEADER_SIZE)
    header = _file_header(head, tell)
    held = b""
    at = FILE_HEADER_SIZE
    if CHUNK_MAGIC in head and not head.startswith(FILE_MAGIC):
        at = head.index(CHUNK_MAGIC)
        held = head[at:]
    number = 0
    while True:
        held += _read(stream, CHUNK_SIZE - len(held))
        if not held:
            break
        number += 1
        if held.startswith(CHUNK_MAGIC):
            if len(held) < CHUNK_SIZE:
                tell(f"chunk {number} at byte {at:#x}", f"cut off: {len(held)} bytes (expected {CHUNK_SIZE})")
            yield Chunk(held, number, at)
            used = len(held)
        elif held.count(0) == len(held):
            if header is not None and number <= header.chunks:
                tell(f"chunk {number} at byte {at:#x}", "empty: nothing but zeros (expected ElfChnk)")
            used = len(held)
        else:
            tell(f"chunk {number} at byte {at:#x}", f"no chunk: it begins with {held[:8].hex(' ')} (expected ElfChnk)")
            begin = held.find(CHUNK_MAGIC)
            used = begin if begin > 0 else len(held) - _begun(held)
        at += used
        held = held[used:]


def _begun(held: bytes) -> int:
    """How many bytes at the end of a whole piece may be the beginning of a chunk, the rest of which is in the next."""
    if len(held) < CHUNK_SIZE:
        return 0
    return next((size for size in range(len(CHUNK_MAGIC) - 1, 0, -1) if held.endswith(CHUNK_MAGIC[:size])), 0)


def _file_header(head: bytes, tell: Tell) -> FileHeader | None:
    try:
        header = FileHeader.unpack(head)
    except ValueError as error:
        tell("the file's header", str(error))
        return None
    if not header.sound:
        tell("the file's header", "its checksum is wrong")
    return header


def _read(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, or what there is: also what came before a break, which the next call raises then."""
    pieces: list[bytes] = []
    read = getattr(stream, "read1", stream.read)
    try:
        while size > 0 and (piece := read(size)):
            pieces.append(piece)
            size -= len(piece)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        if not pieces:
            raise
    return b"".join(pieces)


def _why_none(data: bytes, at: int, magic: bytes, size: int) -> str:
    if magic != RECORD_MAGIC:
        return f"no record: {magic!r} found (expected {RECORD_MAGIC!r})"
    if not _LEAST <= size <= len(data) - at:
        return f"a record of {size} bytes (expected {_LEAST} to {len(data) - at})"
    again = int.from_bytes(data[at + size - 4 : at + size], "little")
    return f"a torn record: its size is {size} at its beginning and {again} at its end"
