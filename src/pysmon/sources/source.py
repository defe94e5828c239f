"""What a source is: entries out of somebody's log, and a tally of what was in it besides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

from pysmon.errors import PysmonError
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event

_MOST_NAMES = 1000  # of channels, fields ... that are counted one by one: a hostile log shall not fill the memory
_MOST_TOLD = 100  # damages that are kept in words; all are counted
_FURTHER = "(further ones)"
_T = TypeVar("_T")
Taken: TypeAlias = tuple[int, tuple[Any, ...], Callable[[], Entry[Event]]]  # event id, values, what makes the entry
Wanted: TypeAlias = Mapping[int, Sequence[str]]  # names of fields by event id


class SourceError(PysmonError):
    """A log cannot be opened, or is in no shape that is known."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that could not be read: where (`line 7`, `chunk 3 at byte 0x31000`) and why."""

    place: str
    why: str

    def __str__(self) -> str:
        """Read as `line 7: no JSON`."""
        return f"{self.place}: {self.why}"


@dataclass(slots=True)
class Tally:
    """What was found in a log. It grows while the entries are read and is complete when they have come to an end."""

    entries: int = 0
    others: Counter[str] = field(default_factory=Counter)  # events of other channels, by channel
    unknown_events: Counter[str] = field(default_factory=Counter)  # of Sysmon, with ids that the schema does not have
    unknown_fields: Counter[tuple[int, str]] = field(default_factory=Counter)  # by event id and name; kept in `extra`
    odd_values: Counter[tuple[int, str]] = field(default_factory=Counter)  # no value of the field's kind; in `extra`
    by_position: int = 0  # entries of which nothing but their number tells which fields the values are
    damages: int = 0
    damaged: list[Damage] = field(default_factory=list)  # the first hundred

    def other(self, channel: str) -> None:
        """Count an event of another channel."""
        _count(self.others, channel, _FURTHER)

    def unknown_event(self, event_id: object) -> None:
        """Count an event of Sysmon that the schema does not have."""
        _count(self.unknown_events, str(event_id)[:40], _FURTHER)

    def unknown_field(self, event_id: int, name: str) -> None:
        """Count a field that the event does not have."""
        _count(self.unknown_fields, (event_id, name[:200]), (0, _FURTHER))

    def odd_value(self, event_id: int, name: str) -> None:
        """Count a value that is none of its field's kind."""
        _count(self.odd_values, (event_id, name), (0, _FURTHER))

    def damage(self, place: str, why: str) -> None:
        """Count something that cannot be read."""
        self.damages += 1
        if len(self.damaged) < _MOST_TOLD:
            self.damaged.append(Damage(place, why))

    def words(self) -> list[str]:
        """What there is to tell besides the entries, a line for each kind; nothing if all went well."""
        lines = []
        if self.others:
            lines.append(f"{_total(self.others)} of other channels ({_listed(self.others)})")
        if self.unknown_events:
            lines.append(f"{_total(self.unknown_events)} of Sysmon with unknown ids ({_listed(self.unknown_events)})")
        for counted, what in ((self.unknown_fields, "unknown fields"), (self.odd_values, "values of another kind")):
            if counted:
                named = Counter({f"{name} in event {number}": n for (number, name), n in counted.items()})
                lines.append(f"{sum(counted.values())} {what}, kept as extra facts ({_listed(named)})")
        if self.by_position:
            events = "1 event" if self.by_position == 1 else f"{self.by_position} events"
            lines.append(f"{events} without names of fields: these go by the number of values")
        if self.damages:
            some = "place" if self.damages == 1 else "places"
            lines.append(f"damaged at {self.damages} {some} ({'; '.join(map(str, self.damaged[:3]))}{self._more()})")
        return lines

    def add(self, part: Tally) -> None:
        """Take over what another tally counted."""
        self.entries += part.entries
        self.others += part.others
        self.unknown_events += part.unknown_events
        self.unknown_fields += part.unknown_fields
        self.odd_values += part.odd_values
        self.by_position += part.by_position
        self.damages += part.damages
        self.damaged += part.damaged[: _MOST_TOLD - len(self.damaged)]

    def _more(self) -> str:
        return "; ..." if self.damages > 3 else ""


class Source(Protocol):
    """A log that can be read. An iterator over the entries holds one piece of the log in memory, never all of it."""

    name: str  # the path; of a member of an archive `a.zip: member.json`; of standard input `standard input`
    form: str  # its shape, by the name that it has in `pysmon.sources.open.SHAPES`
    tally: Tally  # of the latest reading

    @property
    def size(self) -> int:
        """Bytes of the file; 0 if that is not known."""

    @property
    def done(self) -> int:
        """Bytes of the file that were read so far."""

    def entries(self) -> Iterator[Entry[Event]]:
        """The entries in the order of the log. Standard input can be read once, everything else again and again."""

    def rows(self, wanted: Wanted) -> Iterator[Taken]:
        """Of each event its id, the values of the fields that are wanted of it, and what makes an entry of it.

        For who needs few fields that is faster than `entries`, of EVTX three times. Of an event that is not in `wanted`
        no values are given. An entry can be made at any time later; until then what makes it keeps the piece of the log
        in memory in which it stands.
        """


def _count(counter: Counter[_T], key: _T, further: _T) -> None:
    counter[key if key in counter or len(counter) < _MOST_NAMES else further] += 1


def _total(counter: Counter[str]) -> str:
    total = counter.total()
    return "1 event" if total == 1 else f"{total} events"


def _listed(counter: Counter[str]) -> str:
    named = ", ".join(f"{name}: {count}" for name, count in counter.most_common(5))
    return f"{named}, ..." if len(counter) > 5 else named
