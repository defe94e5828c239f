"""Event-driven persistence: WmiFilter, WmiConsumer, WmiBinding out of records of files that say when to run what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pysmon.assemble.paths import target
from pysmon.assemble.processes import ProcessImage
from pysmon.assemble.scene import Scene
from pysmon.host.triggers.parts import Consumer, Filter, Part
from pysmon.host.triggers.places import Place, place_of_trigger
from pysmon.host.triggers.read import Operation, changes, parts_of
from pysmon.schema.catalogue import WmiBinding, WmiConsumer, WmiFilter
from pysmon.schema.event import Event
from pysmon.sensor.records import OPENED, FileCreateRecord, FileDeleteRecord, FileWrittenRecord

TRIGGERS = frozenset({WmiFilter.type.id, WmiConsumer.type.id, WmiBinding.type.id})
_TOLD_BY_PATH: tuple[Place, ...] = ("periodic script", "enabled unit")  # whatever is in them
_ANCESTORS = 4
FileRecord = FileCreateRecord | FileDeleteRecord | FileWrittenRecord


class Reader(Protocol):
    """Reads the text of a file, which no record holds."""

    @property
    def closes_told(self) -> bool:
        """Does a FileWrittenRecord come for what was written?"""

    def text(self, tgids: Sequence[int], path: str, device: int, inode: int) -> str | None:
        """The text, as one of these processes sees the disk; None if it cannot be had."""


class Triggers:
    """What is known of files about persistence: their parts, so that it can be said what has changed or is gone."""

    def __init__(self, reader: Reader | None = None, *, limit: int = 4096) -> None:
        """Without a reader nothing is known but what paths say. `limit` is how many files are remembered."""
        self._reader, self._limit = reader, limit
        self._known: dict[str, tuple[Part, ...]] = {}

    def __len__(self) -> int:
        """How many files are known."""
        return len(self._known)

    def of(self, record: FileRecord, scene: Scene) -> tuple[Event, ...]:
        """The events of a record: none for nearly all."""
        path = target(record.path, b"", b"") if isinstance(record, FileWrittenRecord) else _name(record)
        place = place_of_trigger(path)
        if place is None:
            return ()
        before = self._known.pop(path, None)
        if isinstance(record, FileDeleteRecord):
            gone = before if before is not None else parts_of(place, path, None)
            return _events([("Deleted", part) for part in gone], record, path, scene)
        if self._is_early(record) and place not in _TOLD_BY_PATH:
            self._remember(path, ())  # a new file: its text comes later
            return ()
        text = None
        if self._reader:
            text = self._reader.text(lineage(_actor(record, scene)), path, record.device, record.inode)
        now = parts_of(place, path, text)
        self._remember(path, now)
        if before is not None:
            return _events(list(changes(before, now)), record, path, scene)
        # What was written under a name that it had before: nobody knows what it said.
        operation: Operation = "Modified" if isinstance(record, FileWrittenRecord) else "Created"
        return _events([(operation, part) for part in now], record, path, scene)

    def _is_early(self, record: FileRecord) -> bool:
        """A file that was opened to be written has no text yet."""
        opened = isinstance(record, FileCreateRecord) and record.how == OPENED
        return opened and self._reader is not None and self._reader.closes_told

    def _remember(self, path: str, parts: tuple[Part, ...]) -> None:
        if len(self._known) >= self._limit:
            del self._known[next(iter(self._known))]
        self._known[path] = parts


def _name(record: FileCreateRecord | FileDeleteRecord) -> str:
    return target(record.path, record.directory, record.name)


def _events(told: list[tuple[Operation, Part]], record: FileRecord, path: str, scene: Scene) -> tuple[Event, ...]:
    if not told:
        return ()
    actor = _actor(record, scene)
    uid = record.uid if not isinstance(record, FileWrittenRecord) else actor.uid if actor else None
    user = "-" if uid is None else scene.users.name(uid)
    facts: dict[str, object] = {"TargetFilename": path, "ProcessId": record.tgid}
    if actor is not None:
        facts |= {"ProcessGuid": actor.guid, "Image": actor.image}
    now = scene.utc(record.time)
    made = [_event(operation, part, now, user) for operation, part in told]
    wanted = [event for event in made if event.type.id in scene.wanted]
    for event in wanted:
        event.extra = dict(facts)
    return tuple(wanted)


def _actor(record: FileRecord, scene: Scene) -> ProcessImage | None:
    if isinstance(record, FileWrittenRecord):
        return scene.processes.lately(record.tgid)
    return scene.processes.actor(record.tgid, record.start, record.exec_id)


def lineage(image: ProcessImage | None) -> list[int]:
    """The process ids of it and of those that made it: it may have ended, and they see the same disk as a rule."""
    found: list[int] = []
    while image is not None and len(found) < _ANCESTORS:
        found.append(image.key[0])
        image = image.parent
    return found


def _event(operation: Operation, part: Part, now: str, user: str) -> Event:
    if isinstance(part, Filter):
        return WmiFilter(
            EventType="WmiFilterEvent",
            UtcTime=now,
            Operation=operation,
            User=user,
            EventNamespace=_quoted(part.space),
            Name=_quoted(part.name),
            Query=_quoted(part.query),
        )
    if isinstance(part, Consumer):
        return WmiConsumer(
            EventType="WmiConsumerEvent",
            UtcTime=now,
            Operation=operation,
            User=user,
            Name=_quoted(part.name),
            Type=part.type,
            Destination=_quoted(part.destination),
        )
    return WmiBinding(
        EventType="WmiBindingEvent",
        UtcTime=now,
        Operation=operation,
        User=user,
        Consumer=_quoted(part.consumer),
        Filter=_quoted(part.filter),
    )


def _quoted(value: str) -> str:
    """Texts stand in quotes in these events, as in Sysmon's; what is not known is `-` as everywhere."""
    return value if value == "-" else f'"{value}"'
