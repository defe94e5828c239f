"""Points in time as people write them: `2h`, `yesterday`, `08:15`, `2026-11-21T08:15:00Z`. All in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pysmon.errors import MisuseError

_AGO = re.compile(r"(\d{1,9})\s*(s|sec|m|min|h|d|w)(?:\s+ago)?", re.IGNORECASE)
_UNITS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(\.\d{1,6})?)?Z?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = (1 << 63) - 1  # ns


def moment(text: str, now: datetime) -> int:
    """The time that the text means, in ns since 1970; `now` is an aware datetime. MisuseError if it is none.

    Before 1970 and after 2262 nothing happened that a log can tell of: such a time is the nearest one that it can.
    """
    wanted = text.strip()
    try:
        return min(max((_named(wanted, now) - _EPOCH) // timedelta(microseconds=1) * 1000, 0), _LAST)
    except (ValueError, OverflowError):
        raise MisuseError(
            f"{text!r} is no time (expected for example 2h, yesterday, 08:15, 2026-11-21 or 2026-11-21T08:15:00Z)",
            hint="times are UTC unless they say otherwise: 2026-11-21T08:15:00+01:00",
        ) from None


def _named(text: str, now: datetime) -> datetime:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match text.lower():
        case "now":
            return now
        case "today":
            return midnight
        case "yesterday":
            return midnight - timedelta(days=1)
    if ago := _AGO.fullmatch(text):
        return now - timedelta(seconds=int(ago[1]) * _UNITS[ago[2].lower()])
    if clock := _CLOCK.fullmatch(text):
        fraction = int(float(clock[4] or 0) * 1_000_000)
        return midnight.replace(
            hour=int(clock[1]), minute=int(clock[2]), second=int(clock[3] or 0), microsecond=fraction
        )
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
