"""How long a run may sleep, and when it looks after itself: seldom while nothing happens."""

from __future__ import annotations

DEADLINE = 0.5  # s between looks at the rings while a patient reader finds records in them; and at the stop signal
LOOK = 1.0  # s between looks at the counts of losses and at the clock while something happens,
SELDOM = 5.0  # and while nothing does
_FOUND_EMPTY = 2  # turns without anything after which a patient reader may sleep longer than `DEADLINE`


class Rest:
    """Follows the turns of a run. Times are in s of a clock that only goes forward.

    A patient reader that has found nothing lies down: it asks the kernel to be woken by the next record. A record that
    was on its way at that moment may wake nobody, so the first sleep is a short one.
    """

    def __init__(self, now: float, *, longest: float = SELDOM) -> None:
        """`longest`: no sleep takes longer than that."""
        self.longest = longest
        self._looked, self._quiet, self._busy = now, 0, True

    @property
    def may_lie_down(self) -> bool:
        """Has the last turn brought nothing?"""
        return self._quiet > 0

    def turned(self, *, happened: bool) -> None:
        """One turn is over; has it brought anything?"""
        self._quiet = 0 if happened else self._quiet + 1
        self._busy = self._busy or happened

    def look(self, now: float) -> bool:
        """The run looks after itself now; has anything happened since the last time?"""
        busy, self._looked, self._busy = self._busy, now, False
        return busy

    def is_time_to_look(self, now: float, *, expects: bool) -> bool:
        """`expects`: something is to come that no record tells of. Who has just been busy looks once more."""
        return now >= self._look_at(expects=expects)

    def patience(self, now: float, *, expects: bool) -> float:
        """How long (s) a patient reader may sleep now."""
        if self._quiet < _FOUND_EMPTY:
            return DEADLINE
        return max(0.0, min(self.longest, self._look_at(expects=expects) - now))

    def _look_at(self, *, expects: bool) -> float:
        return self._looked + (LOOK if expects or self._busy else self.longest)
