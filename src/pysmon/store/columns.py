"""How entries of one type become rows, and how many of them become a pack; worked out once for each type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pysmon.schema.event import EVENTS, Event
from pysmon.schema.taking import taker
from pysmon.store.dictionary import Dictionary
from pysmon.store.extra import extra_to_text
from pysmon.store.packs import Values, packed, same
from pysmon.store.tables import ENVELOPE, EXTRA, shape_of, table_of
from pysmon.store.values import INTERNED, NONE, Column, all_to_column, to_column

Found = tuple[int, int, int, int, Event]  # position, record id, time, number of the origin, event

_ROW = 26  # bytes of a row's envelope
_SIZES = {"guid": 17, "time": 7}  # bytes of a column; others take about 4
_INDEX = 24  # bytes of an index entry for a guid


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

    def row(self, found: Found, dictionary: Dictionary) -> list[Any]:
        """An entry as a row of its table."""
        position, record_id, time, origin, event = found
        extra = dictionary.number(EXTRA, extra_to_text(event.extra)) if event.extra else 0
        made: list[Any] = [position, record_id, time, origin, extra]
        for (name, become), value in zip(self.fields, self.values(event), strict=True):
            made.append(dictionary.number(name, value) if become is None else become(value))
        return made

    def pack(self, found: Sequence[Found], dictionary: Dictionary) -> tuple[bytes, set[Any]]:
        """Several entries as one value, and the processes that it speaks of."""
        positions, record_ids, times, origins, events = zip(*found, strict=True)
        columns: list[Values] = [positions, record_ids, times, origins, _texts(EXTRA, _extras(events), dictionary)]
        start = len(columns)
        said = zip(*map(self.values, events), strict=True)
        for (name, become), all_become, values in zip(self.fields, self.all_become, said, strict=True):
            columns.append(_texts(name, values, dictionary) if become is None else _others(all_become, values))
        return packed(columns), {guid for i in self.guids for guid in set(columns[start + i])}


def _extras(events: Sequence[Event]) -> list[str]:
    """What events tell beside their fields; many share one mapping."""
    known: dict[int, str] = {}
    made = []
    for event in events:
        extra = event.extra
        if extra:
            text = known.get(id(extra))
            if text is None:
                text = known[id(extra)] = extra_to_text(extra)
            made.append(text)
        else:
            made.append(NONE)
    return made


def _texts(name: str, values: Sequence[str], dictionary: Dictionary) -> Values:
    if same(values):
        return [dictionary.number(name, values[0])] * len(values)
    return [*map(dictionary.numbers(name, dict.fromkeys(values)).__getitem__, values)]


def _others(all_become: Callable[[Sequence[Any]], Values], values: Sequence[Any]) -> Values:
    if same(values):
        return [*all_become(values[:1])] * len(values)
    return all_become(values)


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
