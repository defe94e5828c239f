"""Decides when the state of an output is worth an event 255: it fails, works again, or loses; not each second."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pysmon.pipeline.lane import LaneState

EVERY = 10.0  # s between two reports that an output fails
LOSS_EVERY = 60.0  # s between two reports of what it loses


@dataclass(slots=True)
class Telling:
    """What was told of one output so far."""

    _failing: bool = False  # told, and not yet that it is over
    _lost: int = 0
    _lost_before: int = 0  # when it began to fail
    _next: float = 0.0
    _next_loss: float = 0.0

    def of(self, state: LaneState, remarks: Iterable[str], disk: str, now: float, *, last: bool) -> list[str]:
        """What there is to tell now. `disk` says why the disk took nothing; `last` that nothing will be told after."""
        told = [r if r.startswith(state.name) else f"{state.name}: {r}" for r in remarks]
        waiting = state.queued + state.spilled
        if state.trouble and not self._failing and (last or now >= self._next):
            self._failing, self._next, self._lost_before = True, now + EVERY, self._lost
            whose = "" if state.name in state.trouble else f"{state.name} fails: "
            told.append(f"{whose}{state.trouble}; {counted(waiting)} wait")
        recovered = self._failing and not state.trouble
        if state.lost > self._lost and (last or recovered or now >= self._next_loss):
            self._next_loss = now + LOSS_EVERY
            why = f"; the disk took no more: {disk}" if disk else ""
            told.append(f"{counted(state.lost - self._lost)} for {state.name} lost{why}")
            self._lost = state.lost
        if recovered:
            self._failing = False
            lost = state.lost - self._lost_before
            told.append(f"{state.name} works again; {counted(waiting)} wait, {lost} were lost meanwhile")
        return told


def counted(entries: int) -> str:
    """So many entries, in words: `1 entry`."""
    return f"{entries} {'entry' if entries == 1 else 'entries'}"
