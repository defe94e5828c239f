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
    return (
        ImageLoad(
            UtcTime=scene.utc(record.time),
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            Image=actor.image,
            ImageLoaded=loaded_path(record.path, record.links),
            User=scene.users.name(record.uid),
        ),
    )


def loaded_path(components: bytes, links: int) -> str:
    """The file that was mapped, with a word behind it if it has no name any more."""
    path = known_path(components)
    return path if links else path + DELETED
