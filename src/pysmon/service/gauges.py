"""What a status tells beyond the present moment: rates, and when something was lost last."""

from __future__ import annotations

import threading

from pysmon.pipeline.accounting import Books
from pysmon.service.rates import NO_RATES, Meter
from pysmon.service.status import FamilyState


class Gauges:
    """Follows the counts of a run. `now` is in ns of a clock that only goes forward, `wall` in ns since 1970.

    One thread notes, another may ask.
    """

    def __init__(self, now: int) -> None:
        """Begin with nothing counted."""
        self._began = now
        self._lock = threading.Lock()
        self._meters: dict[str, Meter] = {}
        self._lost: dict[str, tuple[int, int]] = {}  # by family: how many, and when the last was noticed

    def note(self, books: Books, now: int, wall: int) -> None:
        """Look at the counts; called about once a second."""
        with self._lock:
            for name, family in books.families.items():
                self._meters.setdefault(name, Meter(self._began)).note(now, family.seen)
                if family.lost > self._lost.get(name, (0, 0))[0]:
                    self._lost[name] = (family.lost, wall)

    def families(self, books: Books, now: int) -> tuple[FamilyState, ...]:
        """The families as a status tells them."""
        with self._lock:
            return tuple(self._family(name, books, now) for name in books.families)

    def _family(self, name: str, books: Books, now: int) -> FamilyState:
        count = books.families[name]
        meter = self._meters.get(name)
        return FamilyState(
            name,
            count.seen,
            count.kept,
            count.filtered,
            count.lost,
            in_flight=max(0, count.seen - count.done),
            pushed_down=count.pushed_down,
            rates=meter.rates(now, count.seen) if meter else NO_RATES,
            lost_at=self._lost[name][1] if name in self._lost else None,
            unreadable=books.unreadable.get(name, 0),
        )
