"""What the writer knows of one class: its open segment, its dictionary, and the rows that are to be written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from pysmon.store.actors import ENTRY, Actors, Statement
from pysmon.store.classes import EventClass
from pysmon.store.columns import Found, Several, plan_of, several
from pysmon.store.dictionary import Dictionary
from pysmon.store.origins import Origins
from pysmon.store.segments import Segment
from pysmon.store.tables import packs_of

_SECOND = 1_000_000_000
_FEW = 16  # entries of a type that came together are rows if they are fewer, else a pack
MANY = 1024  # entries at most between two looks whether the segment is full
_ENTRY = 4096  # bytes that so many may take each without making a segment much larger than asked for
_PACK = 40  # bytes that a pack takes beside its columns

ByType = Mapping[type, Sequence[Found]]  # by class of event, and these in the order of their first entries


def by_type(found: Iterable[Found]) -> ByType:
    """Entries told apart by their type."""
    made: defaultdict[type, list[Found]] = defaultdict(list)
    for one in found:
        made[one[1][2].__class__].append(one)
    return made


class Book:
    """Takes the entries of one class; what it holds back is written by `take_rows` and the dictionary's blocks."""

    def __init__(
        self,
        event_class: EventClass,
        origins: Origins,
        fields: dict[str, int],
        shapes: dict[tuple[int, str], int],
        last: Segment | None,
        size: int,
        age: int,
    ) -> None:
        """Go on after the last segment of the class, which reaches over `size` bytes and `age` seconds (0: any)."""
        self.event_class = event_class
        self._size, self._age = size, age * _SECOND
        self._together = min(max(size // _ENTRY, 1), MANY)
        self._bytes = 0
        next_text = last.last_text + 1 if last else 1
        self.dictionary = Dictionary(fields, next_text)
        self._origins, self._shapes = origins, shapes
        self._number = last.number if last else 0
        self._open = last if last and not last.dropped else None
        self._into_packs = f"INSERT INTO {packs_of(event_class)} VALUES (?, ?, ?, ?, ?)"
        self._actors = Actors(event_class)
        self._rows: dict[str, list[Sequence[Any]]] = {}
        self.changed: dict[int, Segment] = {}

    def add(self, found: ByType) -> None:
        """Take entries of the class; they go to the open segment, and to new ones when that is full."""
        if sum(map(len, found.values())) <= self._together:
            self._add_near(found)
            return
        in_order = _in_order(found)
        for at in range(0, len(in_order), self._together):
            self._add_near(by_type(in_order[at : at + self._together]))

    def _add_near(self, found: ByType) -> None:
        """Take entries that fit into one segment, unless their times are too far apart for that."""
        columns = {made: several(of_type) for made, of_type in found.items()}
        oldest = min(of_type.oldest for of_type in columns.values())
        newest = max(of_type.newest for of_type in columns.values())
        if not self._age or newest - oldest <= self._age // 2:
            self._add(columns, oldest, newest)
            return
        for one in _in_order(found):
            _, (_, time, event, _) = one
            self._add({event.__class__: several([one])}, time, time)

    def _add(self, found: Mapping[type, Several], oldest: int, newest: int) -> None:
        segment = self._open
        if segment is None or segment.bytes >= self._size or (self._age and newest - segment.oldest > self._age):
            segment = self._begin(min(of_type.positions[0] for of_type in found.values()), oldest)
        before = self.dictionary.bytes
        size = sum(self._add_type(made, of_type) for made, of_type in found.items())
        size += self.dictionary.bytes - before
        self._bytes += size
        segment.bytes += size
        segment.last = max(of_type.positions[-1] for of_type in found.values())
        segment.last_text = self.dictionary.next_id - 1
        segment.entries += sum(len(of_type.positions) for of_type in found.values())
        segment.oldest, segment.newest = min(segment.oldest, oldest), max(segment.newest, newest)
        self.changed[segment.number] = segment

    def _add_type(self, made: type, found: Several) -> int:
        plan, count = plan_of(made), len(found.positions)
        if count < _FEW:
            self._rows.setdefault(plan.insert, []).extend(plan.rows(found, self._origins, self.dictionary))
            return plan.size * count
        columns, guids = plan.pack(found, self._origins, self.dictionary)
        first, last = found.positions[0], found.positions[-1]
        pack = (first, last, self._shapes[plan.shape], count, columns)
        self._rows.setdefault(self._into_packs, []).append(pack)
        return _PACK + len(columns) + ENTRY * self._actors.add(first, last, guids)

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

    def take_actors(self) -> list[Statement]:
        """The statements that write what tells of the processes in packs, once."""
        return self._actors.take()

    def take_bytes(self) -> int:
        """How much the rows and texts that were taken are, about; counts from 0 again."""
        taken, self._bytes = self._bytes, 0
        return taken

    def take_changed(self) -> list[Segment]:
        """The segments that are to be written, once."""
        changed, self.changed = list(self.changed.values()), {}
        return changed


def _in_order(found: ByType) -> list[Found]:
    return sorted(chain.from_iterable(found.values()))  # no two have one position: entries are not compared
