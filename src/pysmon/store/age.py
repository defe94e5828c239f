"""The time of day by which entries become too old. A clock that jumps ahead does not take it along at once.

It never runs ahead of the clock, and catches up with it at a bounded speed. So a machine whose clock is wrong for an
hour loses nothing, one that was switched off for a weekend is right again the day after, and one whose clock stays
years ahead gives up what it has little by little, while somebody can still notice.
"""

from __future__ import annotations

FASTEST = 4  # times as fast as time goes by
_SECOND = 1_000_000_000


class AgeClock:
    """Goes on from where it was left, however long ago that was."""

    def __init__(self, last: int, clock: float) -> None:
        """`last` is what it showed then, in ns since 1970; 0 if it never ran. `clock`: see `at`."""
        self._shows, self._clock = last, clock

    def at(self, now: int, clock: float) -> int:
        """What it shows when the time of day is `now` (ns since 1970), and a clock that nobody sets `clock` (s)."""
        most = self._shows + int((clock - self._clock) * FASTEST * _SECOND) if self._shows else now
        self._shows, self._clock = min(now, most), clock
        return self._shows
