"""The programs in the order in which they are needed: to verify all takes the kernel seconds, those of processes none.

What the process table lives on is at work before a thread of its own begins with the others: first those that are asked
for, then those that may be asked for later. It keeps the rights that this takes, and ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

from pysmon.sensor.hooks import Hooks

_GUARD = "guard"  # who is there to stay is also the one to be guarded


class Stages:
    """The rest of the start, in the background."""

    def __init__(self, hooks: Hooks, families: Iterable[str], loaded: Callable[[], None]) -> None:
        """Begin: `families` are those that are asked for. `loaded` is called, in the thread, when more is there."""
        self._hooks, self._families, self._loaded = hooks, frozenset(families), loaded
        self.fileno = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)  # can be read once `whole` tells something new
        self._asked, self._given_up = threading.Event(), False
        self._trouble: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="pysmon loading", daemon=True)
        self._thread.start()

    @property
    def whole(self) -> bool:
        """Is all at work that was asked for? What keeps it from being so is raised: SensorError, or a defect."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.fileno)  # heard: it must not end every wait from now on
        if self._trouble:
            raise self._trouble
        return self._asked.is_set()

    @property
    def thread(self) -> int | None:
        """What the kernel calls the thread, while there is one."""
        return self._thread.native_id if self._thread.is_alive() else None

    def wait(self) -> None:
        """Until all is loaded."""
        self._thread.join()

    def close(self) -> None:
        """Let it end as soon as it can."""
        self._given_up = True
        self._thread.join()
        os.close(self.fileno)

    def _work(self) -> None:
        try:
            self._hooks.load(self._families, always=_GUARD)
            self._loaded()
            self._asked.set()
            os.eventfd_write(self.fileno, 1)
            if not self._given_up:
                self._hooks.load_rest()
                self._loaded()
        except Exception as error:  # whatever it is ends the run: nobody may wait for what will not come
            self._trouble = error
            os.eventfd_write(self.fileno, 1)
