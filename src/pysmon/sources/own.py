"""What pysmon writes itself, read again: its JSON lines and its event log. (Its XML lines are those of Sysmon.)"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pysmon.formats.json_line import ENVELOPE
from pysmon.formats.linux_xml import PROVIDER
from pysmon.formats.providers import WINDOWS
from pysmon.formats.read_json import read_json_line
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sources.packed import UNREADABLE, lines_of
from pysmon.sources.parts import Row
from pysmon.sources.shape import Sample
from pysmon.sources.source import SourceError, Taken, Tally, Wanted
from pysmon.sources.streams import Bytes
from pysmon.store.failure import StoreError
from pysmon.store.query import Query
from pysmon.store.store import Store

_SQLITE = b"SQLite format 3\0"
_LONGEST = 1 << 22  # bytes of a line


def fits_own(sample: Sample) -> bool:
    """Whether its objects have our envelope; of events of Windows in our order, since other tools use these names."""
    return any(_has_envelope(row) for row in sample.rows)


def _has_envelope(row: Row) -> bool:
    provider = row.get("Provider_Name")
    if provider == WINDOWS:
        return tuple(row)[: len(ENVELOPE)] == ENVELOPE
    return provider == PROVIDER and row.keys() >= set(ENVELOPE)


def read_own(source: Bytes, tally: Tally, wanted: Wanted) -> Iterator[Taken]:
    """The events of our JSON lines."""
    return _taken(_of_lines(source, tally), tally, wanted)


def _of_lines(source: Bytes, tally: Tally) -> Iterator[Entry[Event]]:
    number = 0
    with source.open() as stream:
        try:
            for number, line in enumerate(lines_of(stream, _LONGEST), 1):
                try:
                    entry = read_json_line(line)
                except ValueError as error:
                    if line.strip():
                        tally.damage(f"line {number}", str(error))
                    continue
                yield entry
        except UNREADABLE as error:
            tally.damage(f"behind line {number}", str(error))


def fits_store(sample: Sample) -> bool:
    """Whether it is a file of SQLite."""
    return sample.head.startswith(_SQLITE)


def read_store(source: Bytes, tally: Tally, wanted: Wanted) -> Iterator[Taken]:
    """The events of an event log; SourceError if it is packed."""
    return _taken(_of_store(source, tally), tally, wanted)


def _of_store(source: Bytes, tally: Tally) -> Iterator[Entry[Event]]:
    if source.plain_file is None:
        raise SourceError(f"{source.name}: an event log can only be read from a file that is not packed")
    try:
        with Store(source.plain_file) as store:
            yield from store.select(Query())
    except StoreError as error:
        tally.damage("the event log", str(error))


def _taken(entries: Iterator[Entry[Event]], tally: Tally, wanted: Wanted) -> Iterator[Taken]:
    for entry in entries:
        tally.entries += 1
        event = entry.event
        names = wanted.get(event.type.id, ())
        yield event.type.id, tuple([getattr(event, name) for name in names]), partial(_same, entry)


def _same(entry: Entry[Event]) -> Entry[Event]:
    return entry
