"""The time of the envelope: nanoseconds since 1970 as Sysmon for Linux prints them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000_000
_SECONDS = len("2026-11-21T06:10:33")


def system_time(ns: int) -> str:
    """`2026-11-21T06:10:33.486357000Z`: UTC, always nine decimals."""
    second, rest = divmod(ns, _SECOND)
    return f"{_second(second)}.{rest:09d}Z"


@lru_cache(maxsize=64)  # entries come in bursts of the same second
def _second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).isoformat()[:_SECONDS]
