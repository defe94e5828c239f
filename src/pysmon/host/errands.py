"""Questions to the system that it may leave unanswered: asked in threads of their own, waited for a bounded time.

A look at a file whose server is away, or at a directory of users that does not answer, lasts until that comes back, and
nothing can end it. Whoever must not be held up sends an errand and goes on without the answer if it does not come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeVar

PATIENCE = 2.0  # s
THREADS = 8  # that may be held up at the same time
_REST = 5  # times the patience for which nobody waits for a place that was late: it costs a sixth of the time at most
_AGAIN = 60.0  # s until the same is told again

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class _Errand:
    """One question on its way."""

    question: Callable[[], Any]
    running: threading.Lock = field(default_factory=threading.Lock)  # held until the answer is there
    answer: Any = None
    error: Exception | None = None

    def run(self) -> None:
        try:
            self.answer = self.question()
        except Exception as error:  # whoever asked gets it
            self.error = error
        finally:
            self.running.release()


@dataclass(slots=True)
class _Late:
    """A place that was late: the errand that is still there, or was the last to be, and until when nobody waits."""

    errand: _Errand
    queue: SimpleQueue[_Errand | None] | None  # of the thread that it holds up; None once that is free for others
    until: float


class Errands:
    """Sends questions out. One thread asks; `about` is the place that answers or does not, such as a file system.

    While a question is out for longer than it may, no other one goes to that place, and nobody waits for it.
    """

    def __init__(
        self, *, patience: float = PATIENCE, threads: int = THREADS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`patience` is how many seconds an answer may take. Threads begin when they are needed, no more than that."""
        self._patience, self._most, self._clock = patience, threads, clock
        self._threads = 0
        self._idle: list[SimpleQueue[_Errand | None]] = []
        self._late: dict[str, _Late] = {}
        self._told: list[str] = []
        self._said: dict[str, float] = {}  # when each was told last

    def ask(self, about: str, question: Callable[[], _Answer], *, patience: float | None = None) -> _Answer | None:
        """The answer, which must not be None; None if it does not come within `patience` seconds.

        The question runs to its end all the same, and may keep what it found for the next time; in another thread.
        """
        allowed = self._patience if patience is None else patience
        late = self._late.get(about)
        if late is not None:
            if late.errand.running.locked():
                return None
            if self._clock() < late.until:
                allowed = 0.0
            self._reclaim(late)
        queue = self._free()
        if queue is None:
            return None
        errand = _Errand(question)
        errand.running.acquire()
        queue.put(errand)
        if not errand.running.acquire(timeout=allowed):
            self._note(about, errand, queue, late, allowed)
            return None
        self._idle.append(queue)
        if late is not None:
            del self._late[about]
            self._tell(f"{about} answers in time again")
        if errand.error is not None:
            raise errand.error
        answer: _Answer = errand.answer
        return answer

    def reports(self) -> list[str]:
        """Which places began to be late, and which answer again, since the last call; a sentence each."""
        told, self._told = self._told, []
        return told

    def close(self) -> None:
        """Let the threads end that are not held up."""
        for late in self._late.values():
            self._reclaim(late)
        for queue in self._idle:
            queue.put(None)
        self._threads -= len(self._idle)
        self._idle.clear()

    def _note(
        self,
        about: str,
        errand: _Errand,
        queue: SimpleQueue[_Errand | None],
        before: _Late | None,
        allowed: float,
    ) -> None:
        until = self._clock() + _REST * allowed if allowed or before is None else before.until
        self._late[about] = _Late(errand, queue, until)
        if before is None:
            self._tell(f"{about} did not answer within {allowed:g} s: events do without it until it does")

    def _tell(self, words: str) -> None:
        now = self._clock()
        if words not in self._said or now >= self._said[words] + _AGAIN:
            self._said[words] = now
            self._told.append(words)

    def _reclaim(self, late: _Late) -> None:
        """Take its thread back if it is not held up any more."""
        if late.queue is not None and not late.errand.running.locked():
            self._idle.append(late.queue)
            late.queue = None

    def _free(self) -> SimpleQueue[_Errand | None] | None:
        """The way to a thread that has nothing to do; None if all are held up, or the machine has no room for one."""
        if not self._idle and self._threads >= self._most:
            for late in self._late.values():
                self._reclaim(late)
        if self._idle:
            return self._idle.pop()
        if self._threads >= self._most:
            return None
        queue: SimpleQueue[_Errand | None] = SimpleQueue()
        try:
            threading.Thread(target=_serve, args=(queue,), name="pysmon errands", daemon=True).start()
        except RuntimeError:
            return None
        self._threads += 1
        return queue


def _serve(queue: SimpleQueue[_Errand | None]) -> None:
    while (errand := queue.get()) is not None:
        errand.run()
