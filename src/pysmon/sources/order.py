"""Entries in the order in which things happened: by UtcTime, then by record id. Logs are not in it.

Sysmon logs a connection seconds after it was made, several logs read one after the other overlap, and clocks are set.
Sorting needs no more memory for more entries: sorted parts lie in a temporary file and are merged.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO, cast

import msgspec

from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import EVENTS, Event
from pysmon.store.extra import extra_of_text, extra_to_text

_PART = 20_000  # entries that are sorted in memory
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder()
_SIZE = 4  # bytes of the length before each entry


def in_order(entries: Iterable[Entry[Event]], part: int = _PART) -> Iterator[Entry[Event]]:
    """The entries, sorted; those of the same time and record id in the order in which they came."""
    following = iter(entries)
    first = _sorted(islice(following, part))
    if len(first) < part:
        yield from first
        return
    with tempfile.TemporaryFile() as file:
        spilled = _Spilled(cast("BinaryIO", file))
        while first:
            spilled.add(first)
            first = _sorted(islice(following, part))
        yield from heapq.merge(*spilled.parts(), key=_key)


def _key(entry: Entry[Event]) -> tuple[int, int]:
    return entry.time, entry.record_id


def _sorted(entries: Iterable[Entry[Event]]) -> list[Entry[Event]]:
    return sorted(entries, key=_key)


class _Spilled:
    """Sorted parts in a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._begins: list[int] = []
        self._end = 0
        self._origins: dict[Origin, int] = {}  # few: they stay in memory

    def add(self, entries: list[Entry[Event]]) -> None:
        self._begins.append(self._end)
        for entry in entries:
            data = _ENCODER.encode(self._packed(entry))
            self._file.write(len(data).to_bytes(_SIZE, "little") + data)
            self._end += _SIZE + len(data)

    def parts(self) -> list[Iterator[Entry[Event]]]:
        self._file.flush()
        origins = list(self._origins)
        ends = [*self._begins[1:], self._end]
        return [self._part(begin, end, origins) for begin, end in zip(self._begins, ends, strict=True)]

    def _packed(self, entry: Entry[Event]) -> list[object]:
        event = entry.event
        values = [_quiet(getattr(event, f.name)) for f in event.type.fields]
        number = self._origins.setdefault(entry.origin, len(self._origins))
        extra = extra_to_text(event.extra).encode("utf-8", "surrogatepass") if event.extra else None
        return [entry.record_id, entry.time, event.type.id, values, extra, number]

    def _part(self, at: int, end: int, origins: list[Origin]) -> Iterator[Entry[Event]]:
        held = b""
        while at < end or held:
            self._file.seek(at)
            piece = self._file.read(min(1 << 16, end - at))
            at += len(piece)
            held += piece
            begin = 0
            while len(held) - begin >= _SIZE:
                stop = begin + _SIZE + int.from_bytes(held[begin : begin + _SIZE], "little")
                if stop > len(held):
                    break
                yield _entry(_DECODER.decode(held[begin + _SIZE : stop]), origins)
                begin = stop
            held = held[begin:]


def _quiet(value: object) -> object:
    """Text that UTF-8 cannot hold, as bytes."""
    if isinstance(value, str) and not value.isprintable():
        return value.encode("utf-8", "surrogatepass")
    return value


def _entry(packed: list[Any], origins: list[Origin]) -> Entry[Event]:
    record_id, time, event_id, values, extra, number = packed
    made = EVENTS[event_id]
    texts = (v.decode("utf-8", "surrogatepass") if isinstance(v, bytes) else v for v in values)
    given = dict(zip((f.name for f in made.fields), texts, strict=True))
    facts = None if extra is None else extra_of_text(extra.decode("utf-8", "surrogatepass"))
    return Entry(record_id, time, made.cls(extra=facts, **given), origins[number])
