"""How entries of one type become rows, and how many of them become a pack; worked out once for each type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import EVENTS, Event
from pysmon.schema.taking import taker
from pysmon.store.dictionary import Dictionary
from pysmon.store.extra import extra_to_text
from pysmon.store.origins import Origins
from pysmon.store.packs import Coded, Values, apart, coded, distinct, numbers, packed, same
from pysmon.store.tables import ENVELOPE, EXTRA, shape_of, table_of
from pysmon.store.values import INTERNED, NONE, Column, all_to_column, to_column

Found = tuple[int, Entry[Event]]  # position, entry

_ROW = 26  # bytes of a row's envelope
_SIZES = {"guid": 17, "time": 7}  # bytes of a column; others take about 4
_INDEX = 24  # bytes of an index entry for a guid


class Several(NamedTuple):
    """Entries of one type, column by column."""

    positions: Sequence[int]
    record_ids: Sequence[int]
    times: Sequence[int]
    events: Sequence[Event]
    origins: Sequence[Origin]
    oldest: int  # of the times
    newest: int


def several(found: Sequence[Found]) -> Several:
    """The entries that were found, at least one."""
    positions, entries = zip(*found, strict=True)
    record_ids, times, events, origins = zip(*entries, strict=True)
    return Several(positions, record_ids, times, events, origins, min(times), max(times))


@dataclass(frozen=True, slots=True)
class Plan:
    """How entries of one type are written."""

    insert: str
    shape: tuple[int, str]  # of a pack: event id and columns
    values: Callable[[Event], tuple[Any, ...]]
    fields: tuple[tuple[str, Callable[[Any], Column] | None], ...]  # the name, and what a value becomes; None: a text
    all_become: tuple[Callable[[Sequence[Any]], Values], ...]  # the same for several; of a text, nothing
    guids: tuple[int, ...]  # places of the fields that name a process
    size: int  # of a row, about, in bytes

    def rows(self, found: Several, origins: Origins, dictionary: Dictionary) -> list[list[Any]]:
        """Entries as rows of their table."""
        wrote = origins.numbers(found.origins)
        entries = zip(found.positions, found.record_ids, found.times, wrote, found.events, strict=True)
        return [self._row([*envelope], event, dictionary) for *envelope, event in entries]

    def _row(self, made: list[Any], event: Event, dictionary: Dictionary) -> list[Any]:
        made.append(dictionary.number(EXTRA, extra_to_text(event.extra)) if event.extra else 0)
        for (name, become), value in zip(self.fields, self.values(event), strict=True):
            made.append(dictionary.number(name, value) if become is None else become(value))
        return made

    def pack(self, found: Several, origins: Origins, dictionary: Dictionary) -> tuple[bytes, set[Any]]:
        """Entries as one value, and the processes that it speaks of."""
        columns = [
            numbers(found.positions, found.positions[0], found.positions[-1]),
            apart(found.record_ids, found.positions),
            numbers(found.times, found.oldest, found.newest),
            coded(origins.numbers(found.origins)),
            _texts(EXTRA, _extras(found.events), dictionary),
        ]
        start = len(columns)
        said = zip(*map(self.values, found.events), strict=True)
        for (name, become), all_become, values in zip(self.fields, self.all_become, said, strict=True):
            columns.append(_texts(name, values, dictionary) if become is None else _others(all_become, values))
        return packed(columns), {guid for i in self.guids for guid in distinct(columns[start + i])}


def _extras(events: Sequence[Event]) -> list[str]:
    """What events tell beside their fields; many share one mapping."""
    extras = [event.extra for event in events]
    distinct_ones = dict(zip(map(id, extras), extras, strict=True))
    texts = {key: extra_to_text(extra) if extra else NONE for key, extra in distinct_ones.items()}
    return [*map(texts.__getitem__, map(id, extras))]


def _texts(name: str, values: Sequence[str], dictionary: Dictionary) -> Coded:
    if same(values):
        return [dictionary.number(name, values[0])]
    return coded([*map(dictionary.numbers(name, dict.fromkeys(values)).__getitem__, values)])


def _others(all_become: Callable[[Sequence[Any]], Values], values: Sequence[Any]) -> Coded:
    return all_become(values[:1]) if same(values) else coded(all_become(values))


@cache
def plan_of(made: type[Event]) -> Plan:
    """The plan for an event type, by its class."""
    event_id = made.type.id
    table, fields = table_of(event_id), EVENTS[event_id].fields
    columns = ", ".join([*ENVELOPE, *(f'"{f.name}"' for f in fields)])
    places = ", ".join("?" * (len(ENVELOPE) + len(fields)))
    return Plan(
        insert=f"INSERT INTO {table.name} ({columns}) VALUES ({places})",
        shape=(event_id, shape_of(event_id)),
        values=taker([f.name for f in fields]),
        fields=tuple((f.name, None if f.kind.name in INTERNED else to_column(f.kind)) for f in fields),
        all_become=tuple(all_to_column(f.kind) for f in fields),
        guids=tuple(i for i, f in enumerate(fields) if f.name in table.guids),
        size=_ROW + sum(_SIZES.get(f.kind.name, 4) for f in fields) + _INDEX * len(table.guids),
    )
