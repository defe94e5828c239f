"""The transaction logs of a registry hive: what Windows had written there and not yet into the hive.

A log is a copy of the hive's first sector, and then, since Windows 8.1, entries (`HvLE`) with whole pages. An entry
counts if its sequence number is the one that comes next; behind the newest one older ones may be left over. Before, a
map of bits (`DIRT`) says which pages of 512 bytes follow. Layout: the specification of the registry file format by
Maxim Suhanov (msuhanov/regf on GitHub).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import xor
from typing import NamedTuple

_BASE = 4096  # bytes of the hive before its first page
_SECTOR = 512  # where the entries of a log begin
_SEQUENCES = struct.Struct("<4x2I")  # of the hive: one is counted up before it is written, the other one after
_BINS = 40  # where in the hive the size of its pages stands
_ENTRY = struct.Struct("<4s5I16x")  # HvLE, its size, flags, sequence number, size of the hive's pages, pages in it
_PAGE = struct.Struct("<2I")  # where in the hive, and size

_HEAD = struct.Struct("<4s2IQ20x2I")  # regf, both numbers, time of the change, size of the pages, of a sector / 512
_CHECKED = struct.Struct("<127I")  # what the checksum behind it is of
_SUM_OF_ZERO, _SUM_OF_ONES = 1, 0xFFFFFFFE  # what is written instead of 0 and of 0xFFFFFFFF
_LARGEST_SECTOR = 8  # times 512 bytes


class _Entry(NamedTuple):
    sequence: int
    bins: int
    pages: tuple[tuple[int, bytes], ...]


class _Head(NamedTuple):
    """The first sector of a hive or of a log."""

    magic: bytes
    first: int
    second: int
    changed: int
    bins: int
    sector: int


def is_unfinished(hive: bytes) -> bool:
    """Whether the hive was being written when this copy was made, so that its logs know more."""
    if len(hive) < _BASE:
        return False
    first, second = _SEQUENCES.unpack_from(hive)
    return bool(first != second)


def replayed(hive: bytes, logs: Iterable[bytes]) -> tuple[bytes, int]:
    """The hive with what its logs have for it, and how many entries that were."""
    logs = list(logs)
    entries = {entry.sequence: entry for log in logs for entry in _entries(log)}
    most = _most_pages(hive, logs)
    made, count = bytearray(hive), 0
    _, following = _SEQUENCES.unpack_from(hive)
    while (entry := entries.get(following)) is not None and entry.bins <= most:
        _write(made, entry.bins, entry.pages)
        following, count = following + 1, count + 1
    _finish(made, following)
    return bytes(made), count


def patched(hive: bytes, logs: Iterable[bytes]) -> tuple[bytes, int]:
    """The same with logs as they were before Windows 8.1, and how many pages that were: one log has all of them.

    It fits if it was written whole and its last change is that of the hive. Of several the one with the highest
    number is taken.
    """
    logs = list(logs)
    of_hive = _Head(*_HEAD.unpack_from(hive))
    heads = ((_head(log), log) for log in logs)
    fitting = [(head, log) for head, log in heads if head and head.changed == of_hive.changed]
    most = _most_pages(hive, logs)
    for head, log in sorted(fitting, key=lambda each: -each[0].first):
        pages = _dirty(head, log) if head.bins <= most else []
        if pages:
            made = bytearray(hive)
            _write(made, head.bins, pages)
            _finish(made, of_hive.first)
            return bytes(made), len(pages)
    return hive, 0


def checksum(sector: bytes | bytearray) -> int:
    """What stands behind the first 508 bytes of a hive or of a log."""
    words: tuple[int, ...] = _CHECKED.unpack_from(sector)
    made = reduce(xor, words)
    return {0: _SUM_OF_ZERO, 0xFFFFFFFF: _SUM_OF_ONES}.get(made, made)


def _most_pages(hive: bytes, logs: Iterable[bytes]) -> int:
    """Bytes that the pages of the hive can have: it grows by pages that stand in its logs."""
    return len(hive) - _BASE + sum(map(len, logs))


def _write(made: bytearray, bins: int, pages: Iterable[tuple[int, bytes]]) -> None:
    made.extend(bytes(max(_BASE + bins - len(made), 0)))
    for at, page in pages:
        made[_BASE + at : _BASE + at + len(page)] = page
    struct.pack_into("<I", made, _BINS, bins)


def _finish(made: bytearray, sequence: int) -> None:
    struct.pack_into("<2I", made, 4, sequence & 0xFFFFFFFF, sequence & 0xFFFFFFFF)


def _entries(log: bytes) -> Iterator[_Entry]:
    at = _SECTOR
    while at + _ENTRY.size <= len(log):
        magic, size, _, sequence, bins, count = _ENTRY.unpack_from(log, at)
        begin, end = at + _ENTRY.size + count * _PAGE.size, at + size
        if magic != b"HvLE" or begin > end or end > len(log):
            return
        pages = []
        for number in range(count):
            where, length = _PAGE.unpack_from(log, at + _ENTRY.size + number * _PAGE.size)
            if begin + length > end or where + length > bins:
                return
            pages.append((where, log[begin : begin + length]))
            begin += length
        yield _Entry(sequence, bins, tuple(pages))
        at = end


def _head(log: bytes) -> _Head | None:
    """The first sector of a log of the old kind; None if it is none, or was not written to its end."""
    if len(log) < 2 * _SECTOR:
        return None
    head = _Head(*_HEAD.unpack_from(log))
    whole = head.first == head.second and log[_CHECKED.size : _SECTOR] == checksum(log).to_bytes(4, "little")
    return head if head.magic == b"regf" and whole and 1 <= head.sector <= _LARGEST_SECTOR else None


def _dirty(head: _Head, log: bytes) -> list[tuple[int, bytes]]:
    """The pages of a log, each with its place in the hive; none if it does not have all of them."""
    sector = head.sector * _SECTOR
    size = -(-head.bins // _SECTOR // 8)  # bytes of the map
    if log[sector : sector + 4] != b"DIRT" or sector + 4 + size > len(log):
        return []
    bits = log[sector + 4 : sector + 4 + size]
    numbers = [number for number in range(head.bins // _SECTOR) if bits[number >> 3] >> (number & 7) & 1]
    at = sector + -(-(4 + size) // sector) * sector
    if at + len(numbers) * _SECTOR > len(log):
        return []
    pages = (log[place : place + _SECTOR] for place in range(at, len(log), _SECTOR))
    return [(number * _SECTOR, page) for number, page in zip(numbers, pages, strict=False)]
