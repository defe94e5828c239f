"""A place that does not answer until the test lets it."""

from __future__ import annotations

import threading
import time


class Gate:
    """Callable: waits until it is open, then gives its answer. Counts who came."""

    def __init__(self, answer: str = "here") -> None:
        """Closed."""
        self.answer = answer
        self.came = 0
        self._open = threading.Event()
        self._passed = threading.Semaphore(0)

    def __call__(self, *_: object) -> str:
        """Wait, and answer."""
        self.came += 1
        try:
            assert self._open.wait(60)
            return self.answer
        finally:
            self._passed.release()

    def wait_for_one(self) -> None:
        """Until somebody has come: a thread may take its time to begin."""
        give_up = time.monotonic() + 60
        while not self.came and time.monotonic() < give_up:
            time.sleep(0.001)

    def open(self) -> None:
        """Let everybody pass."""
        self._open.set()

    def wait(self) -> None:
        """Until one more has passed."""
        assert self._passed.acquire(timeout=60)
