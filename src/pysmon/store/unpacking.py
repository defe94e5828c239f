"""Rows that lie in packs: which packs may hold what is asked, and their rows page by page."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pysmon.store.actors import speaking_of
from pysmon.store.asked import matching
from pysmon.store.failure import DamagedError
from pysmon.store.packs import Pack
from pysmon.store.query import Query
from pysmon.store.select import Where, guid_columns
from pysmon.store.tables import EXTRA, Table, packs_of
from pysmon.store.values import INTERNED, Column

Shapes = dict[int, tuple[str, ...]]  # by number: names of columns

_FIRST_LOOK, _LARGEST_LOOK = 4, 64  # packs that are read at once


def shapes(connection: sqlite3.Connection) -> dict[int, Shapes]:
    """The shapes of the packs of a file, by event type; none if it is older than packs."""
    found: dict[int, Shapes] = {}
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'shapes'").fetchone():
        for number, event_id, names in connection.execute("SELECT number, type, columns FROM shapes"):
            found.setdefault(event_id, {})[number] = tuple(names.split())
    return found


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is read of one event type: all within these positions."""

    table: Table
    names: tuple[str, ...]  # of the columns that are wanted
    asked: Where
    low: int
    high: int
    backward: bool

    def without(self, name: str) -> Column:
        """What a row says in a column that came later."""
        known = self.table.type.field(name)
        return 0 if name == EXTRA or (known is not None and known.kind.name in INTERNED) else None


def unpackings(connection: sqlite3.Connection, of: Shapes, stretch: Stretch, query: Query) -> Iterator[Unpacking]:
    """The packs that hold what is asked, in order. DamagedError."""
    sql, among = _statement(of, stretch, query)
    low, high, size = None, stretch.high, _FIRST_LOOK
    while found := connection.execute(sql, [low, high, stretch.low, *among, size]).fetchall():
        for first, shape, columns in found:
            pack = Pack(columns, of[shape])
            try:
                places = _places(pack, stretch)
            except (LookupError, TypeError) as error:
                raise DamagedError(f"a pack that cannot be one of {stretch.table.name}: {error}") from error
            if places:
                yield Unpacking(connection, stretch, first, pack, places)
        if len(found) < size:
            return
        low, high = (low, found[-1][0] - 1) if stretch.backward else (found[-1][0] + 1, high)
        size = min(size * 4, _LARGEST_LOOK)


def _statement(of: Shapes, stretch: Stretch, query: Query) -> tuple[str, list[object]]:
    """What selects packs between two positions, and what is given to it between these and the number."""
    made = stretch.table.event_class
    test, given = "", list[object]()
    if guids := query.processes or query.parents:
        test = f" AND first IN ({speaking_of(made)})"
        given = [json.dumps([guid.hex() for guid in guid_columns(guids)])]
    sql = (
        f"SELECT first, shape, columns FROM {packs_of(made)} WHERE shape IN ({', '.join(map(str, of))})"
        f" AND first >= ifnull(?1, 0) AND first <= ?2 AND last >= ?3{test}"
        f" ORDER BY first {'DESC' if stretch.backward else 'ASC'} LIMIT ?"
    )
    return sql, given


def _places(pack: Pack, stretch: Stretch) -> list[int]:
    """The places of the rows that are asked for, the first of them last."""
    found = matching(pack, stretch.asked.needs, stretch.without)
    if not found:
        return []
    positions = pack.positions
    begin, end = bisect_left(positions, stretch.low), bisect_right(positions, stretch.high)
    return [place for place in (found if stretch.backward else reversed(found)) if begin <= place < end]


class Unpacking:
    """Reads the rows of one pack. Between two pages it may go, with the texts that it needs: no more come then."""

    def __init__(
        self, connection: sqlite3.Connection, stretch: Stretch, first: int, pack: Pack, places: list[int]
    ) -> None:
        """`first` is where the pack begins, `places` are those of the rows, the first of them last."""
        self._connection, self._stretch, self._pack, self._left = connection, stretch, pack, places
        self._seek = f"SELECT 1 FROM {packs_of(stretch.table.event_class)} WHERE first = {first}"

    def next(self, size: int) -> list[tuple[Column, ...]]:
        """The next rows, so many at most; none if there are no more. DamagedError."""
        part = self._left[: -size - 1 : -1]
        if not part or not self._connection.execute(self._seek).fetchone():
            return []
        del self._left[-len(part) :]
        return self._rows(self._pack, part)

    def _rows(self, pack: Pack, places: Sequence[int]) -> list[tuple[Column, ...]]:
        columns = []
        for name in self._stretch.names:
            if name in pack.names:
                columns.append(pack.values(name, places))
            else:
                columns.append([self._stretch.without(name)] * len(places))
        return list(zip(*columns, strict=True))
