"""When an entry was logged, where a log says so beside when it happened; and times as logs write them.

Sysmon on Windows writes both: UtcTime is when it happened, TimeCreated when it was logged, seconds later for
connections and look-ups. An entry's `time` is when it happened; TimeCreated is among its extra facts if it differs.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event

LATEST = 1 << 33  # seconds: a time after the year 2242 is none, since not every output can hold it
LOGGED = "TimeCreated"  # the extra fact: as the log wrote it, `2019-07-19T14:50:25.376030800Z`

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:Z|\+00:?00)?")
_SECOND = 1_000_000_000
_USUAL = len("2019-07-19 14:50:20.871")


def logged(entry: Entry[Event]) -> int:
    """When the entry was logged, in ns since 1970; when it happened if that is not known."""
    extra = entry.event.extra
    found = moment(extra[LOGGED]) if extra and LOGGED in extra else None
    return entry.time if found is None else found


def moment(value: object) -> int | None:
    """A time as ns since 1970, from text in UTC or a number of seconds; None if it is none between then and 2242."""
    if isinstance(value, str):
        if len(value) == _USUAL and value[-4] == "." and value[-3:].isdecimal() and value.isascii():
            known = _usual(value[:-4])  # as UtcTime is written
            return None if known is None else known * _SECOND + int(value[-3:]) * 1_000_000
        found = _MOMENT.fullmatch(value)
        if found is None:
            return None
        second = _second(found[1], found[2])
        return None if second is None else second * _SECOND + int((found[3] or "0").ljust(9, "0"))
    if isinstance(value, (int, float)) and 0 <= value < LATEST:
        return int(value * 1_000_000) * 1000
    return None


@lru_cache(maxsize=1024)
def _usual(text: str) -> int | None:
    found = _MOMENT.fullmatch(text)
    return _second(found[1], found[2]) if found else None


@lru_cache(maxsize=256)  # entries come in bursts of the same second
def _second(day: str, clock: str) -> int | None:
    try:
        second = int(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None
    return second if 0 <= second < LATEST else None
