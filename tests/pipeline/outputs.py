"""Outputs for the tests of lanes: one that keeps a list, and does what it is told to: fail, hang, stumble."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pysmon.errors import SinkError
from pysmon.pipeline.lane import LaneState
from pysmon.pipeline.waiting import LaneLimits
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.sink import WriteError

QUICK = LaneLimits(retry=0.002, retry_most=0.01)
_PATIENCE = 20.0  # s until a test gives up


@dataclass
class ListSink:
    """Keeps record ids. `failing`: refuses everything; `go`: hangs until it is set; `odd`: an id it cannot take."""

    name: str = "list"
    taken: list[int] = field(default_factory=list)
    failing: bool = False
    odd: int = -1
    part: int | None = None  # how many of a refused batch go out after all
    flushing: SinkError | None = None
    go: threading.Event = field(default_factory=threading.Event)
    calls: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.go.set()

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        self.calls.append("write")
        self.go.wait()
        if self.failing:
            out = 0 if self.part is None else min(self.part, len(entries))
            self._take(entries[:out])
            if self.part is None:
                raise SinkError("it is away", hint="wait")
            raise WriteError("it is away", written=out, hint="wait")
        self._take(entries)

    def flush(self) -> None:
        self.calls.append("flush")
        if self.flushing:
            raise self.flushing

    def close(self) -> None:
        self.calls.append("close")

    def reopen(self) -> None:
        self.calls.append("reopen")
        self.failing = False

    def remarks(self) -> list[str]:
        told, self.told = self.told, []
        return told

    def _take(self, entries: Sequence[Entry[Event]]) -> None:
        for entry in entries:
            if entry.record_id == self.odd:
                raise ZeroDivisionError("odd")
        self.taken += [entry.record_id for entry in entries]


@contextmanager
def no_descriptors() -> Iterator[None]:
    """This process can open no file meanwhile."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def until(holds: Callable[[], object], what: str = "") -> None:
    """Wait until it holds; the test fails if it never does."""
    give_up = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < give_up, what or "it never came to be"
        time.sleep(0.002)


def balanced(state: LaneState) -> bool:
    """Is every entry in one place?"""
    places = state.queued + state.spilled + state.written + state.lost
    return state.found + state.put == places and min(state.queued, state.spilled, state.written, state.lost) >= 0
