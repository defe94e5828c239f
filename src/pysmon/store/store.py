"""Reading the log: entries come back as the typed events that were written, in order, while somebody writes on."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from pysmon.schema.catalogue import ProcessCreate
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.store.classes import CLASSES
from pysmon.store.failure import FAILURES, StoreError, failure
from pysmon.store.migrations import check
from pysmon.store.open import connect_reader, identity
from pysmon.store.query import Condition, Query, Subject, about
from pysmon.store.rows import Rows
from pysmon.store.segments import Segment, all_segments
from pysmon.store.state import read_state

Row = tuple[int, Entry[Event]]  # a position in the log, and what stands there


@dataclass(frozen=True, slots=True)
class Holding:
    """What the log holds of one class."""

    name: str
    entries: int
    bytes: int  # of the file, as far as they can be told apart
    oldest: int | None  # time of the oldest entry in ns since 1970; None if there is none
    newest: int | None


class Store:
    """A log, open for reading; any number at a time, in any process. One thread at a time uses one.

    All methods raise StoreError if the file cannot be read. No lock and no snapshot is held while a caller looks at
    what an iterator gave: a slow reader costs the writer nothing. What retention removes meanwhile is not seen.
    """

    def __init__(self, path: Path) -> None:
        """Open the log; StoreError if there is none, or this user may not read it."""
        self.path = path
        self._identity = identity(path)
        self._connection = connect_reader(path)
        try:
            check(self._connection, str(path))
            self._rows = Rows(self._connection)
        except FAILURES as error:
            self._connection.close()
            raise failure("read", str(path), error) from error
        except StoreError:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        """Use it for a while."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        self._connection.close()

    @property
    def is_current(self) -> bool:
        """Whether the path still leads to this log; if not, it was removed or replaced, and followers open it anew."""
        return identity(self.path) == self._identity

    def select(self, query: Query) -> Iterator[Entry[Event]]:
        """The entries that the query asks for, in its order."""
        return (entry for _, entry in self.rows(query))

    def rows(self, query: Query) -> Iterator[Row]:
        """The same with their positions in the log.

        To follow a log, take `end()` as `after`, ask again and again, and go on with the last position that came. A
        query without `upto` ends where the log ended when it was asked.
        """
        query = query if query.upto is not None else replace(query, upto=self.end())
        backward = query.order == "newest first"
        try:
            asked = self._rows.of_all(query)
        except FAILURES as error:
            raise failure("read", str(self.path), error) from error
        return self._told(islice(heapq.merge(*asked, key=lambda row: row[0], reverse=backward), query.limit))

    def _told(self, rows: Iterator[Row]) -> Iterator[Row]:
        try:
            yield from rows
        except FAILURES as error:
            raise failure("read", str(self.path), error) from error

    def end(self) -> int:
        """The position of the last entry that was ever written; 0 in a log that is new."""
        return self._read_state("end")

    def _read_state(self, name: str) -> int:
        try:
            return read_state(self._connection, name)
        except FAILURES as error:
            raise failure("read", str(self.path), error) from error

    def process(self, guid: str) -> Entry[ProcessCreate] | None:
        """The creation of that process, or None if the log does not hold it."""
        asked = Query(ids=frozenset([1]), processes=frozenset([guid]), limit=1)
        return cast("Entry[ProcessCreate] | None", next(self.select(asked), None))

    def children(self, guid: str) -> list[Entry[ProcessCreate]]:
        """The creations of the processes whose parent it is, the oldest first."""
        return self.children_of([guid])

    def children_of(self, guids: Iterable[str]) -> list[Entry[ProcessCreate]]:
        """The creations of the processes whose parent is one of these, the oldest first."""
        asked = Query(ids=frozenset([1]), parents=frozenset(guids))
        return cast("list[Entry[ProcessCreate]]", list(self.select(asked))) if asked.parents else []

    def descendants(self, guid: str, limit: int | None = None) -> list[Entry[ProcessCreate]]:
        """The creations of its children, their children and so on, each generation after the one before it.

        `limit` bounds how many are told.
        """
        found: list[Entry[ProcessCreate]] = []
        known, parents = {guid}, [guid]
        while parents and (limit is None or len(found) < limit):
            born = [c for c in self.children_of(parents) if c.event.ProcessGuid not in known]
            known.update(c.event.ProcessGuid for c in born)
            parents = [c.event.ProcessGuid for c in born]
            found += born
        return found[:limit]

    def by_process_id(self, process_id: int) -> list[Entry[ProcessCreate]]:
        """The creations of all processes that ever had that id, the newest first."""
        asked = Query(
            ids=frozenset([1]), conditions=(Condition("ProcessId", "is", str(process_id)),), order="newest first"
        )
        return cast("list[Entry[ProcessCreate]]", list(self.select(asked)))

    def events_of(self, guids: Iterable[str], query: Query = Query()) -> Iterator[Entry[Event]]:  # noqa: B008 - frozen
        """What these processes did and what was done to them, of what the query asks for."""
        wanted = frozenset(guids)
        return self.select(replace(query, processes=wanted)) if wanted else iter(())

    def find(self, subject: Subject, value: str, query: Query = Query()) -> Iterator[Entry[Event]]:  # noqa: B008
        """The entries that concern a domain, an address, a file or a hash, of what the query asks for."""
        return self.select(replace(query, any_of=about(subject, value)))

    def holdings(self) -> list[Holding]:
        """What it holds of each class."""
        try:
            segments = all_segments(self._connection)
            return [_holding(c.name, segments) for c in CLASSES]
        except FAILURES as error:
            raise failure("read", str(self.path), error) from error


def _holding(name: str, segments: list[Segment]) -> Holding:
    found = [s for s in segments if s.event_class == name and not s.dropped]
    return Holding(
        name,
        entries=sum(s.entries for s in found),
        bytes=sum(s.bytes for s in found),
        oldest=min((s.oldest for s in found), default=None),
        newest=max((s.newest for s in found), default=None),
    )
