"""Policies that wait to take the place of the one in force, with those who wait for that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue

from pysmon.pipeline.policy import Policy


class Changes:
    """Asked for by any thread, made by the one that judges."""

    def __init__(self) -> None:
        """None is asked for."""
        self._asked: SimpleQueue[tuple[Policy, threading.Event]] = SimpleQueue()
        self._closed = False

    def ask(self, policy: Policy) -> threading.Event:
        """What is given back is set once the policy holds, or there is nothing left to judge."""
        holds = threading.Event()
        self._asked.put((policy, holds))
        if self._closed:
            self.close()
        return holds

    @property
    def waiting(self) -> bool:
        """Is any asked for?"""
        return not self._asked.empty()

    def take(self) -> Iterator[Policy]:
        """Those that were asked for, in their order; each is taken to hold when the next one is taken."""
        while self.waiting:
            policy, holds = self._asked.get()
            yield policy
            holds.set()

    def close(self) -> None:
        """There is nothing left to judge: who waits for a change must not hold up the end."""
        self._closed = True
        with suppress(Empty):
            while True:
                self._asked.get_nowait()[1].set()
