"""An event that a signal handler may set, whatever it interrupts."""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Empty, SimpleQueue


class SignalledEvent(threading.Event):
    """As `threading.Event`, whose lock is not reentrant: a handler that sets it while the code that it interrupts has
    that lock, to wait or to set it, would wait for itself. `SimpleQueue.put` is made for handlers.
    """

    def __init__(self) -> None:
        """It is not set."""
        super().__init__()
        self._happened = False
        self._bell: SimpleQueue[None] = SimpleQueue()  # something in it wakes who waits; whether it is set stands above

    def is_set(self) -> bool:
        """Has it happened?"""
        return self._happened

    def set(self) -> None:
        """It happens: who waits goes on."""
        self._happened = True
        self._bell.put(None)

    def clear(self) -> None:
        """It has not happened, from now on."""
        self._happened = False
        with suppress(Empty):
            while True:
                self._bell.get_nowait()

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until it happens, `timeout` s at most; has it happened?"""
        if not self._happened:
            with suppress(Empty):
                self._bell.get(timeout=timeout)
                self._bell.put(None)  # for others who wait
        return self._happened
