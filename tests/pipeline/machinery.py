"""A flow on a made-up machine, which takes records as bytes where it can, or all of them the long way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.assemble.stage import BOOT, MACHINE

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.host.hashes import Hashes
from pysmon.host.users import Users
from pysmon.layout.record import Record
from pysmon.pipeline.flow import Flow
from pysmon.pipeline.ways import Way
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import Event
from pysmon.sensor.records import decode


class Machinery:
    """A flow whose users can be renamed, and what it kept. Only what is dropped is taken as bytes."""

    def __init__(self, ruleset: Ruleset, hashes: Hashes | None = None, **more: Any) -> None:
        """`more` is for the enricher."""
        self.names = {0: "root", 1000: "joe"}
        self.users = Users(ask=self.names.__getitem__, database="/nonexistent")
        self.builder = Builder(MACHINE, self.users, clock_offset=BOOT)
        self._more, self._hashes = more, hashes or Hashes(())
        self.flow = Flow(ruleset, self.builder, self._enricher())
        self.events: list[Event] = []
        self.times: list[int] = []

    def _enricher(self) -> Enricher:
        return Enricher(self.builder.processes, self.users, self._hashes, **self._more)

    def use(self, ruleset: Ruleset) -> None:
        self.flow.use(ruleset, self._enricher())

    def ways(self, **more: Any) -> Mapping[int, Way]:
        return self.flow.ways(**more)

    def quick(self, record: Record | bytes, **more: Any) -> bool:
        """Is it taken as bytes? If not, it goes the long way."""
        data = record if isinstance(record, bytes) else record.encode()
        way = self.ways(**more).get(data[0])
        if way is not None and way(data):
            return True
        self.slowly(decode(data))
        return False

    def slowly(self, record: Record) -> None:
        for event in self.flow.take(record):
            self.events.append(event)
            self.times.append(record.time + BOOT)


class Keeping(Machinery):
    """What is kept is taken as bytes, too."""

    def ways(self, **more: Any) -> Mapping[int, Way]:
        return self.flow.ways(self.times, self.events, **more)
