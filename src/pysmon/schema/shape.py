"""What an event looks like at one schema version, and how its class tells what it looked like before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pysmon.schema.kinds import UINT64, Kind
from pysmon.schema.version import SchemaVersion

Default = Literal["include", "exclude"]
Platform = Literal["windows", "linux"]
Level = Literal["Informational", "Error"]
Target = Literal["all", "windows", "linux"]  # where an event exists at all

HIDDEN = 0xF000  # ids from here on are those of Sysmon's internal build; the public tool never shows them


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event type: its name, its kind, where its meaning is written, and when it came."""

    name: str
    kind: Kind
    doc: str
    since: SchemaVersion


@dataclass(frozen=True, slots=True)
class Shape:
    """An event as the schema of one version declares it."""

    id: int
    symbol: str
    title: str
    tag: str  # "" if it cannot be filtered
    stated_default: Default | None  # None: the manifest does not say, and Sysmon excludes
    level: Level
    version: int
    target: Target
    rank: int  # the manifest lists events by this number
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """A field that an event had once. It stood after the field `after`; first, if that is empty."""

    name: str
    kind: Kind
    after: str = ""


SEQUENCE_NUMBER = Gone("SequenceNumber", UINT64)


@dataclass(frozen=True, slots=True)
class Before:
    """How an event differed before the schema version `until`; what is not said here was as it is later.

    An event class lists these from the newest to the oldest; each starts from what the one above it left.
    """

    until: str
    id: int | None = None
    title: str | None = None
    tag: str | None = None
    stated_default: Default | None = None
    version: int | None = None
    rank: int | None = None
    had: tuple[Gone, ...] = ()
    had_not: tuple[str, ...] = ()
    stood_after: Mapping[str, str] = field(default_factory=dict)  # a field -> the field that it followed

    def holds_at(self, version: SchemaVersion) -> bool:
        """Whether that version is older than the change."""
        return version < SchemaVersion.parse(self.until)

    def of(self, later: Shape) -> Shape:
        """The shape before the change, from the shape after it."""
        kept = [f for f in later.fields if f.name not in self.had_not]
        for moved in [f for f in kept if f.name in self.stood_after]:
            kept.remove(moved)
            kept.insert(_behind(kept, self.stood_after[moved.name]), moved)
        for gone in self.had:
            since = kept[0].since
            kept.insert(_behind(kept, gone.after), Field(gone.name, gone.kind, gone.kind.doc, since))
        words = ("id", "title", "tag", "stated_default", "version", "rank")
        said = {w: getattr(self, w) for w in words if getattr(self, w) is not None}
        return replace(later, fields=tuple(kept), **said)


def _behind(fields: list[Field], name: str) -> int:
    return [f.name for f in fields].index(name) + 1 if name else 0
