"""A batch of records that are looked at as bytes: what all who do so go by, and where they put what is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection

from pysmon.assemble.builder import Builder
from pysmon.assemble.utc import UtcTexts
from pysmon.layout.record import Record
from pysmon.schema.event import Event

_MILLI = 1_000_000


def _nowhere(_: object) -> None:
    """Nothing is taken yet."""


class Batch:
    """Whose records are left alone, when the builder has more to do, what time it is, and where kept events go."""

    __slots__ = (
        *("_builder", "_forget", "_utc", "apart", "keep_event", "keep_time"),
        *("milli", "notice", "now", "offset", "until"),
    )

    def __init__(self, builder: Builder) -> None:
        """Nothing is kept before `begin`."""
        self._builder, self._utc = builder, UtcTexts()
        self._forget: list[Callable[[], None]] = []
        self.until = 0  # the time of records from which the builder has more to do; lower it when there is more
        self.apart: Collection[int] = ()  # processes of which somebody else wants to hear
        self.notice: Callable[[Record], None] | None = None  # who is told of programs that begin to run
        self.keep_event: Callable[[Event], None] = _nowhere
        self.keep_time: Callable[[int], None] = _nowhere  # of the event, in ns since 1970
        self.offset = 0  # what makes that of a record's time
        self.milli, self.now = -1, ""  # the millisecond of an event since 1970, and its text

    def begin(
        self,
        times: list[int],
        events: list[Event],
        apart: Collection[int],
        notice: Callable[[Record], None] | None,
    ) -> None:
        """What is kept of the records that follow goes to the end of these lists."""
        self.keep_event, self.keep_time = events.append, times.append
        self.apart, self.notice, self.offset = apart, notice, self._builder.clock_offset
        self.until = min(self.until, self._builder.due)

    def on_due(self, forget: Callable[[], None]) -> None:
        """Call that whenever the builder had more to do: users may have other names since."""
        self._forget.append(forget)

    def is_due(self, time: int) -> bool:
        """Has the builder more to do at that time? Asked from `until` on."""
        self.until = self._builder.due
        for forget in self._forget:
            forget()
        return time >= self.until

    def tick(self, when: int) -> None:
        """Write the time of an event, in ns since 1970; those of the same millisecond have the same text."""
        self.milli, self.now = when // _MILLI, self._utc.text(when)
