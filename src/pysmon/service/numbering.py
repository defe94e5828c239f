"""The numbers of entries (EventRecordID): no run gives one that another run gave, whatever becomes of the event log.

A small file holds a number that no run has gone beyond. A run first moves it ahead, and again before it comes near; a
run that ends in good order leaves its last number there. So the numbers go on without a gap after a good end, and
skip those that were not used up after a bad one. Where no file can be kept, the clock tells where to begin.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from pysmon.service.files import put_file

AHEAD = 100_000  # numbers that are taken at once
_PAUSE = 10.0  # s until the disk is tried again
_PATIENCE = 1.0  # s for the disk at the end


class Numbering:
    """Keeps that file. `keep_ahead` is for the thread that gives the numbers, and never waits for the disk."""

    def __init__(
        self, path: Path, *, now: Callable[[], int] = time.time_ns, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`now` is in ns since 1970."""
        self._path, self._now, self._clock = path, now, clock
        self._ahead = 0  # what the disk has
        self._try_at = 0.0
        self._saving: threading.Thread | None = None

    def begin(self, logged: int | None, waiting: int) -> int:
        """The number after which a run may begin.

        `logged` is the last one in the event log, None if it cannot be told; `waiting` the last one on its way there.
        """
        kept = self._read()
        last = max(kept or 0, logged or 0, waiting)
        if kept is None and logged is None:
            last = max(last, self._from_clock())
        if not self._save(last + AHEAD):
            last = max(last, self._from_clock())
        return last

    def keep_ahead(self, given: int) -> None:
        """`given` is the last number now; called every second or so."""
        if given + AHEAD // 2 < self._ahead or self._clock() < self._try_at:
            return
        if self._saving is None or not self._saving.is_alive():
            self._try_at = self._clock() + _PAUSE
            self._saving = threading.Thread(
                target=self._save, args=(given + AHEAD,), name="pysmon numbers", daemon=True
            )
            try:
                self._saving.start()
            except RuntimeError:  # the machine has no room for a thread now
                self._saving = None

    def end(self, given: int) -> None:
        """The last number of this run: the next one begins behind it."""
        if self._saving is not None:
            self._saving.join(_PATIENCE)
            if self._saving.is_alive():
                return  # the disk hangs; what it has, or will have, is beyond `given`
        self._save(given)

    def _from_clock(self) -> int:
        """Microseconds since 1970: beyond all earlier runs, since none gives a million numbers a second."""
        return self._now() // 1000

    def _save(self, number: int) -> bool:
        try:
            put_file(self._path, b"%d\n" % number)
        except OSError:
            return False
        self._ahead, self._try_at = number, 0.0
        return True

    def _read(self) -> int | None:
        try:
            text = self._path.read_bytes().strip()
        except OSError:
            return None
        return int(text) if text.isdigit() and len(text) < 19 else None
