"""Settings of desktops: RegistryKey and RegistryValueSet out of records of files that are databases of dconf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pysmon.assemble.paths import target
from pysmon.assemble.processes import ProcessImage
from pysmon.assemble.scene import Scene
from pysmon.assemble.triggers import lineage
from pysmon.host.dconf.changes import Change, database_of
from pysmon.host.dconf.reader import Settings
from pysmon.schema.catalogue import RegistryKey, RegistryValueSet
from pysmon.schema.event import Event
from pysmon.sensor.records import OPENED, FileCreateRecord

ROOT = "DCONF"
DESKTOP = frozenset({RegistryKey.type.id, RegistryValueSet.type.id})
_NONE = "-"
_LIMIT = 8 << 20  # bytes of databases that are kept in mind
_WRITER = "the writer of the database (dconf-service), which acts for the program that asked it to"


class Databases(Protocol):
    """Looks at databases."""

    def settings(self, tgids: Sequence[int], path: str, device: int, before: bytes) -> Settings | None:
        """As `DconfReader` does."""

    def present(self) -> dict[str, bytes]:
        """As `DconfReader` does."""


class Desktop:
    """What databases were like when they were looked at last, so that it can be said what has changed."""

    def __init__(self, databases: Databases | None = None, *, limit: int = _LIMIT) -> None:
        """Without `databases` (a tape) nothing can be told. `limit` is how many bytes of theirs are remembered."""
        self._databases, self._limit = databases, limit
        self._known: dict[str, bytes] = {}
        self._size = 0
        self._prepared = False

    @property
    def size(self) -> int:
        """How many bytes are remembered."""
        return self._size

    def prepare(self) -> None:
        """Look at the databases that there are, so that what is changed first can be told from the rest. Once."""
        if self._databases and not self._prepared:
            self._prepared = True
            for path, data in self._databases.present().items():
                self._remember(path, data)

    def of(self, record: FileCreateRecord, scene: Scene) -> tuple[Event, ...]:
        """The events of a record: none for nearly all."""
        if self._databases is None or record.how == OPENED:  # what was opened to be written has no content yet
            return ()
        path = target(record.path, record.directory, record.name)
        whose = database_of(path)
        if whose is None:
            return ()
        actor = scene.processes.actor(record.tgid, record.start, record.exec_id)
        found = self._databases.settings(lineage(actor), path, record.device, self._known.get(path, b""))
        if found is None:
            return ()
        self._remember(path, found.data)
        place = f"{ROOT}\\{whose or scene.users.name(found.owner)}"
        events = [_event(change, place, record, actor, scene) for change in found.changes]
        wanted = tuple(event for event in events if event.type.id in scene.wanted)
        for event in wanted:
            _add(event, {"Database": path, "ProcessIs": _WRITER})
        if wanted and found.more:
            _add(wanted[-1], {"ChangesNotTold": found.more})
        return wanted

    def _remember(self, path: str, data: bytes) -> None:
        self._size += len(data) - len(self._known.pop(path, b""))
        self._known[path] = data
        while self._size > self._limit:
            self._size -= len(self._known.pop(next(iter(self._known))))


def _event(change: Change, place: str, record: FileCreateRecord, actor: ProcessImage, scene: Scene) -> Event:
    now, user = scene.utc(record.time), scene.users.name(record.uid)
    setting = place + change.key.replace("/", "\\")
    if change.value is None:
        event: Event = RegistryKey(
            EventType="DeleteValue",
            UtcTime=now,
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            Image=actor.image,
            TargetObject=setting,
            User=user,
        )
    else:
        event = RegistryValueSet(
            EventType="SetValue",
            UtcTime=now,
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            Image=actor.image,
            TargetObject=setting,
            Details=change.value,
            User=user,
        )
    event.extra = {"PreviousDetails": _NONE if change.before is None else change.before}
    return event


def _add(event: Event, facts: Mapping[str, object]) -> None:
    event.extra = {**(event.extra or {}), **facts}
