"""The time of the envelope: nanoseconds since 1970 as Sysmon for Linux prints them, and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000_000
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:Z|\+00:?00)?", re.ASCII)


def system_time(ns: int) -> str:
    """`2026-11-21T06:10:33.486357000Z`: UTC, always nine decimals."""
    second, rest = divmod(ns, _SECOND)
    return f"{_second(second)}.{rest:09d}Z"


@lru_cache(maxsize=64)  # entries come in bursts of the same second
def _second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")


def moment(text: str) -> int | None:
    """The time that such a text tells, in ns since 1970, with more or fewer decimals; None if it tells none."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    second = _unix_second(found[1], found[2])
    return None if second is None else second * _SECOND + int((found[3] or "0").ljust(9, "0"))


@lru_cache(maxsize=64)
def _unix_second(day: str, clock: str) -> int | None:
    try:
        return int(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None
