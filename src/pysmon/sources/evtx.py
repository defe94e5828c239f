"""EVTX files: entries straight from the values of the records, without XML in between.

Whoever needs a few fields of each event only, as judging does, gets those, and nothing else is decoded; an entry is
made of the rest when it is asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import accumulate
from typing import Any

from pysmon.formats.clock import system_time
from pysmon.formats.evtx.layout import CHUNK_MAGIC, FILE_HEADER_SIZE, FILE_MAGIC, FRAGMENT, RECORD, filetime, unix_ns
from pysmon.formats.evtx.read_file import Chunk, chunks
from pysmon.formats.evtx.read_template import BrokenError, Definition, Definitions
from pysmon.formats.evtx.read_value import value_of
from pysmon.formats.logged import LATEST, LOGGED, moment
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sources.evtx_layout import Layout, Said, layout
from pysmon.sources.evtx_odd import INSTANCE, MOST_VALUES, VALUES_AT, found_at
from pysmon.sources.evtx_plan import Envelope, Part, Recipe, Table, envelope, fields_in, recipe
from pysmon.sources.found import entry_of
from pysmon.sources.origins import PROVIDERS, foreign, origin
from pysmon.sources.packed import UNREADABLE
from pysmon.sources.shape import Sample
from pysmon.sources.source import Taken, Tally, Wanted
from pysmon.sources.streams import Bytes

_BROKEN = (ValueError, IndexError, struct.error, OverflowError)
_TIMES = range(filetime(0), filetime(LATEST * 10**9))
_U32 = struct.Struct("<I").unpack_from


def fits_evtx(sample: Sample) -> bool:
    """Whether it is an EVTX file, or one whose header is lost."""
    return sample.head.startswith((FILE_MAGIC, CHUNK_MAGIC)) or sample.head[FILE_HEADER_SIZE:].startswith(CHUNK_MAGIC)


def read_evtx(source: Bytes, tally: Tally, wanted: Wanted) -> Iterator[Taken]:
    """Of each event its id, the values of the fields that are wanted of it, and what makes an entry of it."""
    reader = _Reader(tally, wanted)
    with source.open() as stream:
        try:
            for chunk in chunks(stream, tally.damage):
                yield from reader.rows(chunk)
        except UNREADABLE as error:
            tally.damage("the file", str(error))


@dataclass(slots=True, eq=False)
class _Outer:
    """An outer template as it is used: its layouts, by what they are made for."""

    envelope: Envelope
    layouts: dict[bytes, Layout | None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Fast:
    """A recipe, and what is wanted of it."""

    kinds: tuple[int, ...]
    recipe: Recipe
    wanted: tuple[tuple[int, Table], ...]
    last: int  # how much of the sizes must be added up: twice the number of values


@dataclass(slots=True, eq=False)
class _Inner:
    """An inner template as it is used: its latest recipe for each event."""

    fields: tuple[tuple[str, Part], ...]
    fast: dict[int, _Fast] = field(default_factory=dict)


@cache
def _pairs(count: int) -> Callable[[bytes, int], tuple[int, ...]]:
    """What reads the sizes and types of so many values."""
    return struct.Struct(f"<{2 * count}H").unpack_from


class _Reader:
    """Reads the chunks of one file."""

    def __init__(self, tally: Tally, wanted: Wanted) -> None:
        self._tally = tally
        self._wanted = wanted
        self._definitions = Definitions()
        self._outers: dict[Definition, _Outer] = {}
        self._inners: dict[Definition, _Inner] = {}

    def rows(self, chunk: Chunk) -> Iterator[Taken]:
        """The events of a chunk."""
        data, tally = chunk.data, self._tally
        outers: dict[int, tuple[_Outer, int]] = {}
        inners: dict[int, tuple[_Inner, int]] = {}
        for at, end, _, _ in chunk.records(tally.damage):
            try:
                taken = self._row(data, at + RECORD.size, end, outers, inners)
            except _BROKEN as error:
                tally.damage(f"{chunk.place}, record at {at:#x}", str(error) or type(error).__name__)
                continue
            if taken is not None:
                tally.entries += 1
                yield taken

    def _row(
        self,
        data: bytes,
        at: int,
        end: int,
        outers: dict[int, tuple[_Outer, int]],
        inners: dict[int, tuple[_Inner, int]],
    ) -> Taken | None:
        """One event; None for those that are none of ours. This is the path of nearly all, and so it is flat."""
        begin = at
        if data[at : at + 6] != INSTANCE:
            return self._odd(data, begin, end)
        (defined,) = _U32(data, at + 10)
        outer, behind = outers.get(defined) or self._outer(data, defined, outers)
        at = behind if defined == at + VALUES_AT else at + VALUES_AT
        (count,) = _U32(data, at)
        start = at + 4 + 4 * count
        key = data[at + 4 : start - 4] + data[start - 2 : start]
        placed = outer.layouts.get(key) or self._placed(outer, key, data, at)
        if placed is None:
            return self._odd(data, begin, end)
        event_id, written, process_id, thread_id, record_id = placed.head(data, start)
        said = placed.known.get(data[start + placed.begin : start + placed.end]) or placed.said(data, start)
        if said.provider not in PROVIDERS:
            self._tally.other(said.channel or said.provider or "?")
            return None
        if event_id not in EVENTS:
            self._tally.unknown_event(event_id)
            return None
        at = start + placed.nested
        if data[at : at + 6] != INSTANCE:
            if data[at : at + 2] != INSTANCE[-2:]:
                return self._odd(data, begin, end)
            at -= len(FRAGMENT)  # some have none here
        (defined,) = _U32(data, at + 10)
        inner, behind = inners.get(defined) or self._inner(data, defined, inners)
        at = behind if defined == at + VALUES_AT else at + VALUES_AT
        (count,) = _U32(data, at)
        if count > MOST_VALUES:
            raise BrokenError(f"{count} values at {at:#x}")
        pairs = _pairs(count)(data, at + 4)
        fast = inner.fast.get(event_id)
        if fast is None or fast.kinds != pairs[1::2]:
            fast = self._fast(inner, event_id, pairs[1::2])
        start = at + 4 + 4 * count
        values: tuple[Any, ...] = ()
        if start + sum(pairs[::2]) > end:
            raise BrokenError(f"values from {start:#x} on, beyond the record")
        if fast.last:
            ends = list(accumulate(pairs[: fast.last : 2], initial=start))
            try:
                values = tuple([table[data[ends[i] : ends[i + 1]]] for i, table in fast.wanted])
            except ValueError:
                odd = self._odd_values(data, list(accumulate(pairs[::2], initial=start)), fast.recipe)[0]
                values = tuple([odd.get(name, fast.recipe.rest.get(name)) for name in self._wanted[event_id]])
        if fast.recipe.odd:
            for name, _ in fast.recipe.odd:
                self._tally.unknown_field(event_id, name)
        make = partial(self._entry, data, start, pairs, fast.recipe, said, written, process_id, thread_id, record_id)
        return event_id, values, make

    def _entry(
        self,
        data: bytes,
        start: int,
        pairs: tuple[int, ...],
        recipe: Recipe,
        said: Said,
        written: int,
        process_id: int,
        thread_id: int,
        record_id: int,
    ) -> Entry[Event]:
        ends = list(accumulate(pairs[::2], initial=start))
        extra: dict[str, object] | None = None
        try:
            values = {name: table[data[ends[i] : ends[i + 1]]] for name, i, table in recipe.readers}
        except ValueError:
            values, extra = self._odd_values(data, ends, recipe)
        if recipe.odd:
            odd = {name: _odd_value(pairs[2 * i + 1], data[ends[i] : ends[i + 1]]) for name, i in recipe.odd}
            extra = {**(extra or {}), **odd}
        logged = unix_ns(written) if written in _TIMES else None
        happened = moment(values.get("UtcTime"))
        if happened is None:
            happened = logged or 0
        elif logged is None:
            extra = {**(extra or {}), LOGGED: f"{written:#x}"}  # no time that could be shown
        elif happened == logged - logged % 1_000_000:
            happened = logged
        else:
            extra = {**(extra or {}), LOGGED: system_time(logged)}
        written_by = foreign(said.provider, said.channel, said.user, said.version, recipe.fields)
        event = recipe.type.cls(extra=extra, **recipe.rest, **values)
        return Entry(record_id, happened, event, origin(said.computer, process_id, thread_id, written_by))

    def _odd_values(
        self, data: bytes, ends: list[int], recipe: Recipe
    ) -> tuple[dict[str, Any], dict[str, object] | None]:
        """The values, and as extra facts the bytes of those that are none."""
        values: dict[str, Any] = {}
        extra: dict[str, object] = {}
        for name, i, table in recipe.readers:
            raw = data[ends[i] : ends[i + 1]]
            try:
                values[name] = table[raw]
            except ValueError:
                values[name] = recipe.absent(name)
                extra[name] = raw.hex()
                self._tally.odd_value(recipe.type.id, name)
        return values, extra or None

    def _odd(self, data: bytes, at: int, end: int) -> Taken | None:
        """An event that is laid out in another way; None for those that are none of ours."""
        entry = entry_of(found_at(data, at, end, self._definitions), self._tally)
        if entry is None:
            return None
        self._tally.entries -= 1  # whoever takes it counts it
        names = self._wanted.get(entry.event.type.id, ())
        return entry.event.type.id, tuple([getattr(entry.event, name) for name in names]), lambda: entry

    def _outer(self, data: bytes, defined: int, outers: dict[int, tuple[_Outer, int]]) -> tuple[_Outer, int]:
        definition, behind = self._definitions.at(data, defined)
        if definition not in self._outers:
            self._outers[definition] = _Outer(envelope(definition.root))
        outers[defined] = self._outers[definition], behind
        return outers[defined]

    def _inner(self, data: bytes, defined: int, inners: dict[int, tuple[_Inner, int]]) -> tuple[_Inner, int]:
        definition, behind = self._definitions.at(data, defined)
        if definition not in self._inners:
            self._inners[definition] = _Inner(fields_in(definition.root))
        inners[defined] = self._inners[definition], behind
        return inners[defined]

    def _placed(self, outer: _Outer, key: bytes, data: bytes, at: int) -> Layout | None:
        if key in outer.layouts:
            return None  # looked at before: laid out in another way
        (count,) = _U32(data, at)
        if not 0 < count <= MOST_VALUES:
            raise BrokenError(f"{count} values at {at:#x}")
        pairs = _pairs(count)(data, at + 4)
        made = outer.layouts[key] = layout(outer.envelope, pairs[1::2], pairs[::2])
        return made

    def _fast(self, inner: _Inner, event_id: int, kinds: tuple[int, ...]) -> _Fast:
        made = recipe(inner.fields, EVENTS[event_id], kinds)
        wanted = made.wanted(self._wanted.get(event_id, ()))
        last = 2 * max((number + 1 for number, _ in wanted), default=0) if wanted else 0
        fast = inner.fast[event_id] = _Fast(kinds, made, wanted, last)
        return fast


def _odd_value(kind: int, data: bytes) -> object:
    """A value that the schema has no field for; its bytes if it is none of its type."""
    try:
        return value_of(kind, data)
    except ValueError:
        return data.hex()
