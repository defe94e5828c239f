"""Removing packs, with what tells of the processes in them."""

from __future__ import annotations

import sqlite3

from pysmon.store.actors import remove_actors
from pysmon.store.classes import EventClass
from pysmon.store.packs import Pack
from pysmon.store.segments import Segment
from pysmon.store.tables import packs_of, table_of


def nth_packed(connection: sqlite3.Connection, made: EventClass, segment: Segment, rows: int) -> int:
    """Where the first packs of a segment end that hold so many rows; where the segment ends if all hold fewer."""
    sql = f"SELECT last, rows FROM {packs_of(made)} WHERE first BETWEEN ? AND ? ORDER BY first"
    for last, held in connection.execute(sql, [segment.first, segment.last]):
        rows -= held
        if rows <= 0:
            return int(last)
    return segment.last


def end_of_packs(connection: sqlite3.Connection, made: EventClass, first: int, cut: int) -> int:
    """The next position after which no pack goes on that begins before it. Packs of several types lie side by side."""
    sql = f"SELECT max(last) FROM {packs_of(made)} WHERE first BETWEEN ? AND ?"
    while (last := connection.execute(sql, [first, cut]).fetchone()[0]) is not None and last > cut:
        cut = last
    return cut


def remove_packs(connection: sqlite3.Connection, made: EventClass, first: int, last: int) -> int:
    """Remove the packs that begin there; how many rows they held. DamagedError."""
    where = f"FROM {packs_of(made)} JOIN shapes ON number = shape WHERE first BETWEEN ? AND ?"
    removed = 0
    sql = f"SELECT first, rows, type, shapes.columns, {packs_of(made)}.columns {where}"
    for begin, rows, event_id, names, columns in connection.execute(sql, [first, last]):
        pack = Pack(columns, names.split())
        removed += rows
        guids = {guid for name in table_of(event_id).guids for guid in pack.distinct(name)}
        remove_actors(connection, made, begin, guids)
    connection.execute(f"DELETE FROM {packs_of(made)} WHERE first BETWEEN ? AND ?", [first, last])
    return removed
