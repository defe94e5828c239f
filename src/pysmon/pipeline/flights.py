"""The canaries of a run, one after the other: each proves what none was sent for yet."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from pysmon.errors import MisuseError
from pysmon.layout.record import Record
from pysmon.pipeline.canary import PATIENCE, UNPROVED, Canary, Sight

if TYPE_CHECKING:
    from pysmon.pipeline.eyes import Eyes


class Flights:
    """Sends canaries, knows their records, and tells what came of them."""

    def __init__(self, sensor: Eyes, folder: Path | None) -> None:
        """`folder` is where a canary makes and removes files; None: none is sent."""
        self._sensor, self._folder = sensor, folder
        self.patience = PATIENCE  # s that one has to come to its end
        self._flying: Canary | None = None
        self._flown: Canary | None = None  # the last one: the kernel may tell the end of a process twice
        self._proved = frozenset[str]()  # families that a canary was sent for
        self.sight: Sight | None = None  # what came of the last one

    def send(self, families: Collection[str]) -> str:
        """Let one fly if nothing proves these families yet, and none flies. Returns "" or why it could not."""
        wanted = frozenset(families)
        if self._folder is None or self._flying or wanted <= self._proved:
            return ""
        self._proved |= wanted
        served = [s.ability.name for s in self._sensor.services if s.provider and s.ability.family in wanted]
        try:
            self._flying = Canary(self._folder, served, patience=self.patience)
        except (OSError, MisuseError) as error:  # no room for a process, or no Python any more: no reason to stop
            self.sight = UNPROVED
            return f"{UNPROVED}: {error}"
        number = self._sensor.include(self._flying.pid)
        self._flying.release(time.monotonic(), number)
        return ""

    @property
    def numbers(self) -> frozenset[int]:
        """What records call the canaries whose records may come."""
        return frozenset(canary.number for canary in (self._flying, self._flown) if canary)

    @property
    def fly(self) -> bool:
        """Is one on its way?"""
        return self._flying is not None

    def own(self, record: Record) -> bool:
        """Is the record about a canary? Then it is noted, and is nobody else's business."""
        return bool((self._flying and self._flying.owns(record)) or (self._flown and self._flown.owns(record)))

    def landed(self) -> Sight | None:
        """What came of the one that flew, once; None while more may come."""
        sight = self._flying.result(time.monotonic(), behind=self._sensor.behind) if self._flying else None
        if self._flying and sight:
            self._flying.stop()
            self._flying, self._flown, self.sight = None, self._flying, sight
        return sight

    def stop(self) -> None:
        """End the one that flies."""
        if self._flying:
            self._flying.stop()
