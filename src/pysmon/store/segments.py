"""Segments: the stretches of a class's entries that stand and fall together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

from pysmon.store.failure import DamagedError


@dataclass(slots=True)
class Segment:
    """Which rows (by position) and which texts (by id) belong to it; both ends are inside, `last < first` is empty."""

    event_class: str
    number: int
    first: int
    last: int
    first_text: int
    last_text: int
    oldest: int  # time of its oldest entry, in ns since 1970
    newest: int
    entries: int
    bytes: int  # estimated; what counts is its proportion to the others
    dropped: int = 0  # 1: it is being removed, and readers pass over it

    @property
    def empty(self) -> bool:
        """Whether neither rows nor texts are left of it."""
        return self.first > self.last and self.first_text > self.last_text


_PLACES = ", ".join("?" * len(fields(Segment)))


def all_segments(connection: sqlite3.Connection) -> list[Segment]:
    """The segments of all classes, the oldest of each class first."""
    rows = connection.execute("SELECT * FROM segments ORDER BY class, number").fetchall()
    if not all(isinstance(value, int) for _, *numbers in rows for value in numbers):
        raise DamagedError("a segment that is described by something else than numbers")
    return [Segment(*row) for row in rows]


def write_segments(connection: sqlite3.Connection, changed: Iterable[Segment]) -> None:
    """Keep what changed."""
    connection.executemany(f"INSERT OR REPLACE INTO segments VALUES ({_PLACES})", map(astuple, changed))


def remove_segment(connection: sqlite3.Connection, gone: Segment) -> None:
    """Forget a segment of which nothing is left."""
    connection.execute("DELETE FROM segments WHERE class = ? AND number = ?", [gone.event_class, gone.number])
