"""The transaction logs of a registry hive: what Windows had written there and not yet into the hive.

Since Windows 8.1 a log is a copy of the hive's first sector, and then entries (`HvLE`) with whole pages. An entry
counts if its sequence number is the one that comes next; behind the newest one older ones may be left over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_BASE = 4096  # bytes of the hive before its first page
_FIRST = 512  # where the entries of a log begin
_SEQUENCES = struct.Struct("<4x2I")  # of the hive: one is counted up before it is written, the other one after
_BINS = 40  # where in the hive the size of its pages stands
_ENTRY = struct.Struct("<4s5I16x")  # HvLE, its size, flags, sequence number, size of the hive's pages, pages in it
_PAGE = struct.Struct("<2I")  # where in the hive, and size
_LARGEST = 1 << 30  # bytes of a hive


class _Entry(NamedTuple):
    sequence: int
    bins: int
    pages: tuple[tuple[int, bytes], ...]


def is_unfinished(hive: bytes) -> bool:
    """Whether the hive was being written when this copy was made, so that its logs know more."""
    if len(hive) < _BASE:
        return False
    first, second = _SEQUENCES.unpack_from(hive)
    return bool(first != second)


def replayed(hive: bytes, logs: Iterable[bytes]) -> tuple[bytes, int]:
    """The hive with what its logs have for it, and how many entries that were."""
    entries = {entry.sequence: entry for log in logs for entry in _entries(log)}
    made, count = bytearray(hive), 0
    _, following = _SEQUENCES.unpack_from(hive)
    while (entry := entries.get(following)) is not None:
        made.extend(bytes(max(_BASE + entry.bins - len(made), 0)))
        for at, page in entry.pages:
            made[_BASE + at : _BASE + at + len(page)] = page
        struct.pack_into("<I", made, _BINS, entry.bins)
        following, count = following + 1, count + 1
    struct.pack_into("<2I", made, 4, following, following)
    return bytes(made), count


def _entries(log: bytes) -> Iterator[_Entry]:
    at = _FIRST
    while at + _ENTRY.size <= len(log):
        magic, size, _, sequence, bins, count = _ENTRY.unpack_from(log, at)
        begin = at + _ENTRY.size + count * _PAGE.size
        if magic != b"HvLE" or size < _ENTRY.size or begin > min(at + size, len(log)) or bins > _LARGEST:
            return
        pages = []
        for number in range(count):
            where, length = _PAGE.unpack_from(log, at + _ENTRY.size + number * _PAGE.size)
            page = log[begin : begin + length]
            if len(page) < length or where + length > bins:
                return
            pages.append((where, page))
            begin += length
        yield _Entry(sequence, bins, tuple(pages))
        at += size
