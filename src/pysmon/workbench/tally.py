"""Counts of what a configuration did to a log: by rule, by image and object, by day. Bounded, whatever the log is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pysmon.formats.json_line import json_line
from pysmon.rules.ruling import Key, Ruling
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event

FIRST, EVERY = 32, 64  # events of a rule that are looked at whole: the first of a log, and then each of so many
AGAIN = 2  # the first in each further piece of a log
MOST = 16384  # ways to be kept that are counted one by one
_LONGEST = 1000  # characters of an object that is counted by itself
_HEAVIEST = 2048  # characters of the values of an event that stands for others
_DAY = 86_400_000_000_000  # ns
_MOST_DAYS = 100_000
_OF_OTHERS: Mapping[int, str] = {8: "SourceImage", 10: "SourceImage"}
_NOBODY = frozenset([4, 6, 16, 19, 20, 21, 255])  # events that no process is named in
OBJECTS: Mapping[int, str] = {
    1: "CommandLine",
    3: "DestinationHostname",
    6: "ImageLoaded",
    7: "ImageLoaded",
    8: "TargetImage",
    9: "Device",
    10: "TargetImage",
    17: "PipeName",
    18: "PipeName",
    22: "QueryName",
    **dict.fromkeys((2, 11, 15, 23, 26, 27, 28, 29), "TargetFilename"),
    **dict.fromkeys((12, 13, 14), "TargetObject"),
}


def actor_of(event_id: int) -> str:
    """The field that says which program did it; empty if there is none."""
    return "" if event_id in _NOBODY else _OF_OTHERS.get(event_id, "Image")


@dataclass(slots=True)
class Count:
    """Events, and about how many bytes they are as JSON lines."""

    events: int = 0
    bytes: float = 0.0

    def add(self, other: Count) -> None:
        """Take over another count."""
        self.events += other.events
        self.bytes += other.bytes


@dataclass(slots=True)
class Weighed:
    """Events of one ruling, and the bytes of those that were looked at, each for the `weight` that it stands for."""

    events: int = 0
    bytes: int = 0
    weight: int = 0

    @property
    def count(self) -> Count:
        """The events, and the bytes of all if the rest are like those that were looked at."""
        return Count(self.events, self.bytes / self.weight * self.events if self.weight else 0.0)

    def add(self, other: Weighed) -> None:
        """Take over what another one counted."""
        self.events += other.events
        self.bytes += other.bytes
        self.weight += other.weight


class Slot:
    """What was counted for one ruling. Who counts an event takes it off `left`, and looks at it if none is left."""

    __slots__ = ("_bytes", "_events", "_looked_at", "_step", "_weight", "keep", "left", "ruling")

    def __init__(self, ruling: Ruling) -> None:
        """Nothing yet."""
        self.ruling, self.keep = ruling, ruling.keep
        self._events = 0  # of pieces before the one that is being read
        self._looked_at = 0  # which event of the piece was the latest that was looked at
        self.left = self._step = 1  # events up to the next one; now, and when they were counted out
        self._bytes = self._weight = 0  # of the events that were looked at, each for those that it stands for

    def end_piece(self) -> None:
        """The next events are of another piece."""
        self._events = self._counted
        self._looked_at = 0
        self.left = self._step = 1

    @property
    def _counted(self) -> int:
        return self._events + self._looked_at + self._step - self.left

    @property
    def weighed(self) -> Weighed:
        """What was counted so far."""
        return Weighed(self._counted, self._bytes, self._weight)

    def look(self, entry: Entry[Event], first: int) -> int:
        """Weigh an event: the first ones of a piece stand for themselves. Its time, in ns since 1970."""
        count = self._looked_at = self._looked_at + self._step
        self.left = self._step = 1 if count < first else EVERY - count % EVERY
        weight = 1 if count <= first else EVERY
        self._weight += weight
        self._bytes += weight * (len(json_line(entry)) + 1)
        return entry.time


@dataclass(slots=True)
class Kept:
    """Events that were kept by one rule, of one image, with one object: and the values of one that stands for all."""

    events: int
    values: tuple[Any, ...]

    def add(self, other: Kept) -> None:
        """Take over what another one counted."""
        self.events += other.events


Way = tuple[Key, object, object]  # by which rule, image, object (None: several, each too rare or too long)


@dataclass(slots=True)
class Table:
    """What was kept, by the ways to be kept. When it is full the rarest are counted together."""

    ways: dict[Way, Kept] = field(default_factory=dict)
    exact: bool = True  # False: some are counted together, and those alone may be more

    def add(self, way: Way, kept: Kept) -> None:
        """Count, making room if there is none."""
        known = self.ways.get(way)
        if known is not None:
            known.add(kept)
            return
        self.ways[way] = kept
        if len(self.ways) > MOST:
            self._fold()

    def _fold(self) -> None:
        """Half of the ways, the rarest, become one for each rule and image; then one for each rule."""
        self.exact = False
        for known in (2, 1):
            if len(self.ways) <= MOST * 3 // 4:
                return
            order = sorted(self.ways.items(), key=lambda item: -item[1].events)
            self.ways = dict(order[: MOST // 2])
            for (key, actor, _), kept in order[MOST // 2 :]:
                way = (key, actor if known == 2 else None, None)
                if way in self.ways:
                    self.ways[way].add(kept)
                else:
                    self.ways[way] = kept


@dataclass(slots=True)
class Days:
    """On which days (UTC) there were events, and which were the first and the last; from those that were looked at."""

    first: int | None = None  # ns since 1970
    last: int | None = None
    days: set[int] = field(default_factory=set)

    def see(self, time: int) -> None:
        """Take a time, in ns since 1970."""
        if self.first is None or self.last is None:
            self.first = self.last = time
        self.first, self.last = min(self.first, time), max(self.last, time)
        if len(self.days) < _MOST_DAYS:
            self.days.add(time // _DAY)

    def add(self, other: Days) -> None:
        """Take over what another one saw."""
        for time in (other.first, other.last):
            if time is not None:
                self.see(time)
        self.days |= other.days

    @property
    def covered(self) -> float:
        """How many days the log covers: those with events, the first from its first one on, the last up to its last."""
        if self.first is None or self.last is None:
            return 0.0
        if len(self.days) < 2:
            return (self.last - self.first) / _DAY
        return len(self.days) - (self.first % _DAY) / _DAY - (1 - (self.last % _DAY) / _DAY)


@dataclass(slots=True)
class Account:
    """What came of a replay. Those of several processes can be put together."""

    weighed: dict[Key, Weighed] = field(default_factory=dict)
    kept: Table = field(default_factory=Table)
    days: Days = field(default_factory=Days)

    @property
    def counts(self) -> dict[Key, Count]:
        """What was counted for each ruling."""
        return {key: weighed.count for key, weighed in self.weighed.items()}

    def add(self, other: Account) -> None:
        """Take over another account."""
        for key, weighed in other.weighed.items():
            self.weighed.setdefault(key, Weighed()).add(weighed)
        self.kept.exact = self.kept.exact and other.kept.exact
        for way, kept in other.kept.ways.items():
            self.kept.add(way, kept)
        self.days.add(other.days)

    @staticmethod
    def of(parts: Iterable[Account]) -> Account:
        """Those of all processes together."""
        whole = Account()
        for part in parts:
            whole.add(part)
        return whole


def countable(thing: object) -> object:
    """An image or object by which events are counted; None if it is too long to be told."""
    return None if isinstance(thing, str) and len(thing) > _LONGEST else thing


def bearable(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values of an event that stands for others; none if they are too long to be remembered."""
    size = sum([len(value) for value in values if value.__class__ is str])
    return values if size <= _HEAVIEST else ()
