"""Raw access records: RawAccessRead."""

from __future__ import annotations

from pysmon.assemble.paths import known_path
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import RawAccessRead
from pysmon.schema.event import Event
from pysmon.sensor.records import RawAccessRecord


def take_raw_access(record: RawAccessRecord, scene: Scene) -> tuple[Event, ...]:
    """RawAccessRead, with the path by which the device was opened."""
    if 9 not in scene.wanted:
        return ()
    actor = scene.processes.actor(record.tgid, record.start, record.exec_id)
    return (
        RawAccessRead(
            UtcTime=scene.utc(record.time),
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            Image=actor.image,
            Device=known_path(record.path),
            User=scene.users.name(record.uid),
        ),
    )
