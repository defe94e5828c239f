"""Every entry to every output: a lane for each, a common thread that moves to the disk what a lane has no room for."""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

from pysmon.pipeline.lane import Lane, LaneState
from pysmon.pipeline.spill import Spill
from pysmon.pipeline.telling import Telling
from pysmon.pipeline.waiting import LaneLimits
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.schema.taking import taker
from pysmon.sinks.sink import Sink

__all__ = ["Fanout", "LaneLimits", "LaneState", "weigh"]

REPORT = "OUTPUT"  # the ID of the events 255 that tell of outputs
_GRACE = 1.0  # s for a call that is under way when patience is over
_ENTRY = 700  # bytes of memory that an entry takes beside its longer texts, about
_EXTRA = 500  # of its extra facts
_LOOKED_AT = 64  # entries of a batch that are weighed, or a few more
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class Fanout:
    """The outputs of a run. One thread puts; any thread may ask for the states."""

    def __init__(self, lanes: Sequence[tuple[Sink, LaneLimits]], spill: Path | None) -> None:
        """Start a thread for each sink, whose owner is the fanout from now on. `spill` is the folder in which entries
        wait that memory has no room for, and what an earlier run left is delivered first. SinkError if the folder
        cannot be used; the sinks are then as they were.
        """
        self._full = threading.Event()
        self._closed = self._settling = False
        self._lanes: list[Lane] = []
        self._spiller = threading.Thread(target=self._spill_over, name="pysmon spill", daemon=True)
        names: list[str] = []
        try:
            for sink, limits in lanes:
                names.append(folder_name(sink.name, names))
                kept = Spill(spill / names[-1], limits.spill) if spill and limits.spill else None
                self._lanes.append(Lane(sink, limits, kept, self._full.set))
        except BaseException:
            for lane in self._lanes:
                lane.let_go()
            raise
        self.last_record_id = max((lane.spill.last_record_id for lane in self._lanes if lane.spill), default=0)
        self._telling = [Telling() for _ in self._lanes]
        self._strays = _strays(spill, names) if spill else []
        for lane in self._lanes:
            lane.start()
        self._spiller.start()

    def put(self, entries: Sequence[Entry[Event]]) -> None:
        """Give the entries to every output. Never waits; nobody may change the sequence from now on."""
        if entries:
            size = weigh(entries)
            for lane in self._lanes:
                lane.put(entries, size)

    def states(self) -> tuple[LaneState, ...]:
        """How each output fares, in the order in which they were given."""
        return tuple(lane.state() for lane in self._lanes)

    def reports(self) -> list[tuple[str, str]]:
        """What went wrong or came back since the last call: ID and description of the events 255 that tell of it."""
        now = time.monotonic()
        told, self._strays = self._strays, []
        for lane, telling in zip(self._lanes, self._telling, strict=True):
            told += telling.of(lane.state(), lane.remarks(), lane.spill_trouble, now, last=self._closed)
        return [(REPORT, words) for words in told]

    def reopen(self) -> None:
        """Have every output opened anew that can be, and those tried at once that failed."""
        for lane in self._lanes:
            lane.reopen()

    def close(self, patience: float) -> None:
        """Deliver what waits, for so many seconds at most, and leave the rest on the disk for the next run.

        Entries whose writing was under way when patience ended may be delivered twice. A second call does nothing.
        """
        if self._closed:
            return
        self._closed = True
        deadline = time.monotonic() + patience
        for lane in self._lanes:
            lane.finish()
        late = [lane for lane in self._lanes if not lane.wait(deadline - time.monotonic())]
        for lane in late:
            lane.hurry()
        deadline = time.monotonic() + _GRACE
        for lane in late:
            lane.wait(deadline - time.monotonic())
        self._settling = True
        self._full.set()
        self._spiller.join(_GRACE)
        for lane in self._lanes:
            lane.settle(disk=not self._spiller.is_alive())

    def _spill_over(self) -> None:
        while not self._settling:
            self._full.wait()
            self._full.clear()
            for lane in self._lanes:
                lane.move()


def weigh(entries: Sequence[Entry[Event]]) -> int:
    """How many bytes of memory the entries take, about. Of many, some are looked at."""
    step = len(entries) // _LOOKED_AT | 1  # odd: events that come in pairs are both met
    looked_at = entries[::step]
    size = _ENTRY * len(looked_at)
    for _, _, event, _ in looked_at:
        size += sum(map(len, _texts[event.__class__](event)))
        if event.extra:
            size += _EXTRA
    return size * len(entries) // max(len(looked_at), 1)


_texts = {t.cls: taker([f.name for f in t.fields if f.kind.name == "text"]) for t in EVENTS.values()}


def folder_name(name: str, others: Sequence[str] = ()) -> str:
    """The name of an output as that of a folder, unlike all others; the same in every run."""
    short = _NO_NAME.sub("-", name).strip("-.")[:60] or "output"
    made = f"{short}-{zlib.crc32(name.encode('utf-8', 'surrogatepass')):08x}"
    return made if made not in others else f"{made}-{len(others)}"


def _strays(spill: Path, names: Sequence[str]) -> list[str]:
    """What waits for outputs that there are no more."""
    found = []
    for folder in sorted(p for p in spill.glob("*") if p.name not in names and p.is_dir()):
        size = sum(file.stat().st_size for file in folder.glob("*.frames"))
        if size:
            found.append(f"{size} bytes wait in {folder} for an output that is not in the settings any more")
    return found
