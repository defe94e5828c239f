"""EVTX files: entries straight from the values of the records, without XML in between.

Whoever needs a few fields of each event only, as judging does, gets those, and nothing else is decoded; an entry is
made of the rest when it is asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from types import MethodType
from typing import Any, NamedTuple

from pysmon.formats.clock import system_time
from pysmon.formats.evtx.layout import (
    CHUNK_MAGIC,
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    FRAGMENT,
    RECORD,
    ValueType,
    filetime,
    unix_ns,
)
from pysmon.formats.evtx.read_file import Chunk, chunks
from pysmon.formats.evtx.read_template import BrokenError, Definition, Definitions
from pysmon.formats.evtx.read_value import value_of
from pysmon.formats.logged import LATEST, LOGGED, moment
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sources.evtx_cut import MOST_CUTS, Cut, cut
from pysmon.sources.evtx_layout import Layout, Said, layout
from pysmon.sources.evtx_odd import INSTANCE, MOST_VALUES, VALUES_AT, found_at
from pysmon.sources.evtx_plan import Envelope, Part, Recipe, Table, envelope, fields_in, recipe
from pysmon.sources.found import entry_of
from pysmon.sources.origins import foreign, origin
from pysmon.sources.packed import UNREADABLE
from pysmon.sources.shape import Sample
from pysmon.sources.source import Taken, Tally, Wanted
from pysmon.sources.streams import Bytes

_BROKEN = (ValueError, IndexError, struct.error, OverflowError)
_TIMES = range(filetime(0), filetime(LATEST * 10**9))
_U16 = struct.Struct("<H").unpack_from
_U32 = struct.Struct("<I").unpack_from
_NESTED = struct.pack("<H", ValueType.BINARY_XML)  # the type of the data
_INSTANCE_SIZE = VALUES_AT + 4  # with the number of its values
_MOST_KEPT = 2048  # templates


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

    recipe: Recipe
    wanted: tuple[tuple[int, Table], ...]
    last: int  # how much of the sizes must be added up: twice the number of values


_Cuts = dict[bytes, Cut | None]  # by sizes and types; None: they were there once
_NO_CUTS: _Cuts = {}


@dataclass(slots=True, eq=False)
class _Inner:
    """An inner template as it is used: its latest recipe for each event, and how its values are cut."""

    fields: tuple[tuple[str, Part], ...]
    fast: dict[int, _Fast] = field(default_factory=dict)
    cuts: dict[int, _Cuts] = field(default_factory=dict)


class _Body(NamedTuple):
    """What stands between the head of a record and the values of its inner template, if it is an event of Sysmon."""

    said: Said
    cuts: dict[int, _Cuts]  # by event id
    sizes: int  # bytes of the sizes and types of the values


class _Head(NamedTuple):
    """What a record begins with, up to the values of its outer template."""

    placed: Layout
    size: int
    bodies: dict[bytes, _Body]  # from what hardly ever differs on


@dataclass(slots=True, eq=False)
class _Here:
    """What is known of the chunk that is being read. A place is where the definition of a template lies."""

    data: bytes
    outers: dict[int, tuple[_Outer, int]] = field(default_factory=dict)  # by place
    inners: dict[int, tuple[_Inner, int]] = field(default_factory=dict)
    width: int = 0  # bytes of the latest head but for the size and type of the data
    heads: dict[bytes, _Head] = field(default_factory=dict)


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
        self._cuts = 0

    def rows(self, chunk: Chunk) -> Iterator[Taken]:
        """The events of a chunk."""
        tally, here, known, header = self._tally, _Here(chunk.data), self._known, RECORD.size
        for at, end, _, _ in chunk.records(tally.damage):
            try:
                taken = known(here, at + header, end) or self._row(here, at + header, end)
            except _BROKEN as error:
                tally.damage(f"{chunk.place}, record at {at:#x}", str(error) or type(error).__name__)
                continue
            if taken is not None:
                tally.entries += 1
                yield taken

    def _known(self, here: _Here, at: int, end: int) -> Taken | None:
        """An event that is laid out as others were before; None for every other one. This is the path of nearly all."""
        data = here.data
        head = here.heads.get(data[at : at + here.width])
        if head is None:
            return None
        placed, start, bodies = head
        start += at
        behind = start + placed.nested + _INSTANCE_SIZE
        body = bodies.get(data[start + placed.begin : behind])
        if body is None or data[start - 2 : start] != _NESTED:
            return None
        said, cuts, sizes = body
        (event_id,) = _U16(data, start + placed.event_id)
        first = behind + sizes
        cut = cuts.get(event_id, _NO_CUTS).get(data[behind:first])
        values = None if cut is None or first + cut.size > end else cut.values(data, first)
        if cut is None or values is None:
            return None
        return event_id, values, MethodType(self._entry, (data, start, placed, said, first, cut.recipe))

    def _row(self, here: _Here, at: int, end: int) -> Taken | None:
        """An event, step by step; None for those that are none of ours."""
        data, begin = here.data, at
        if data[at : at + 6] != INSTANCE:
            return self._odd(data, begin, end)
        (defined,) = _U32(data, at + 10)
        outer, behind = here.outers.get(defined) or self._outer(data, defined, here.outers)
        at = behind if defined == at + VALUES_AT else at + VALUES_AT
        (count,) = _U32(data, at)
        start = at + 4 + 4 * count
        key = data[at + 4 : start - 4] + data[start - 2 : start]
        placed = outer.layouts.get(key) or self._placed(outer, key, data, at)
        if placed is None:
            return self._odd(data, begin, end)
        head = data[begin : begin + VALUES_AT] + data[at : start - 4]  # of those to come: without the definition
        here.width = len(head)
        bodies = here.heads.setdefault(head, _Head(placed, len(head) + 4, {})).bodies
        (event_id,) = _U16(data, start + placed.event_id)
        said = placed.known.get(data[start + placed.begin : start + placed.end]) or placed.said(data, start)
        if not said.ours:
            self._tally.other(said.channel or said.provider or "?")
            return None
        if event_id not in EVENTS:
            self._tally.unknown_event(event_id)
            return None
        inside = start + placed.nested
        if data[inside : inside + 6] != INSTANCE:
            if data[inside : inside + 2] != INSTANCE[-2:]:
                return self._odd(data, begin, end)
            inside -= len(FRAGMENT)  # some have none here
        inner, at, count = self._template(here, inside)
        first = at + 4 + 4 * count
        if data[inside : inside + 6] == INSTANCE:
            body = data[start + placed.begin : inside + VALUES_AT] + data[at : at + 4]
            bodies[body] = _Body(said, inner.cuts, 4 * count)
        recipe, values = self._inside(data, inner, event_id, (at + 4, first, end))
        return event_id, values, MethodType(self._entry, (data, start, placed, said, first, recipe))

    def _template(self, here: _Here, inside: int) -> tuple[_Inner, int, int]:
        """Of the instance of an inner template: the template, where the number of its values stands, and the number."""
        data = here.data
        (defined,) = _U32(data, inside + 10)
        inner, behind = here.inners.get(defined) or self._inner(data, defined, here.inners)
        at = behind if defined == inside + VALUES_AT else inside + VALUES_AT
        (count,) = _U32(data, at)
        if count > MOST_VALUES:
            raise BrokenError(f"{count} values at {at:#x}")
        return inner, at, count

    def _inside(
        self, data: bytes, inner: _Inner, event_id: int, places: tuple[int, int, int]
    ) -> tuple[Recipe, tuple[Any, ...]]:
        """The recipe for values, and those that are wanted. The places: of sizes, values, the record's end."""
        at, start, end = places
        key = data[at:start]
        cut = inner.cuts.get(event_id, _NO_CUTS).get(key)
        values = None if cut is None or start + cut.size > end else cut.values(data, start)
        if cut is not None and values is not None:
            return cut.recipe, values
        pairs = _pairs((start - at) // 4)(data, at)
        fast = inner.fast.get(event_id)
        if fast is None or fast.recipe.kinds != pairs[1::2]:
            fast = self._fast(inner, event_id, pairs[1::2])
        if start + sum(pairs[::2]) > end:
            raise BrokenError(f"values from {start:#x} on, beyond the record")
        self._remember(inner, event_id, key, fast, pairs[::2])
        return fast.recipe, self._values(data, start, event_id, fast, pairs)

    def _values(self, data: bytes, start: int, event_id: int, fast: _Fast, pairs: tuple[int, ...]) -> tuple[Any, ...]:
        """What is wanted of the values that begin there, one by one."""
        for name, _ in fast.recipe.odd:
            self._tally.unknown_field(event_id, name)
        if not fast.last:
            return ()
        ends = list(accumulate(pairs[: fast.last : 2], initial=start))
        try:
            return tuple([table[data[ends[i] : ends[i + 1]]] for i, table in fast.wanted])
        except ValueError:
            odd = self._odd_values(data, list(accumulate(pairs[::2], initial=start)), fast.recipe)[0]
            return tuple([odd.get(name, fast.recipe.rest.get(name)) for name in self._wanted[event_id]])

    def _remember(self, inner: _Inner, event_id: int, key: bytes, fast: _Fast, sizes: tuple[int, ...]) -> None:
        """Cut values of these sizes and types at once, from the second time on: some sizes never come again."""
        cuts = inner.cuts.setdefault(event_id, {})
        if key in cuts:
            cuts[key] = cuts[key] or cut(fast.recipe, fast.wanted, sizes)
            return
        if self._cuts >= MOST_CUTS:
            self._cuts = 0
            for each in self._inners.values():
                each.cuts.clear()
            cuts = inner.cuts.setdefault(event_id, {})
        cuts[key] = None
        self._cuts += 1

    def _entry(self, found: tuple[bytes, int, Layout, Said, int, Recipe]) -> Entry[Event]:
        data, outer, placed, said, start, recipe = found
        count = len(recipe.kinds)
        pairs = _pairs(count)(data, start - 4 * count)
        _, written, process_id, thread_id, record_id = placed.head(data, outer)
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
            _make_room(self._outers)
            self._outers[definition] = _Outer(envelope(definition.root))
        outers[defined] = self._outers[definition], behind
        return outers[defined]

    def _inner(self, data: bytes, defined: int, inners: dict[int, tuple[_Inner, int]]) -> tuple[_Inner, int]:
        definition, behind = self._definitions.at(data, defined)
        if definition not in self._inners:
            _make_room(self._inners)
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
        fast = inner.fast[event_id] = _Fast(made, wanted, last)
        return fast


def _odd_value(kind: int, data: bytes) -> object:
    """A value that the schema has no field for; its bytes if it is none of its type."""
    try:
        return value_of(kind, data)
    except ValueError:
        return data.hex()


def _make_room(kept: dict[Definition, Any]) -> None:
    """A log made to do harm may have no end of templates."""
    if len(kept) >= _MOST_KEPT:
        kept.clear()
