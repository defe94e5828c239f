"""What became of every record and event: nothing is dropped without being counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pysmon.sensor.kernel import Count
from pysmon.sensor.records import FAMILIES

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
    """Running counts of one flow."""

    kept: Counter[int] = field(default_factory=Counter)  # events, by id
    filtered: Counter[int] = field(default_factory=Counter)  # events, by id
    records_kept: Counter[str] = field(default_factory=Counter)  # by family: at least one event of them was kept
    records_filtered: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)  # by family: records that could not be decoded or built

    def families(self, kernel: Mapping[str, Count]) -> dict[str, FamilyCount]:
        """The fate of all records, by family, once the rings are empty: seen = kept + filtered + pushed down + lost."""
        return {
            family: FamilyCount(
                seen=kernel[family].due,
                kept=self.records_kept[family],
                filtered=self.records_filtered[family],
                lost=kernel[family].lost + self.unreadable[family],
                pushed_down=kernel[family].pushed_down,
            )
            for family in EVENT_FAMILIES
        }


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
