"""Flat JSON lines, a few fields of each event alone: what judging needs, several times as fast as whole entries.

Lines are split into names and values that stay bytes. Which names there are and where each goes is worked out once for
lines with the same names in the same order; a value that was seen before is looked up, not made again. Whatever is not
quite as usual takes the way that whole entries take.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

import msgspec

from pysmon.formats.logged import moment
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event, EventType
from pysmon.schema.kinds import Kind
from pysmon.sources.flat import ENVELOPE, NXLOG_TYPES, flat
from pysmon.sources.found import NoEventError, absent, all_taken, reader_of, taken_of
from pysmon.sources.json_rows import LONGEST, are_lines, rows
from pysmon.sources.origins import PROVIDER
from pysmon.sources.packed import UNREADABLE, lines_of
from pysmon.sources.source import Taken, Tally, Wanted
from pysmon.sources.streams import Bytes

_MOST_KEPT = 32768  # values of a kind
_LONGEST_KEPT = 4096  # bytes: call traces of a kilobyte come again and again
_HEAVIEST_KEPT = 8 << 20  # bytes of all values of a kind, as JSON
_MOST_LAYOUTS = 4096
_MOST_DIGITS = 400  # of a whole number; with more, even as a float it has no value
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_WHOLE = msgspec.json.Decoder(dict[str, Any])
_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_UTC_TIME = len('"2019-07-19 14:50:20.871"')
_TYPES = frozenset(f'"{name}"'.encode() for name in NXLOG_TYPES)
_PROVIDER = msgspec.Raw(f'"{PROVIDER}"'.encode())
_NULL = b"null"
_NEEDED = {"SourceName", "EventID", "UtcTime"}
_KINDS = {f.kind.name: f.kind for made in EVENTS.values() for f in made.fields}
_MEANT_OTHERWISE = "EventTypeOrignal"  # stands where NXLog wrote its own EventType over that of Sysmon


def read_flat(source: Bytes, tally: Tally, wanted: Wanted) -> Iterator[Taken]:
    """Of each event its id, the values of the fields that are wanted of it, and what makes an entry of it."""
    if not are_lines(source.sample()):
        yield from all_taken(((place, partial(flat, row)) for place, row in rows(source, tally)), tally, wanted)
        return
    with source.open() as stream:
        yield from _Reader(tally, wanted).rows(stream)


def _decoded(text: bytes) -> Any:
    """JSON that was skipped over before; a number beyond all numbers, which nobody looked at then, is infinite."""
    try:
        return msgspec.json.decode(text)
    except msgspec.ValidationError:
        return json.loads(text, parse_int=_number)


def _number(digits: str) -> float:
    return int(digits) if len(digits) < _MOST_DIGITS else math.inf


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except _NO_JSON:
        return False
    return True


class _Values(dict[bytes, Any]):
    """Values of a kind by their JSON."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self._read, self._absent = reader_of(kind), absent(kind)
        self._weight = 0  # bytes of the keys

    def __missing__(self, raw: bytes) -> Any:
        value = _decoded(raw)
        try:
            made = self._absent if value is None else self._read(value)
        except ValueError:
            made = self._absent
        if len(raw) <= _LONGEST_KEPT:
            self._weight += len(raw)
            if len(self) >= _MOST_KEPT or self._weight > _HEAVIEST_KEPT:
                self.clear()
                self._weight = len(raw)
            self[raw] = made
        return made


class _Seconds(dict[bytes, bool]):
    """Whether the beginning of a UtcTime, up to its second, is a time."""

    def __missing__(self, begin: bytes) -> bool:
        if len(self) >= _MOST_KEPT:
            self.clear()
        found = self[begin] = begin[20:] == b"." and moment(begin[1:].decode("latin-1") + "000") is not None
        return found


@dataclass(slots=True, eq=False)
class _Plan:
    """What is read of an event in lines of one layout."""

    id: int
    wanted: tuple[tuple[str, _Values], ...]  # names in the line
    missing: tuple[Any, ...] | None  # the values, if none of them has to be read
    unknown: tuple[str, ...]


class _Layout:
    """Lines with the same names in the same order."""

    __slots__ = ("has_both", "has_type", "has_version", "plain", "plans", "usual")

    def __init__(self, names: tuple[str, ...], wanted: Wanted, tables: dict[str, _Values]) -> None:
        self.usual = _NEEDED.issubset(names) and _MEANT_OTHERWISE not in names
        self.has_type, self.has_version = "EventType" in names, "Version" in names
        self.has_both = "ProcessId" in names and "SourceProcessId" in names
        self.plain = not (self.has_type or self.has_version or self.has_both)
        own = {*ENVELOPE, "Version", *(["ProcessId"] if self.has_both else [])}  # what is of NXLog, not of Sysmon
        self.plans = _Plans([name for name in names if name not in own], wanted, tables)


