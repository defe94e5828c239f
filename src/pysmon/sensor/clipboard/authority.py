"""X authority files: the cookie that a display asks for (Xau(3))."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

NO_COOKIE = (b"", b"")
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_LARGEST = 1 << 16  # bytes of a file
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a FIFO or a terminal must not hold us


def read_authority(path: str) -> bytes:
    """What is in the file; empty if it cannot be had, is no file, or is out of bounds."""
    try:
        file = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return b""
    try:
        regular = stat.S_ISREG(os.fstat(file).st_mode)
        data = os.read(file, _LARGEST + 1) if regular else b""
    except OSError:
        data = b""
    finally:
        os.close(file)
    return data if len(data) <= _LARGEST else b""


def cookie(data: bytes, display: str) -> tuple[bytes, bytes]:
    """Name and data for the display of that number (`0`), empty if there are none."""
    found = [(number, data) for number, name, data in _entries(data) if name == _COOKIE]
    exact = [each for number, each in found if number == display.encode()]
    any_display = [each for number, each in found if not number]
    best = next(iter(exact + any_display), None)
    return (_COOKIE, best) if best else NO_COOKIE


def _entries(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Number of the display, name and data, of each entry that is whole. Whose host it is does not matter here."""
    at = 2
    while at < len(data):
        texts: list[bytes] = []
        for _ in range(4):
            size = int.from_bytes(data[at : at + 2], "big")
            texts.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        if at <= len(data):
            yield texts[1], texts[2], texts[3]
        at += 2
