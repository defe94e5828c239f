"""Image load records: ImageLoad."""

from __future__ import annotations

from pysmon.assemble.paths import DELETED, known_path
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import ImageLoad
from pysmon.schema.event import Event
from pysmon.sensor.load_records import ImageLoadRecord


def take_image_load(record: ImageLoadRecord, scene: Scene) -> tuple[Event, ...]:
    """ImageLoad; what is known of the file itself is added later (see Provenance)."""
    if 7 not in scene.wanted:
        return ()
    actor = scene.processes.actor(record.tgid, record.start, record.exec_id)
    path = known_path(record.path)
    return (
        ImageLoad(
            UtcTime=scene.utc(record.time),
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            Image=actor.image,
            ImageLoaded=path if record.links else path + DELETED,
            User=scene.users.name(record.uid),
        ),
    )