def _is_plain(layout: _Layout, row: Mapping[str, msgspec.Raw]) -> bool:
    """Whether what NXLog may mean otherwise says what Sysmon said, or nothing of it."""
    return (
        (not layout.has_type or bytes(row["EventType"]) not in _TYPES)
        and (not layout.has_version or bytes(row["Version"]).isdigit())
        and (not layout.has_both or row["ProcessId"] == row["SourceProcessId"])
    )


class _Layouts(dict[tuple[str, ...], _Layout]):
    """The layouts by their names."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self._wanted, self._tables = wanted, {kind: _Values(made) for kind, made in _KINDS.items()}

    def __missing__(self, names: tuple[str, ...]) -> _Layout:
        if len(self) >= _MOST_LAYOUTS:
            self.clear()
        made = self[names] = _Layout(names, self._wanted, self._tables)
        return made


class _Plans(dict[bytes, _Plan | None]):
    """The plans of a layout by the JSON of the EventID; None if it is none of Sysmon's."""

    def __init__(self, given: Sequence[str], wanted: Wanted, tables: Mapping[str, _Values]) -> None:
        super().__init__()
        self._given, self._wanted, self._tables = given, wanted, tables

    def __missing__(self, event_id: bytes) -> _Plan | None:
        if len(self) >= _MOST_LAYOUTS:
            self.clear()
        made = EVENTS.get(int(event_id)) if event_id.isdigit() and len(event_id) < 10 else None
        plan = self[event_id] = None if made is None else self._plan(made)
        return plan

    def _plan(self, made: EventType) -> _Plan:
        by_lower = {f.name.lower(): f.name for f in made.fields}
        where = {name: name for name in self._given if made.field(name)}
        for name in self._given:
            if name.lower() in by_lower:
                where.setdefault(by_lower[name.lower()], name)
        unknown = tuple(name for name in self._given if name.lower() not in by_lower)
        tables = {f.name: self._tables[f.kind.name] for f in made.fields}
        wanted = tuple((where.get(name, ""), tables[name]) for name in self._wanted.get(made.id, ()))
        missing = None if any(name for name, _ in wanted) else tuple(table[_NULL] for _, table in wanted)
        return _Plan(made.id, wanted, missing, unknown)


class _Reader:
    """Reads lines."""

    def __init__(self, tally: Tally, wanted: Wanted) -> None:
        self._tally, self._wanted = tally, wanted
        self._layouts = _Layouts(wanted)
        self._seconds = _Seconds()

    def rows(self, stream: BinaryIO) -> Iterator[Taken]:
        """The events of a stream. Flat, since every line goes this way."""
        tally, layouts, seconds, number = self._tally, self._layouts, self._seconds, 0
        row: Mapping[str, msgspec.Raw]
        try:
            for number, line in enumerate(lines_of(stream, LONGEST), 1):
                try:
                    row = _RAW.decode(line)
                    layout = layouts[tuple(row)]
                    if layout.usual:
                        plan, utc = layout.plans[bytes(row["EventID"])], bytes(row["UtcTime"])
                        if (
                            plan is not None
                            and row["SourceName"] == _PROVIDER
                            and len(utc) == _UTC_TIME
                            and seconds[utc[:21]]
                            and utc[21:24].isdigit()
                            and (layout.plain or _is_plain(layout, row))
                            and (line.isascii() or line.decode())  # what is skipped over is not looked at
                        ):
                            tally.entries += 1
                            for name in plan.unknown:
                                tally.unknown_field(plan.id, name)
                            values = plan.missing
                            if values is None:
                                values = tuple([table[bytes(row[n]) if n else _NULL] for n, table in plan.wanted])
                            yield plan.id, values, partial(self._entry, line)
                            continue
                    taken = self._whole(_WHOLE.decode(line), tally)
                    if taken is not None:
                        yield taken
                except _NO_JSON as error:
                    if line.strip():
                        tally.damage(f"line {number}", "no JSON object" if _is_json(line) else f"no JSON: {error}")
                except NoEventError as error:
                    tally.damage(f"line {number}", str(error))
        except UNREADABLE as error:
            tally.damage(f"behind line {number}", str(error))

    def _whole(self, row: dict[str, Any], tally: Tally) -> Taken | None:
        found = flat(row)
        if found is None:
            raise NoEventError("something of another shape")
        return taken_of(found, tally, self._wanted)

    def _entry(self, line: bytes) -> Entry[Event]:
        counted = Tally()
        taken = self._whole(_decoded(line), counted)
        if taken is None:
            raise NoEventError("a line that is an event and is none")  # it was looked at before
        entry = taken[2]()
        self._tally.odd_values += counted.odd_values
        return entry
