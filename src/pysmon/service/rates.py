"""How fast something goes: the last ten seconds, the last minute, and since the start."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_SECOND = 1_000_000_000
_SHORT, _LONG = 10 * _SECOND, 60 * _SECOND
_STEP = _SECOND  # samples are at least so far apart, which bounds how many are kept


@dataclass(frozen=True, slots=True)
class Rates:
    """Per second."""

    ten_seconds: float = 0.0
    minute: float = 0.0
    since_start: float = 0.0


NO_RATES = Rates()


class Meter:
    """Follows a count that only grows. Times are in ns of a clock that only goes forward."""

    def __init__(self, now: int, count: int = 0) -> None:
        """Begin with the count as it is."""
        self._first = (now, count)
        self._samples: deque[tuple[int, int]] = deque([self._first])

    def __len__(self) -> int:
        """How many samples it holds."""
        return len(self._samples)

    def note(self, now: int, count: int) -> None:
        """Remember the count; called as often as is convenient, once a second or so."""
        if now - self._samples[-1][0] < _STEP:
            return
        self._samples.append((now, count))
        while len(self._samples) > 2 and self._samples[1][0] <= now - _LONG:
            self._samples.popleft()

    def rates(self, now: int, count: int) -> Rates:
        """The rates up to now. A time that has not passed yet since the start is as long as it is."""
        return Rates(
            _rate(self._at(now - _SHORT), now, count),
            _rate(self._at(now - _LONG), now, count),
            _rate(self._first, now, count),
        )

    def _at(self, moment: int) -> tuple[int, int]:
        """The last sample that is not younger than the moment, else the oldest."""
        found = self._samples[0]
        for sample in self._samples:
            if sample[0] > moment:
                break
            found = sample
        return found


def _rate(since: tuple[int, int], now: int, count: int) -> float:
    passed = now - since[0]
    return (count - since[1]) * _SECOND / passed if passed > 0 else 0.0
