"""Logs of others as one log: the same questions, answered by reading them, or from a copy that is made for them."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from pysmon.cli.file_log import matches
from pysmon.cli.progress import watched
from pysmon.cli.telling import tell_logs
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import Event
from pysmon.sinks.store import StoreSink
from pysmon.sources.open import open_sources
from pysmon.sources.order import in_order
from pysmon.sources.source import Source, Taken, Tally
from pysmon.store.classes import Limits
from pysmon.store.query import Query
from pysmon.store.store import Store

Row = tuple[int, Entry[Event]]
_BATCH = 5000  # entries
_UNBOUNDED = Limits(total=1 << 60)


class SourceLog:
    """The entries of files of any shape, one file after the other."""

    is_current = True  # nobody follows it

    def __init__(self, names: Sequence[str], form: str | None = None, *, often: bool = False) -> None:
        """`often`: it will be asked more than once or twice, so that a copy with indexes pays. Nothing is read yet."""
        self._names, self._form, self._often = names, form, often
        self._copy: _Copy | None = None
        self.tallies: dict[str, Tally] = {}  # of the latest reading, by name

    def rows(self, query: Query) -> Iterator[Row]:
        """The entries that are wanted, with their positions; from a copy in the order in which they happened."""
        if self._often:
            self._copy = self._copy or _Copy(self.entries())
            yield from self._copy.rows(query)
            return
        found = (row for row in self._numbered(query) if matches(query, row[1]))
        if query.order == "newest first":
            yield from reversed(deque(found, maxlen=query.limit))
            return
        for number, row in enumerate(found):
            if query.limit is not None and number >= query.limit:
                return
            yield row

    def entries(self, ids: frozenset[int] = frozenset()) -> Iterator[Entry[Event]]:
        """All entries, or those with these event ids, in the order of the logs."""
        whole = Whole(list(open_sources(self._names, self._form)))
        for event_id, _, make in watched(whole, self._taken(whole)):
            if not ids or event_id in ids:
                yield make()

    def _taken(self, whole: Whole) -> Iterator[Taken]:
        for source in whole:
            rows = source.rows({})
            self.tallies[source.name] = source.tally  # it grows, also if the reading ends before the log
            yield from rows

    def _numbered(self, query: Query) -> Iterator[Row]:
        for number, entry in enumerate(self.entries(query.ids), 1):
            if query.upto is not None and number > query.upto:
                return
            if number > (query.after or 0):
                yield number, entry

    def close(self) -> None:
        """Remove the copy, if one was made; a second call does nothing."""
        if self._copy is not None:
            self._copy.close()
            self._copy = None

    def tell(self) -> None:
        """Say on standard error what there was besides events, by file."""
        tell_logs(self.tallies, self._form)


class Whole:
    """Several logs, read one after the other, as one of which a part is done."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """None of them is read yet."""
        self._sources = sources
        self.name = sources[0].name if len(sources) == 1 else f"{len(sources)} logs"
        self.size = sum(source.size for source in sources)
        self._before = 0
        self._current: Source | None = None

    @property
    def done(self) -> int:
        """Bytes of all that were read so far."""
        return self._before + (self._current.done if self._current else 0)

    def __iter__(self) -> Iterator[Source]:
        """The logs, each of which is read before the next one is asked for."""
        for source in self._sources:
            self._current = source
            yield source
            self._before, self._current = self._before + source.size, None


class _Copy:
    """A store in a temporary folder. The entries keep who wrote them, of which a store has no column for all."""

    def __init__(self, entries: Iterator[Entry[Event]]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pysmon-")
        self._origins: list[Origin] = []
        try:
            path = Path(self._folder.name, "log")
            sink = StoreSink(path, _UNBOUNDED, sync_every=3600.0)
            for batch in _batches(self._marked(in_order(entries))):
                sink.write(batch)
            sink.close()
            self._store = Store(path)
        except BaseException:
            self._folder.cleanup()
            raise

    def rows(self, query: Query) -> Iterator[Row]:
        for position, entry in self._store.rows(query):
            yield position, entry._replace(origin=self._origins[entry.origin.user_id])

    def close(self) -> None:
        self._store.close()
        self._folder.cleanup()

    def _marked(self, entries: Iterator[Entry[Event]]) -> Iterator[Entry[Event]]:
        numbers: dict[Origin, int] = {}
        for entry in entries:
            origin = entry.origin
            number = numbers.get(origin)
            if number is None:
                number = numbers[origin] = len(self._origins)
                self._origins.append(origin)
            yield entry._replace(origin=Origin(origin.computer, origin.process_id, origin.thread_id, number))


def _batches(entries: Iterator[Entry[Event]]) -> Iterator[list[Entry[Event]]]:
    while batch := list(islice(entries, _BATCH)):
        yield batch
