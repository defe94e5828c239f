"""What a run did, told at its end, and the numbering of its entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat

from pysmon.pipeline.accounting import FamilyCount
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import Event
from pysmon.sensor.loader import Service

_new = tuple.__new__  # half the cost of Entry(...), which does the same by a function in Python
_made = partial(_new, Entry)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The books of a run, closed."""

    kept: Mapping[int, int]  # events, by id
    filtered: Mapping[int, int]
    families: Mapping[str, FamilyCount]  # records, by family
    services: tuple[Service, ...] = ()  # which provider served what; none for a tape
    lacks: tuple[str, ...] = ()  # what was asked for and could not be had, a sentence each
    exit_status: int | None = None  # of the command; None if there was none

    @property
    def lost(self) -> int:
        """Records that did not become anything, of all families."""
        return sum(f.lost for f in self.families.values())


@dataclass(slots=True)
class Journal:
    """Gives entries their numbers: each one more than the last, from 0."""

    origin: Origin
    number: int = field(default=0)  # of the next entry

    def go_on_after(self, number: int) -> None:
        """Number the next entry as the one after that of a log."""
        self.number = number + 1

    @property
    def last(self) -> int:
        """The number of the last entry."""
        return self.number - 1

    def is_on(self, computer: str) -> None:
        """The machine is called so from now on."""
        if computer != self.origin.computer:
            self.origin = replace(self.origin, computer=computer)

    def entry(self, event: Event, when: int) -> Entry[Event]:
        """The next entry; `when` is in ns since 1970."""
        number = self.number
        self.number = number + 1
        return _new(Entry, (number, when, event, self.origin))

    def entries(self, events: Sequence[Event], times: Sequence[int]) -> list[Entry[Event]]:
        """The next entries; `times` are those of the events."""
        number = self.number
        self.number = end = number + len(events)
        return [*map(_made, zip(range(number, end), times, events, repeat(self.origin)))]
