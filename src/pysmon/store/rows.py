"""Rows of the log page by page, and how a row becomes an entry again."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import EVENTS, Event
from pysmon.store.blocks import texts_of_block
from pysmon.store.extra import extra_of_text
from pysmon.store.failure import DamagedError
from pysmon.store.query import Query
from pysmon.store.segments import Segment, all_segments
from pysmon.store.select import Dictionaries, teach, where
from pysmon.store.tables import ENVELOPE, EXTRA, Table, table_of
from pysmon.store.unpacking import Shapes, Stretch, shapes, unpackings
from pysmon.store.values import INTERNED, NONE, decoded, of_column

Row = tuple[int, Entry[Event]]

_FIRST_PAGE, _LARGEST_PAGE = 64, 4096  # rows; the first answers come soon, the later ones cost little
_REMEMBERED = 32 << 20  # bytes of texts
_ALL = (1 << 63) - 1
_position = itemgetter(0)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the rows of one table are read."""

    table: Table
    columns: frozenset[str]  # that the file has
    listed: str
    names: tuple[str, ...]  # of the fields among them, in the order of the columns
    texts: tuple[int, ...]  # where numbers of texts stand
    others: tuple[tuple[int, Callable[[Any], Any]], ...]  # where others stand, and what they become


class Rows:
    """Reads the rows of one file. Between two pages no statement is open, so that the writer can tidy up."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Look what the file has."""
        self._connection = connection
        teach(connection)
        self._numbers: dict[str, int] = dict(connection.execute("SELECT name, number FROM fields"))
        self._plans = {i: _plan(connection, table_of(i)) for i in EVENTS}
        self._origins: dict[int, Origin] = {}
        self._texts: dict[str, dict[int, str]] = {}
        self._remembered = 0
        self._shapes: dict[int, Shapes] = {}

    def of_all(self, query: Query) -> list[Iterator[Row]]:
        """For each event type that the query asks for, its entries in the order of the query, but for its limit."""
        dictionaries = Dictionaries(self._connection, query, self._numbers)
        segments = self._segments(query)
        self._shapes = shapes(self._connection)
        wanted = [plan for i, plan in self._plans.items() if plan.columns and (not query.ids or i in query.ids)]
        return [self._of_type(p, query, dictionaries, segments.get(p.table.event_class.name, [])) for p in wanted]

    def _of_type(self, plan: _Plan, query: Query, dictionaries: Dictionaries, segments: list[Segment]) -> Iterator[Row]:
        backward = query.order == "newest first"
        for segment in segments:
            look = partial(dictionaries.hits, plan.table.texts, segment)
            asked = where(query, plan.table, plan.columns, self._numbers, look)
            if not asked.never:
                low = max(segment.first, -1 if query.after is None else query.after + 1)
                high = min(segment.last, _ALL if query.upto is None else query.upto)
                stretch = Stretch(plan.table, (*ENVELOPE, *plan.names), asked, low, high, backward)
                both = self._pages(plan, stretch, query), self._packs(plan, stretch, query)
                yield from heapq.merge(*both, key=_position, reverse=backward)

    def _segments(self, query: Query) -> dict[str, list[Segment]]:
        after = -1 if query.after is None else query.after
        upto = _ALL if query.upto is None else query.upto
        found: dict[str, list[Segment]] = {}
        for s in all_segments(self._connection):
            if s.dropped or s.last <= after or s.first > upto:
                continue
            if (query.since is None or s.newest >= query.since) and (query.until is None or s.oldest < query.until):
                found.setdefault(s.event_class, []).append(s)
        return {name: s[::-1] for name, s in found.items()} if query.order == "newest first" else found

    def _packs(self, plan: _Plan, stretch: Stretch, query: Query) -> Iterator[Row]:
        of = self._shapes.get(plan.table.type.id)
        if not of:
            return
        size = min(_FIRST_PAGE, query.limit or _FIRST_PAGE)
        for unpacking in unpackings(self._connection, of, stretch, query):
            while page := self._page(plan, partial(unpacking.next, size)):
                yield from page
                size = min(size * 4, _LARGEST_PAGE)

    def _pages(self, plan: _Plan, stretch: Stretch, query: Query) -> Iterator[Row]:
        asked, low, high = stretch.asked, stretch.low, stretch.high
        size = min(_FIRST_PAGE, query.limit or _FIRST_PAGE)
        # a plus keeps SQLite from walking all positions where it has an index for the processes
        position = "+position" if query.processes or query.parents else "position"
        tests = " AND ".join([*asked.tests, f"{position} BETWEEN ? AND ?"])
        sql = (
            f"SELECT {plan.listed} FROM {plan.table.name} WHERE {tests}"
            f" ORDER BY position {'DESC' if stretch.backward else 'ASC'} LIMIT ?"
        )
        while low <= high:
            page = self._page(plan, partial(self._selected, sql, [*asked.given, low, high, size]))
            yield from page
            if len(page) < size:
                return
            if stretch.backward:
                high = page[-1][0] - 1
            else:
                low = page[-1][0] + 1
            size = min(size * 4, _LARGEST_PAGE)

    def _selected(self, sql: str, given: list[object]) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, given).fetchall()

    def _page(self, plan: _Plan, fetch: Callable[[], list[tuple[Any, ...]]]) -> list[Row]:
        self._connection.execute("BEGIN")  # rows and their texts, as of one moment
        try:
            found = fetch()
            texts = self._texts_of(plan, found) if found else {}
            return [self._row(plan, row, texts) for row in found]
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise DamagedError(f"a row that cannot be one of {plan.table.name}: {error}") from error
        finally:
            self._connection.execute("COMMIT")

    def _texts_of(self, plan: _Plan, found: list[tuple[Any, ...]]) -> dict[int, str]:
        if self._remembered > _REMEMBERED:
            self._texts, self._remembered = {}, 0
        known = self._texts.setdefault(plan.table.texts, {0: NONE})
        sql = f"SELECT first, texts FROM {plan.table.texts} WHERE first <= ? ORDER BY first DESC LIMIT 1"
        for missing in sorted({row[i] for row in found for i in plan.texts} - known.keys()):
            if missing not in known:  # a block brings its neighbours
                first, block = self._connection.execute(sql, [missing]).fetchone()
                known.update(enumerate(texts_of_block(block), first))
                self._remembered += len(block)
        return known

    def _row(self, plan: _Plan, row: tuple[Any, ...], texts: dict[int, str]) -> Row:
        values = list(row)
        for i in plan.texts:
            values[i] = texts[row[i]]
        for i, become in plan.others:
            if row[i] is not None:
                values[i] = become(row[i])
        extra = extra_of_text(values[4]) if row[4] else None
        event = plan.table.type.cls(extra=extra, **dict(zip(plan.names, values[len(ENVELOPE) :], strict=True)))
        record_id, time = row[1:3]
        if type(record_id) is not int or type(time) is not int:
            raise TypeError(f"a record {record_id!r:.40} of the time {time!r:.40}")
        return row[0], Entry(record_id, time, event, self._origin(row[3]))

    def _origin(self, number: int) -> Origin:
        if number not in self._origins:
            sql = "SELECT computer, process_id, thread_id, user_id FROM origins WHERE id = ?"
            computer, *ids = self._connection.execute(sql, [number]).fetchone()
            self._origins[number] = Origin(decoded(computer), *ids)
        return self._origins[number]


def _plan(connection: sqlite3.Connection, table: Table) -> _Plan:
    columns = frozenset(row[1] for row in connection.execute(f"PRAGMA table_info({table.name})"))
    present = [f for f in table.type.fields if f.name in columns]
    start = len(ENVELOPE)
    return _Plan(
        table=table,
        columns=columns,
        listed=", ".join([*ENVELOPE, *(f'"{f.name}"' for f in present)]),
        names=tuple(f.name for f in present),
        texts=(ENVELOPE.index(EXTRA), *(start + i for i, f in enumerate(present) if f.kind.name in INTERNED)),
        others=tuple((start + i, of_column(f.kind)) for i, f in enumerate(present) if f.kind.name not in INTERNED),
    )
