"""Pipe records: PipeCreate, PipeConnect."""

from __future__ import annotations

from pysmon.assemble.paths import target
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import PipeConnect, PipeCreate
from pysmon.schema.event import Event
from pysmon.sensor.records import PIPE_MADE, PipeRecord


def take_pipe(record: PipeRecord, scene: Scene) -> tuple[Event, ...]:
    """PipeCreate or PipeConnect, with a FIFO or a Unix socket for the pipe."""
    made = record.deed == PIPE_MADE
    if (17 if made else 18) not in scene.wanted:
        return ()
    actor = scene.processes.actor(record.tgid, record.start, record.exec_id)
    kind = PipeCreate if made else PipeConnect
    return (
        kind(
            EventType="CreatePipe" if made else "ConnectPipe",
            UtcTime=scene.utc(record.time),
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            PipeName=_name(record),
            Image=actor.image,
            User=scene.users.name(record.uid),
        ),
    )


def _name(record: PipeRecord) -> str:
    """A path; for an abstract socket `@` and its name, as ss and /proc/net/unix write it."""
    if record.abstract:
        return "@" + record.abstract.replace(b"\0", b"@").decode("utf-8", "surrogateescape")
    return target(record.path, record.directory, record.name)
