"""The end of a file that pysmon wrote: where the next chunk goes, and which numbers come next."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from pysmon.formats.evtx.layout import (
    CHUNK_HEADER_SIZE,
    CHUNK_MAGIC,
    CHUNK_SIZE,
    DESCRIPTOR,
    FILE_HEADER_SIZE,
    RECORD,
    TEMPLATE,
    ChunkHeader,
    FileHeader,
)
from pysmon.formats.evtx.write_template import OURS

_INSTANCE = 14
_FIRST_TEMPLATE = CHUNK_HEADER_SIZE + RECORD.size + _INSTANCE  # of every chunk that has records
_EVENT_RECORD_ID = 10  # the number of that value in the envelope


@dataclass(frozen=True, slots=True)
class End:
    """Where a file goes on."""

    chunks: int  # that are whole, from the beginning
    next_number: int = 1  # of the next record in the file
    next_id: int = 1
    event_record_id: int = 0  # that the last record shows; 0 if there is none
    torn: bool = False  # whether something that is no whole chunk follows


def end_of(file: BinaryIO, size: int) -> End:
    """The end of a file of that size; ValueError if pysmon did not write it, or it is damaged in more than its end."""
    FileHeader.unpack(file.read(FILE_HEADER_SIZE))
    count, rest = divmod(max(size - FILE_HEADER_SIZE, 0), CHUNK_SIZE)
    for chunks in (count, count - 1):  # a writer that is stopped by force leaves at most one behind that is not whole
        if chunks <= 0:
            return _without_records(file)
        file.seek(FILE_HEADER_SIZE + (chunks - 1) * CHUNK_SIZE)
        data = file.read(CHUNK_SIZE)
        header = _whole(data)
        if header is not None:
            return _after(data, header, chunks, torn=chunks < count or rest > 0)
    raise ValueError("its last chunks are damaged")


def _without_records(file: BinaryIO) -> End:
    file.seek(FILE_HEADER_SIZE)
    data = file.read(CHUNK_SIZE)
    if data.strip(b"\0") and not _is_ours(data):
        raise ValueError("pysmon did not write it, and it is damaged")
    return End(0, torn=bool(data))


def _is_ours(data: bytes) -> bool:
    guid = data[_FIRST_TEMPLATE + 4 :][:16]
    return data.startswith(CHUNK_MAGIC) and (guid.endswith(OURS) or not data[CHUNK_HEADER_SIZE:].strip(b"\0"))


def _whole(data: bytes) -> ChunkHeader | None:
    try:
        header = ChunkHeader.unpack(data)
    except ValueError:
        return None
    fits = CHUNK_HEADER_SIZE <= header.free <= len(data) == CHUNK_SIZE
    sound = fits and header.sound and header.data_crc == zlib.crc32(data[CHUNK_HEADER_SIZE : header.free])
    return header if sound else None


def _after(data: bytes, header: ChunkHeader, chunks: int, *, torn: bool) -> End:
    if header.free == CHUNK_HEADER_SIZE:  # a log without records is one empty chunk
        if chunks > 1:
            raise ValueError("pysmon did not write it: its last chunk is empty")
        return End(0, torn=torn)
    if not _is_ours(data):
        raise ValueError("pysmon did not write it")
    try:
        shown = _event_record_id(data, header.last_record)
    except struct.error:
        raise ValueError("its last record is damaged") from None
    return End(chunks, header.last_number + 1, header.last_id + 1, shown, torn)


def _event_record_id(data: bytes, record: int) -> int:
    at = record + RECORD.size + _INSTANCE
    (definition,) = struct.unpack_from("<I", data, at - 4)
    if definition == at:
        at += TEMPLATE.size + TEMPLATE.unpack_from(data, at)[2]
    (values,) = struct.unpack_from("<I", data, at)
    descriptors = DESCRIPTOR.iter_unpack(data[at + 4 : at + 4 + DESCRIPTOR.size * values])
    before = sum(size for size, _, _ in list(descriptors)[:_EVENT_RECORD_ID])
    (shown,) = struct.unpack_from("<Q", data, at + 4 + DESCRIPTOR.size * values + before)
    return int(shown)
