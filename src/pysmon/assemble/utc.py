"""Times of events as Sysmon writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLI, _SECOND = 1_000_000, 1_000_000_000
_MILLIS = tuple(f"{number:03}" for number in range(1000))


class UtcTexts:
    """Writes times, and keeps the text of the last second: records come in bursts of the same one."""

    __slots__ = ("_begin", "_text")

    def __init__(self) -> None:
        """Begin without a second."""
        self._begin = -_SECOND  # of that second, in ns since 1970
        self._text = ""

    def text(self, ns: int) -> str:
        """`YYYY-MM-DD HH:MM:SS.mmm`, from ns since 1970; what is finer than a millisecond is cut off."""
        rest = ns - self._begin
        if not 0 <= rest < _SECOND or not self._text:
            second, rest = divmod(ns, _SECOND)
            self._text = (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S.")
            self._begin = second * _SECOND
        return self._text + _MILLIS[rest // _MILLI]


def utc_text(ns: int) -> str:
    """One time, written the same way."""
    return UtcTexts().text(ns)
