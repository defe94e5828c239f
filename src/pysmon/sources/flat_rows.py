"""Flat JSON lines, a few fields of each event alone: what judging needs, many times as fast as whole entries.

Lines as usual are read by structs that are learned from them (`flat_structs`); values that are no texts are looked up
by their JSON if they were seen before. Whatever is not quite as usual takes the way that whole entries take.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO

import msgspec
from msgspec import UNSET

from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.schema.kinds import Kind
from pysmon.sources.flat import flat
from pysmon.sources.flat_structs import FIRST, LAST, Structs
from pysmon.sources.found import NoEventError, absent, all_taken, reader_of, taken_of
from pysmon.sources.json_rows import LONGEST, are_lines, rows
from pysmon.sources.origins import PROVIDERS
from pysmon.sources.packed import UNREADABLE, raw_lines_of
from pysmon.sources.source import Taken, Tally, Wanted
from pysmon.sources.streams import Bytes

_MOST_KEPT = 32768  # values of a kind
_LONGEST_KEPT = 4096  # bytes: call traces of a kilobyte come again and again
_HEAVIEST_KEPT = 8 << 20  # bytes of all values of a kind, as JSON
_MOST_DIGITS = 400  # of a whole number; with more, even as a float it has no value
_WHOLE = msgspec.json.Decoder(dict[str, Any])
_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_KINDS = {f.kind.name: f.kind for made in EVENTS.values() for f in made.fields}


class _Other(msgspec.Struct, gc=False):
    """What is looked at of an event of others."""

    SourceName: str
    EventID: msgspec.Raw
    Channel: str = ""


_OTHERS = msgspec.json.Decoder(_Other)


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


def _object(line: bytes) -> dict[str, Any]:
    """The same of a line that is to be an object; _NO_JSON if it is none."""
    try:
        return _WHOLE.decode(line)
    except msgspec.ValidationError:
        with suppress(ValueError):  # what is behind such a number was not looked at
            row = json.loads(line, parse_int=_number)
            if isinstance(row, dict):
                return row
        raise


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


class _Reader:
    """Reads lines."""

    def __init__(self, tally: Tally, wanted: Wanted) -> None:
        self._tally, self._wanted = tally, wanted
        self._structs = Structs(wanted, {kind: _Values(made) for kind, made in _KINDS.items()})

    def rows(self, stream: BinaryIO) -> Iterator[Taken]:
        """The events of a stream. Flat, since every line goes this way."""
        tally, plans, decode, entry, number = self._tally, self._structs.plans, self._structs.decode, self._entry, 0
        try:
            for number, line in enumerate(raw_lines_of(stream, LONGEST), 1):
                try:
                    row = decode(line)
                    plan = plans[row.__class__]
                    usual = (
                        FIRST <= row.at < LAST
                        and (plan.usual is None or plan.usual(row))
                        and (line.isascii() or line.decode())  # what is skipped over is not looked at
                    )
                except _NO_JSON:
                    usual = False
                if usual:
                    tally.entries += 1
                    for attribute, name in plan.unknown:
                        if getattr(row, attribute) is not UNSET:
                            tally.unknown_field(plan.id, name)
                    yield plan.id, plan.values(row), partial(entry, line)
                    continue
                taken = self._odd(line.removesuffix(b"\n"), number)
                decode = self._structs.decode  # it may know more now
                if taken is not None:
                    yield taken
        except UNREADABLE as error:
            tally.damage(f"behind line {number}", str(error))

    def _odd(self, line: bytes, number: int) -> Taken | None:
        """A line that is an event of others, or not quite as usual, or none at all."""
        try:
            if self._is_of_others(line):
                return None
            row = _object(line)
            taken = self._whole(row, self._tally)
            self._structs.learn(row)
            return taken
        except _NO_JSON as error:
            if line.strip():
                self._tally.damage(f"line {number}", "no JSON object" if _is_json(line) else f"no JSON: {error}")
        except NoEventError as error:
            self._tally.damage(f"line {number}", str(error))
        return None

    def _is_of_others(self, line: bytes) -> bool:
        try:
            other = _OTHERS.decode(line)
            if not other.SourceName or other.SourceName in PROVIDERS or not (line.isascii() or line.decode()):
                return False
        except _NO_JSON:
            return False
        self._tally.other(other.Channel or other.SourceName)
        return True

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
