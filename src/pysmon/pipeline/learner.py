"""Learns which processes run already: at the start, and again when some were missed, but not all the time."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING

from pysmon.host.errands import Errands
from pysmon.host.proc import ProcessFacts, read_process
from pysmon.pipeline.early import Early
from pysmon.pipeline.elsewhere import Elsewhere
from pysmon.pipeline.flow import Flow
from pysmon.pipeline.snapshot import with_texts
from pysmon.sensor.scope import Scope
from pysmon.sensor.tape import TapeWriter

if TYPE_CHECKING:
    from pysmon.pipeline.eyes import Eyes

_REST = 9  # times as long as it took, until it is done again: a storm must not be answered by reading /proc alone
_PATIENCE = 1.0  # s to read what /proc tells of one process


class Learner:
    """Asks the kernel which processes there are, and /proc for their texts."""

    def __init__(
        self, sensor: Eyes, flow: Flow, elsewhere: Elsewhere, tape: TapeWriter | None, early: Early | None = None
    ) -> None:
        """What it learns goes to the flow and onto the tape, and `elsewhere` hears who there is.

        `early`: what has the sensor watch the scope already, and has looked who was there then.
        """
        self._sensor, self._flow, self._elsewhere, self._tape = sensor, flow, elsewhere, tape
        self._errands = Errands(patience=_PATIENCE)
        self._missed, self._due = False, 0.0
        self._since, self._earlier = (early.since, early.tasks) if early else (0, ())

    def watch(self, scope: Scope) -> int:
        """Begin to watch the scope, unless that is done; since when it is watched, in ns since 1970."""
        if not self._since:
            self._sensor.watch(scope)
            self._since = time.time_ns()
        return self._since

    def learn(self) -> None:
        """Do it now."""
        began, self._missed = time.monotonic(), False
        ours = {kernels: own for own, kernels in self._sensor.numbers().items()}
        tasks = self._sensor.snapshot()
        self._elsewhere.learn([ours.get(task.tgid, task.tgid) for task in tasks])
        found = with_texts(tasks, lambda pid: self._read(ours.get(pid, pid)))
        for task in chain(found, self._earlier):  # what is known only from earlier has ended since
            if self._tape:
                self._tape.record(task.encode())
            self._flow.learn(task)
        self._earlier = ()
        now = time.monotonic()
        self._due = now + _REST * (now - began)

    def make_up(self, *, missed: bool) -> bool:
        """Do it if processes were missed, now or before, and it is not too soon; whether it was done."""
        self._missed = self._missed or missed
        if not self._missed or time.monotonic() < self._due:
            return False
        self.learn()
        return True

    @property
    def is_due(self) -> bool:
        """Were processes missed that are not made up for yet?"""
        return self._missed

    def reports(self) -> list[str]:
        """Which processes could not be looked at, since the last call."""
        return self._errands.reports()

    def close(self) -> None:
        """End its threads."""
        self._errands.close()

    def _read(self, pid: int) -> ProcessFacts | None:
        """The memory of a process that hangs, where its arguments are, may be locked for as long as that."""
        return self._errands.ask(f"/proc/{pid}", lambda: read_process(pid))
