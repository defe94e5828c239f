"""What the writer knows of one class: its open segment, its dictionary, and the rows that are to be written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.store.classes import EventClass
from pysmon.store.dictionary import Dictionary
from pysmon.store.extra import extra_to_text
from pysmon.store.segments import Segment
from pysmon.store.tables import ENVELOPE, EXTRA, table_of
from pysmon.store.values import INTERNED, to_column

_SECOND = 1_000_000_000
_ROW = 26  # bytes of a row's envelope
_SIZES = {"guid": 17, "time": 7}  # bytes of a column; others take about 4
_INDEX = 24  # bytes of an index entry for a guid


@dataclass(frozen=True, slots=True)
class _Plan:
    """How entries of one type are written."""

    insert: str
    values: Callable[[Event], tuple[Any, ...]]
    texts: tuple[tuple[int, str], ...]  # where texts stand, and the field's name
    others: tuple[tuple[int, Callable[[Any], Any]], ...]
    bytes: int  # of a row, about


class Book:
    """Takes the entries of one class; what it holds back is written by `take_rows` and `take_texts`."""

    def __init__(
        self, event_class: EventClass, fields: dict[str, int], last: Segment | None, size: int, age: int
    ) -> None:
        """Go on after the last segment of the class, which reaches over `size` bytes and `age` seconds (0: any)."""
        self.event_class = event_class
        self._size, self._age = size, age * _SECOND
        self._bytes = 0
        next_text = last.last_text + 1 if last else 1
        self.dictionary = Dictionary(fields, next_text)
        self._number = last.number if last else 0
        self._open = last if last and not last.dropped else None
        self._rows: dict[str, list[list[Any]]] = {}
        self.changed: dict[int, Segment] = {}

    def add(self, position: int, entry: Entry[Event], origin: int) -> None:
        """Take an entry; it goes to the open segment, or to a new one if that is full."""
        event = entry.event
        plan = _plan(event.type.id)
        segment = self._open
        if segment is None or segment.bytes >= self._size or (self._age and entry.time - segment.oldest > self._age):
            segment = self._begin(position, entry.time)
        dictionary = self.dictionary
        before, number = dictionary.bytes, dictionary.number
        extra = number(EXTRA, extra_to_text(event.extra)) if event.extra else 0
        row = [position, entry.record_id, entry.time, origin, extra, *plan.values(event)]
        for i, name in plan.texts:
            row[i] = number(name, row[i])
        for i, become in plan.others:
            row[i] = become(row[i])
        rows = self._rows.get(plan.insert)
        if rows is None:
            rows = self._rows[plan.insert] = []
        rows.append(row)
        segment.last = position
        segment.last_text = dictionary.next_id - 1
        segment.entries += 1
        segment.bytes += plan.bytes + dictionary.bytes - before
        self._bytes += plan.bytes + dictionary.bytes - before
        if entry.time < segment.oldest:
            segment.oldest = entry.time
        if entry.time > segment.newest:
            segment.newest = entry.time
        self.changed[segment.number] = segment

    def _begin(self, position: int, time: int) -> Segment:
        self._number += 1
        self.dictionary.begin_segment()
        next_text = self.dictionary.next_id
        self._open = Segment(
            event_class=self.event_class.name,
            number=self._number,
            first=position,
            last=position,
            first_text=next_text,
            last_text=next_text - 1,
            oldest=time,
            newest=time,
            entries=0,
            bytes=0,
        )
        return self._open

    def close_segment(self) -> None:
        """Begin another segment with the next entry."""
        self._open = None

    @property
    def open_segment(self) -> Segment | None:
        """The segment that is being written, if one is."""
        return self._open

    def take_rows(self) -> dict[str, list[list[Any]]]:
        """The rows that are to be written by their INSERT statement, once."""
        rows, self._rows = self._rows, {}
        return rows

    def take_bytes(self) -> int:
        """How much the rows and texts that were taken are, about; counts from 0 again."""
        taken, self._bytes = self._bytes, 0
        return taken

    def take_changed(self) -> list[Segment]:
        """The segments that are to be written, once."""
        changed, self.changed = list(self.changed.values()), {}
        return changed


@cache
def _plan(event_id: int) -> _Plan:
    table, fields = table_of(event_id), EVENTS[event_id].fields
    start = len(ENVELOPE)
    columns = ", ".join([*ENVELOPE, *(f'"{f.name}"' for f in fields)])
    places = ", ".join("?" * (start + len(fields)))
    return _Plan(
        insert=f"INSERT INTO {table.name} ({columns}) VALUES ({places})",
        values=attrgetter(*(f.name for f in fields)),
        texts=tuple((start + i, f.name) for i, f in enumerate(fields) if f.kind.name in INTERNED),
        others=tuple((start + i, to_column(f.kind)) for i, f in enumerate(fields) if f.kind.name not in INTERNED),
        bytes=_ROW + sum(_SIZES.get(f.kind.name, 4) for f in fields) + _INDEX * len(table.guids),
    )
