"""What the writer knows of one class: its open segment, its dictionary, and the rows that are to be written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, repeat
from typing import Any

from pysmon.store.classes import EventClass
from pysmon.store.columns import Found, plan_of
from pysmon.store.dictionary import Dictionary
from pysmon.store.segments import Segment
from pysmon.store.tables import actors_of, packs_of
from pysmon.store.values import GUID_SIZE

_SECOND = 1_000_000_000
_FEW = 16  # entries of a type that came together are rows if they are fewer, else a pack
_MANY = 1024  # entries at most between two looks whether the segment is full
_ENTRY = 4096  # bytes that so many may take each without making a segment much larger than asked for
_PACK, _ACTOR = 40, 24  # bytes that a pack takes beside its columns, and an index entry for a guid
# Guids in one value, end to end, become a row each: a third of what a statement for each takes.
_ALL_INTO = (
    "INSERT INTO {0} WITH RECURSIVE places(at) AS (SELECT 1 UNION ALL"
    f" SELECT at + {GUID_SIZE} FROM places WHERE at + {GUID_SIZE} < length(?1))"
    f" SELECT substr(?1, at, {GUID_SIZE}), ?2 FROM places"
)


class Book:
    """Takes the entries of one class; what it holds back is written by `take_rows` and the dictionary's blocks."""

    def __init__(
        self,
        event_class: EventClass,
        fields: dict[str, int],
        shapes: dict[tuple[int, str], int],
        last: Segment | None,
        size: int,
        age: int,
    ) -> None:
        """Go on after the last segment of the class, which reaches over `size` bytes and `age` seconds (0: any)."""
        self.event_class = event_class
        self._size, self._age = size, age * _SECOND
        self._together = min(max(size // _ENTRY, 1), _MANY)
        self._bytes = 0
        next_text = last.last_text + 1 if last else 1
        self.dictionary = Dictionary(fields, next_text)
        self._shapes = shapes
        self._number = last.number if last else 0
        self._open = last if last and not last.dropped else None
        self._into_packs = f"INSERT INTO {packs_of(event_class)} VALUES (?, ?, ?, ?, ?)"
        self._into_actors = f"INSERT INTO {actors_of(event_class)} VALUES (?, ?)"
        self._all_into_actors = _ALL_INTO.format(actors_of(event_class))
        self._rows: dict[str, list[Sequence[Any]]] = {}
        self.changed: dict[int, Segment] = {}

    def add(self, found: Sequence[Found]) -> None:
        """Take entries of the class in order; they go to the open segment, and to new ones when that is full."""
        rest = iter(found)
        while part := list(islice(rest, self._together)):
            times = [time for _, _, time, _, _ in part]
            if self._age and len(part) > 1 and max(times) - min(times) > self._age // 2:
                for one, time in zip(part, times, strict=True):
                    self._add([one], [time])
            else:
                self._add(part, times)

    def _add(self, part: list[Found], times: list[int]) -> None:
        oldest, newest = min(times), max(times)
        segment = self._open
        if segment is None or segment.bytes >= self._size or (self._age and newest - segment.oldest > self._age):
            segment = self._begin(part[0][0], times[0])
        before = self.dictionary.bytes
        by_type: dict[type, list[Found]] = {}
        for found in part:
            made = found[4].__class__
            if made in by_type:
                by_type[made].append(found)
            else:
                by_type[made] = [found]
        size = sum(self._add_type(made, of_type) for made, of_type in by_type.items())
        size += self.dictionary.bytes - before
        self._bytes += size
        segment.bytes += size
        segment.last = part[-1][0]
        segment.last_text = self.dictionary.next_id - 1
        segment.entries += len(part)
        segment.oldest, segment.newest = min(segment.oldest, oldest), max(segment.newest, newest)
        self.changed[segment.number] = segment

    def _add_type(self, made: type, found: list[Found]) -> int:
        plan = plan_of(made)
        if len(found) < _FEW:
            rows = self._rows.setdefault(plan.insert, [])
            rows += [plan.row(one, self.dictionary) for one in found]
            return plan.size * len(found)
        columns, actors = plan.pack(found, self.dictionary)
        first = found[0][0]
        pack = (first, found[-1][0], self._shapes[plan.shape], len(found), columns)
        self._rows.setdefault(self._into_packs, []).append(pack)
        usual = b"".join(sorted(actor for actor in actors if len(actor) == GUID_SIZE))
        if usual:
            self._rows.setdefault(self._all_into_actors, []).append((usual, first))
        if len(usual) < GUID_SIZE * len(actors):
            odd = (actor for actor in actors if len(actor) != GUID_SIZE)
            self._rows.setdefault(self._into_actors, []).extend(zip(odd, repeat(first)))
        return _PACK + len(columns) + _ACTOR * len(actors)

    def _begin(self, position: int, time: int) -> Segment:
        self._number += 1
        self.dictionary.begin_segment()
        next_text = self.dictionary.next_id
        self._open = Segment(
            event_class=self.event_class.name,
            number=self._number,
            first=position,
            last=position,
            first_text=next_text,
            last_text=next_text - 1,
            oldest=time,
            newest=time,
            entries=0,
            bytes=0,
        )
        return self._open

    def close_segment(self) -> None:
        """Begin another segment with the next entry."""
        self._open = None

    @property
    def open_segment(self) -> Segment | None:
        """The segment that is being written, if one is."""
        return self._open

    def take_rows(self) -> dict[str, list[Sequence[Any]]]:
        """The rows that are to be written by their INSERT statement, once."""
        rows, self._rows = self._rows, {}
        return rows

    def take_bytes(self) -> int:
        """How much the rows and texts that were taken are, about; counts from 0 again."""
        taken, self._bytes = self._bytes, 0
        return taken

    def take_changed(self) -> list[Segment]:
        """The segments that are to be written, once."""
        changed, self.changed = list(self.changed.values()), {}
        return changed
