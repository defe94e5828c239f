"""Short texts that somebody else wrote: read with bounds, of regular files alone, and never waited for."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence

from pysmon.host.errands import Errands
from pysmon.host.hashes import file_system

LIMIT = 64 << 10  # bytes
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Texts:
    """Reads files of this machine for whoever must not be held up by one."""

    def __init__(
        self, errands: Errands, held: Callable[[int, int, str], str] | None = None, *, closes_told: bool = False
    ) -> None:
        """`held` finds the content of a file that is held open, by device, inode and name.

        `closes_told`: a record comes when a file that was written is closed, and its text is whole only then.
        """
        self._errands, self._held, self.closes_told = errands, held, closes_told

    def text(self, tgids: Sequence[int], path: str, device: int, inode: int) -> str | None:
        """The text of a file as one of these processes sees the disk, or else as we do; None if it cannot be had."""
        held = self._held(device, inode, path) if self._held else ""
        places = [held] if held else [*(f"/proc/{tgid}/root{path}" for tgid in (*tgids, 1)), path]
        found = self._errands.ask(file_system(device), lambda: (_first(places),))
        return found[0] if found else None


def _first(places: list[str]) -> str | None:
    return next((text for place in places if (text := read_text(place)) is not None), None)


def read_text(path: str) -> str | None:
    """At most LIMIT bytes of a regular file, links followed; None if there is none, or it may not be read."""
    try:
        file = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        return os.read(file, LIMIT).decode("utf-8", "replace") if stat.S_ISREG(os.fstat(file).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(file)
