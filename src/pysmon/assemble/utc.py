"""Times of events as Sysmon writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLI, _SECOND = 1_000_000, 1_000_000_000


class UtcTexts:
    """Writes times, and keeps the text of the last second: records come in bursts of the same one."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        """Begin without a second."""
        self._second: int | None = None
        self._text = ""

    def text(self, ns: int) -> str:
        """`YYYY-MM-DD HH:MM:SS.mmm`, from ns since 1970; what is finer than a millisecond is cut off."""
        second, rest = divmod(ns, _SECOND)
        if second != self._second:
            self._text = (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S.")
            self._second = second
        return f"{self._text}{rest // _MILLI:03d}"


def utc_text(ns: int) -> str:
    """One time, written the same way."""
    return UtcTexts().text(ns)
