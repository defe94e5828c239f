"""The classes of events that the log keeps apart: each has room of its own that no other class can take."""

from __future__ import annotations

from dataclasses import dataclass, field

from pysmon.errors import MisuseError

MEGABYTE = 1 << 20
_SPARE = 16  # this part of the log


@dataclass(frozen=True, slots=True)
class EventClass:
    """Event types that share their room. `share` is in hundredths of the whole log."""

    name: str
    ids: tuple[int, ...]
    share: int


CLASSES = (
    EventClass("process", (1, 5, 25), 35),
    EventClass("network", (3,), 15),
    EventClass("file", (2, 11, 15, 23, 26, 27, 28, 29), 20),
    EventClass("registry", (12, 13, 14), 5),
    EventClass("image", (6, 7), 5),
    EventClass("access", (8, 9, 10, 24), 5),
    EventClass("channel", (17, 18, 19, 20, 21, 22, 100), 10),  # pipes, WMI, DNS, BPF
    EventClass("service", (4, 16, 255), 5),
)
BY_ID = {event_id: made for made in CLASSES for event_id in made.ids}
BY_NAME = {made.name: made for made in CLASSES}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the log may hold.

    `total` bounds the file, in bytes. Each class has its share of it for certain, and may use what others leave free;
    when the log is full, the class that is furthest beyond its share gives up its oldest. `ages` gives the seconds that
    the entries of a class are kept at most, by its name; a class that is not named is kept as long as there is room.
    """

    total: int = 1024 * MEGABYTE
    ages: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot work; MisuseError."""
        unknown = sorted(self.ages.keys() - BY_NAME.keys())
        if unknown:
            raise MisuseError(f"there is no class of events named {unknown[0]}", hint=f"known: {', '.join(BY_NAME)}")
        if self.total < MEGABYTE:
            raise MisuseError(f"a log of {self.total} bytes is too small", hint=f"give it {MEGABYTE} bytes or more")

    @property
    def room(self) -> int:
        """The bytes that entries may take; the rest is free pages that wait to be used again."""
        return self.total - self.spare

    @property
    def spare(self) -> int:
        """The bytes of free pages that are not given back to the file system."""
        return self.total // _SPARE

    def guaranteed(self, made: EventClass) -> int:
        """The bytes that the class has for certain."""
        return self.room * made.share // 100
