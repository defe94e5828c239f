"""The index that tells which packs of a class speak of a process.

Packs of several types that came together lie side by side: each begins before the last one ended. A process of which
several of them speak, as one that began and ended meanwhile, stands in the index for the first of them only; whoever
finds that pack looks into those that begin within it, too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from itertools import repeat
from typing import Any

from pysmon.store.classes import EventClass
from pysmon.store.tables import actors_of, packs_of
from pysmon.store.values import GUID_SIZE

ENTRY = 24  # bytes that an entry takes, about
_MOST = 1024  # guids that one statement takes
# Where guids begin in a value that holds them end to end. A table, as counting takes SQLite half as long as indexing.
_PLACES = "CREATE TEMP TABLE IF NOT EXISTS places (at INTEGER PRIMARY KEY)"
_ALL_PLACES = (
    f"INSERT OR IGNORE INTO places WITH RECURSIVE counted(at) AS (SELECT 1 UNION ALL SELECT at + {GUID_SIZE}"
    f" FROM counted WHERE at < {GUID_SIZE * (_MOST - 1)}) SELECT at FROM counted"
)

Statement = tuple[str, Sequence[Any]]


def prepare(connection: sqlite3.Connection) -> None:
    """Make what the statements of `Actors` need, for as long as the connection lasts."""
    connection.execute(_PLACES)
    connection.execute(_ALL_PLACES)


class Actors:
    """The writer's side of the index of one class."""

    def __init__(self, event_class: EventClass) -> None:
        """Have nothing to write yet."""
        into = f"INSERT INTO {actors_of(event_class)}"
        self._into = f"{into} VALUES (?, ?)"
        self._all_into = f"{into} SELECT substr(?1, at, {GUID_SIZE}), ?2 FROM places WHERE at < length(?1)"
        self._beside: list[tuple[int, set[Any]]] = []  # by the end of a pack: what stands in the index for it
        self._rows: list[Statement] = []

    def add(self, first: int, last: int, guids: Iterable[Any]) -> int:
        """Enter a pack, which begins no earlier than those before; how many entries that takes."""
        self._beside = [pack for pack in self._beside if pack[0] >= first]
        new = set(guids).difference(*(known for _, known in self._beside))
        self._beside.append((last, new))
        usual = sorted([guid for guid in new if len(guid) == GUID_SIZE])
        for at in range(0, len(usual), _MOST):
            self._rows.append((self._all_into, (b"".join(usual[at : at + _MOST]), first)))
        if len(usual) < len(new):
            self._rows += [(self._into, (guid, first)) for guid in new if len(guid) != GUID_SIZE]
        return len(new)

    def take(self) -> list[Statement]:
        """What is to be executed, once."""
        taken, self._rows = self._rows, []
        return taken


def speaking_of(event_class: EventClass) -> str:
    """A query for where packs begin that may speak of processes: ?2 is the last place, the next value their guids.

    These are given in hex, as a JSON list.
    """
    return (
        f"SELECT beside.first FROM {actors_of(event_class)} AS actor"
        f" CROSS JOIN {packs_of(event_class)} AS found ON found.first = actor.first"
        f" CROSS JOIN {packs_of(event_class)} AS beside ON beside.first BETWEEN found.first AND found.last"
        " WHERE actor.guid IN (SELECT from_hex(value) FROM json_each(?)) AND actor.first <= ?2"
    )


def remove_actors(
    connection: sqlite3.Connection, event_class: EventClass, first: int, guids: Collection[bytes]
) -> None:
    """Remove what the index has of the pack that begins there, which speaks of these."""
    sql = f"DELETE FROM {actors_of(event_class)} WHERE guid = ? AND first = ?"
    connection.executemany(sql, zip(guids, repeat(first)))
