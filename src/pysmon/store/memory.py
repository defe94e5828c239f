"""What the writer keeps in mind of the file between two batches; read again after each failure."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence

from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.store.book import MANY, Book, by_type
from pysmon.store.classes import BY_ID, CLASSES, EventClass, Limits
from pysmon.store.columns import Found
from pysmon.store.origins import Origins
from pysmon.store.retention import remove_some
from pysmon.store.segments import Segment, all_segments, remove_segment, write_segments
from pysmon.store.state import END, read_state
from pysmon.store.tables import texts_of

_PARTS = 16  # segments that the share of a class is cut into
_SMALLEST = 64 << 10  # bytes of a segment

Shapes = dict[tuple[int, str], int]

_CLASS_OF: dict[type, str] = {EVENTS[event_id].cls: made.name for event_id, made in BY_ID.items()}


class Memory:
    """The end of the log, the book of each class, and the segments that are being removed."""

    def __init__(self, connection: sqlite3.Connection, limits: Limits) -> None:
        """Read it from the file."""
        self.end = read_state(connection, END)
        segments = all_segments(connection)
        self.dropped = [s for s in segments if s.dropped and not s.empty]
        self._origins = Origins(connection)
        self._last = {s.event_class: s for s in segments}
        fields: dict[str, int] = dict(connection.execute("SELECT name, number FROM fields"))
        shapes = {(of, columns): n for of, columns, n in connection.execute("SELECT type, columns, number FROM shapes")}
        self._books = {c.name: self._book(c, fields, shapes, limits) for c in CLASSES}

    def _book(self, event_class: EventClass, fields: dict[str, int], shapes: Shapes, limits: Limits) -> Book:
        size = max(limits.guaranteed(event_class) // _PARTS, _SMALLEST)
        age = limits.ages.get(event_class.name, 0)
        return Book(event_class, self._origins, fields, shapes, self._last.get(event_class.name), size, age // _PARTS)

    def take(self, connection: sqlite3.Connection, entries: Sequence[Entry[Event]]) -> int:
        """Write the entries, inside the caller's transaction; how many bytes they take, about."""
        for at in range(0, len(entries), MANY):
            self._add(entries[at : at + MANY])
        self._origins.write(connection)
        return sum(self._write(connection, book) for book in self._books.values() if book.changed)

    def _add(self, entries: Sequence[Entry[Event]]) -> None:
        of_class: defaultdict[str, dict[type, Sequence[Found]]] = defaultdict(dict)
        for made, found in by_type(enumerate(entries, self.end + 1)).items():
            of_class[_CLASS_OF[made]][made] = found
        for name, of_types in of_class.items():
            self._books[name].add(of_types)
        self.end += len(entries)

    def _write(self, connection: sqlite3.Connection, book: Book) -> int:
        texts = texts_of(book.event_class)
        connection.executemany(f"INSERT OR REPLACE INTO {texts} VALUES (?, ?)", book.dictionary.take_blocks())
        for insert, rows in book.take_rows().items():
            connection.executemany(insert, rows)
        for statement, given in book.take_actors():
            connection.execute(statement, given)
        write_segments(connection, book.take_changed())
        if book.open_segment is not None:
            self._last[book.event_class.name] = book.open_segment
        return book.take_bytes()

    def drop(self, connection: sqlite3.Connection, chosen: Sequence[Segment]) -> None:
        """Let readers pass over these segments, and remove them from now on."""
        for segment in chosen:
            segment.dropped = 1
            book = self._books[segment.event_class]
            if book.open_segment is not None and book.open_segment.number == segment.number:
                book.close_segment()
        write_segments(connection, chosen)
        self.dropped += chosen

    def remove_some(self, connection: sqlite3.Connection, rows: int) -> None:
        """Remove about that many rows of what is dropped."""
        while self.dropped and rows > 0:
            segment = self.dropped[0]
            newest = segment.number == self._last[segment.event_class].number
            rows -= remove_some(connection, segment, rows, keep=newest)
            if segment.empty:
                self.dropped.pop(0)
        if not self.dropped:
            self._remove_empty(connection)

    def _remove_empty(self, connection: sqlite3.Connection) -> None:
        for left in all_segments(connection):  # what once had to stay as the last of its class
            if left.dropped and left.empty and left.number < self._last[left.event_class].number:
                remove_segment(connection, left)
