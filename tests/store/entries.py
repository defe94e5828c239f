"""Entries for the tests of the log: any that could be, and short ones to count with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from tests.formats.entries import ORIGIN, any_event

from pysmon.schema import catalogue
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import EVENTS, Event, EventType
from pysmon.store.query import Query
from pysmon.store.store import Store

SECOND = 1_000_000_000
START = 1_795_000_000 * SECOND
MACHINE = "{b635b3db-0000-0000-0000-"

TEXTS = st.one_of(
    st.sampled_from(["-", "", "/usr/bin/bash", "/USR/bin/Bash", "a\0b", "\udcff", "%_\\", "\ud800\udc00", "ÄöK", "7"]),
    st.text(alphabet=st.characters(exclude_categories=()), max_size=20),
    st.text(alphabet="aA\0\udc80%_", max_size=6),
)
_TIMES = st.datetimes().map(lambda d: f"{d:%Y-%m-%d %H:%M:%S}.{d.microsecond // 1000:03}") | TEXTS
_GUIDS = (
    st.uuids().map(lambda u: f"{{{u}}}")
    | st.uuids().map(lambda u: f"{{{u}}}".upper())
    | st.sampled_from(["-", "{}", "\0" * 15, "\0" * 16, "\udcff"])
)
_BY_KIND: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "time": _TIMES,
    "guid": _GUIDS,
    "hexint32": TEXTS,
    "hexint64": TEXTS,
    "boolean": st.sampled_from([None, True, False]),
}
_NUMBERS = st.one_of(st.sampled_from([0, 1, 7, 4444, (1 << 32) - 1, (1 << 64) - 1]), st.integers(0, (1 << 64) - 1))
_FACTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def entries(draw: st.DrawFn) -> Entry[Event]:
    """Any entry of any event type."""
    schema: EventType = draw(st.sampled_from(list(EVENTS.values())))
    values = {f.name: draw(_BY_KIND.get(f.kind.name, _NUMBERS)) for f in schema.fields}
    extra = draw(st.none() | st.dictionaries(TEXTS, _FACTS, min_size=1, max_size=3))
    origin = draw(st.just(ORIGIN) | st.builds(Origin, TEXTS, st.integers(0, 99), st.just(1), st.just(0)))
    numbers = st.integers(0, (1 << 62))
    return Entry(draw(numbers), draw(numbers), schema.cls(extra=extra, **values), origin)


def guid(number: int) -> str:
    """The guid of a process by a number."""
    return f"{MACHINE}{number:012x}}}"


def made(number: int, event_id: int = 1, **values: Any) -> Entry[Event]:
    """An entry that is told from others by its record id; a second passes from one number to the next."""
    return Entry(number, START + number * SECOND, any_event(EVENTS[event_id], **values), ORIGIN)


def created(number: int, parent: int = 0, **values: Any) -> Entry[Event]:
    """The creation of the process of that number."""
    values = {"ProcessGuid": guid(number), "ParentProcessGuid": guid(parent), **values}
    return made(number, catalogue.ProcessCreate.type.id, **values)


def record_ids(path: Path, query: Query | None = None) -> list[int]:
    """The record ids of the entries that a log has of what is asked for."""
    with Store(path) as log:
        return [entry.record_id for entry in log.select(query or Query())]
