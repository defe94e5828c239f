"""What became of every record and event: nothing is dropped without being counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pysmon.schema.event import EVENTS
from pysmon.sensor.kernel import Count
from pysmon.sensor.records import FAMILIES, RECORDS

EVENT_FAMILIES = tuple(f for f in FAMILIES if f != "fork")  # a fork makes no event: it only informs the process table


@dataclass(frozen=True, slots=True)
class FamilyCount:
    """Records of one family: what the kernel had to tell, and what became of it."""

    seen: int
    kept: int
    filtered: int
    lost: int
    pushed_down: int = 0  # dropped in the kernel, as no rule could keep them

    @property
    def done(self) -> int:
        """Records whose fate is known."""
        return self.kept + self.filtered + self.lost + self.pushed_down

    @property
    def exact(self) -> bool:
        """Does every record have its fate? False, once the rings are empty, would be a defect of pysmon."""
        return self.seen == self.done

    def __str__(self) -> str:
        """The equation, for people."""
        waiting = f" + {self.seen - self.done} in flight" if self.seen != self.done else ""
        pushed = f" + {self.pushed_down} pushed down" if self.pushed_down else ""
        return f"{self.seen} seen = {self.kept} kept + {self.filtered} filtered{pushed} + {self.lost} lost{waiting}"


@dataclass(slots=True)
class Accounting:
    """Running counts of one flow. Who counts adds to the lists, by number: an event's id, a record's kind."""

    events_kept: list[int] = field(default_factory=lambda: [0] * (max(EVENTS) + 1))
    events_filtered: list[int] = field(default_factory=lambda: [0] * (max(EVENTS) + 1))
    records_kept: list[int] = field(default_factory=lambda: [0] * (max(RECORDS) + 1))  # an event of them was kept
    records_filtered: list[int] = field(default_factory=lambda: [0] * (max(RECORDS) + 1))
    unreadable: Counter[str] = field(default_factory=Counter)  # by family: could not be decoded or built

    @property
    def kept(self) -> dict[int, int]:
        """Events that were kept, by id."""
        return {number: count for number, count in enumerate(self.events_kept) if count}

    @property
    def filtered(self) -> dict[int, int]:
        """Events that were not, by id."""
        return {number: count for number, count in enumerate(self.events_filtered) if count}

    def families(self, kernel: Mapping[str, Count]) -> dict[str, FamilyCount]:
        """The fate of all records, by family, once the rings are empty: seen = kept + filtered + pushed down + lost."""
        kept, filtered = by_family(self.records_kept), by_family(self.records_filtered)
        return {
            family: FamilyCount(
                seen=kernel[family].due,
                kept=kept[family],
                filtered=filtered[family],
                lost=kernel[family].lost + self.unreadable[family],
                pushed_down=kernel[family].pushed_down,
            )
            for family in EVENT_FAMILIES
        }


def by_family(counts: Sequence[int]) -> Counter[str]:
    """The records of each family, out of counts by kind."""
    found: Counter[str] = Counter()
    for kind, count in enumerate(counts):
        if count:
            found[RECORDS[kind].layout.family] += count
    return found


@dataclass(frozen=True, slots=True)
class Books:
    """The counts of a run at one moment, while it goes on."""

    kept: Mapping[int, int]  # events, by id
    filtered: Mapping[int, int]
    families: Mapping[str, FamilyCount]  # records; some may be in flight
    unreadable: Mapping[str, int] = field(default_factory=dict)  # of the lost records: those that did come

    def unbalanced(self, before: Mapping[str, Count]) -> list[str]:
        """Families that do not add up: everything due `before` has its fate by now, and nothing has two.

        `before` is a reading of the kernel's counts after which the rings were emptied.
        """
        return [name for name, count in self.families.items() if not before[name].due <= count.done <= count.seen]


def losses(before: Mapping[str, Count], now: Mapping[str, Count]) -> str:
    """What was lost between two readings, in the words of Sysmon's event 255; empty if nothing was."""
    lost = {family: now[family].lost - before[family].lost for family in now}
    parts = [f"{family}:{count}" for family, count in lost.items() if count]
    return f"Events dropped from driver queue: {','.join(parts)}" if parts else ""
