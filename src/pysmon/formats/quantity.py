"""Sizes and spans of time as people write them: `100M`, `7d`."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d+)([KMGT]?)(?:i?B)?", re.IGNORECASE)
_SPAN = re.compile(r"(\d+)([smhdw]?)")
_BYTES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def size_of(text: str) -> int:
    """Bytes; ValueError says what was expected."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no size (expected for example 500K, 100M or 2G)")
    return int(found[1]) * _BYTES[found[2].upper()]


def span_of(text: str) -> int:
    """Seconds; ValueError says what was expected."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no span of time (expected for example 90s, 12h or 30d)")
    return int(found[1]) * _SECONDS[found[2]]
