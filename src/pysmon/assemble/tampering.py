"""Programs whose file has no name in any directory: ProcessTampering, out of exec records."""

from __future__ import annotations

from pysmon.assemble.processes import ProcessImage
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import ProcessTampering
from pysmon.schema.event import Event
from pysmon.sensor.records import ExecRecord

_REPLACED = "Image is replaced"  # Sysmon's words for a process that does not run what its file holds


def tampering(record: ExecRecord, scene: Scene, made: ProcessImage) -> tuple[Event, ...]:
    """ProcessTampering if the program was made in memory (memfd_create) or its file had been deleted."""
    if record.links or 25 not in scene.wanted:
        return ()
    return (
        ProcessTampering(
            UtcTime=scene.utc(record.time),
            ProcessGuid=made.guid,
            ProcessId=record.tgid,
            Image=made.image,
            Type=_REPLACED,
            User=scene.users.name(record.uid),
        ),
    )
