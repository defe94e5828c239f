"""Records of file content: FileExecutableDetected, FileBlockExecutable, FileBlockShredding."""

from __future__ import annotations

from pysmon.assemble.paths import target
from pysmon.assemble.processes import UNKNOWN_IMAGE
from pysmon.assemble.scene import Scene
from pysmon.host.guid import NO_GUID
from pysmon.schema.catalogue import FileBlockExecutable, FileBlockShredding, FileExecutableDetected
from pysmon.schema.event import Event
from pysmon.sensor.records import FileOverwriteRecord, FileWrittenRecord


def take_written(record: FileWrittenRecord, scene: Scene) -> tuple[Event, ...]:
    """A program that was written: FileExecutableDetected and FileBlockExecutable, each judged by rules of its own."""
    if not record.program:
        return ()
    user, guid, image = _actor(record.tgid, scene)
    return tuple(
        [
            kind(
                UtcTime=scene.utc(record.time),
                ProcessGuid=guid,
                ProcessId=record.tgid,
                User=user,
                Image=image,
                TargetFilename=target(record.path, b"", b""),
            )
            for kind in (FileBlockExecutable, FileExecutableDetected)
            if kind.type.id in scene.wanted
        ]
    )


def take_overwrite(record: FileOverwriteRecord, scene: Scene) -> tuple[Event, ...]:
    """FileBlockShredding: if the rules keep it, the process is refused to open the file."""
    if FileBlockShredding.type.id not in scene.wanted:
        return ()
    user, guid, image = _actor(record.tgid, scene)
    return (
        FileBlockShredding(
            UtcTime=scene.utc(record.time),
            ProcessGuid=guid,
            ProcessId=record.tgid,
            User=user,
            Image=image,
            TargetFilename=target(record.path, b"", b""),
            IsExecutable=bool(record.program),
        ),
    )


def _actor(tgid: int, scene: Scene) -> tuple[str, str, str]:
    """User, ProcessGuid and Image of the process that has this id, or had it a moment ago."""
    actor = scene.processes.lately(tgid)
    if actor is None:
        return "-", NO_GUID, UNKNOWN_IMAGE
    return "-" if actor.uid is None else scene.users.name(actor.uid), actor.guid, actor.image
