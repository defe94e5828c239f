"""What is done again and again is told once, and then counted: a flood of deeds must not be a flood of events."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

WINDOW = 60_000_000_000  # ns in which the same is told once
LIMIT = 32  # different things that are told within a window


@dataclass(slots=True)
class Told(Generic[T]):
    """Something that was told, and how often it came again since."""

    what: T
    since: int  # ns; begin of the window
    again: int = 0


class Repeats(Generic[T]):
    """Decides what is told. Time is that of the records: ns since boot."""

    def __init__(self, *, window: int = WINDOW, limit: int = LIMIT) -> None:
        """Within a `window` (ns), the same thing is told once, and at most `limit` things are."""
        self._window = window
        self._limit = limit
        self._told: dict[Hashable, Told[T]] = {}
        self._rest = Told[None](None, 0)

    def tell(self, key: Hashable, time: int, make: Callable[[], T]) -> T | None:
        """What is to be told now, as `make` makes it; None if it is only counted."""
        known = self._told.get(key)
        if known is not None:
            known.again += 1
            return None
        if len(self._told) >= self._limit:
            self._rest.since = self._rest.since if self._rest.again else time
            self._rest.again += 1
            return None
        made = make()
        self._told[key] = Told(made, time)
        return made

    def overdue(self, now: int) -> tuple[list[tuple[T, int]], int]:
        """What came again in windows that have ended by `now`, and how often; and how many beyond the limit came.

        Each count is given once. What came again has a new window, in which it is counted from its first time on.
        """
        found = []
        for key, told in [(k, t) for k, t in self._told.items() if t.since + self._window <= now]:
            if told.again:
                found.append((told.what, told.again))
                told.since, told.again = now, 0
            else:
                del self._told[key]
        rest = self._rest.again if self._rest.again and self._rest.since + self._window <= now else 0
        self._rest.again -= rest
        return found, rest
