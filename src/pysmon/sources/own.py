"""What pysmon writes itself, read again: its JSON lines and its event log. (Its XML lines are those of Sysmon.)"""

from __future__ import annotations

from collections.abc import Iterator

from pysmon.formats.json_line import ENVELOPE
from pysmon.formats.linux_xml import PROVIDER
from pysmon.formats.read_json import read_json_line
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sources.shape import Sample
from pysmon.sources.source import SourceError, Tally
from pysmon.sources.streams import UNREADABLE, Bytes
from pysmon.store.failure import StoreError
from pysmon.store.query import Query
from pysmon.store.store import Store

_SQLITE = b"SQLite format 3\0"
_LONGEST = 1 << 22  # bytes of a line


def fits_own(sample: Sample) -> bool:
    """Whether its objects have our envelope."""
    return any(row.get("Provider_Name") == PROVIDER and row.keys() >= set(ENVELOPE) for row in sample.rows)


def read_own(source: Bytes, tally: Tally) -> Iterator[Entry[Event]]:
    """The entries of our JSON lines."""
    number = 0
    with source.open() as stream:
        try:
            while line := stream.readline(_LONGEST):
                number += 1
                try:
                    entry = read_json_line(line)
                except ValueError as error:
                    if line.strip():
                        tally.damage(f"line {number}", str(error))
                    continue
                tally.entries += 1
                yield entry
        except UNREADABLE as error:
            tally.damage(f"behind line {number}", str(error))


def fits_store(sample: Sample) -> bool:
    """Whether it is a file of SQLite."""
    return sample.head.startswith(_SQLITE)


def read_store(source: Bytes, tally: Tally) -> Iterator[Entry[Event]]:
    """The entries of an event log; SourceError if it is packed."""
    if source.plain_file is None:
        raise SourceError(f"{source.name}: an event log can only be read from a file that is not packed")
    try:
        with Store(source.plain_file) as store:
            for entry in store.select(Query()):
                tally.entries += 1
                yield entry
    except StoreError as error:
        tally.damage("the event log", str(error))
