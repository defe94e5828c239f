"""File records: FileCreate, FileDelete, FileDeleteDetected."""

from __future__ import annotations

from pysmon.assemble.paths import target
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import FileCreate, FileDelete, FileDeleteDetected
from pysmon.schema.event import Event, maker
from pysmon.sensor.records import FileCreateRecord, FileDeleteRecord

_file_create, _file_delete, _file_delete_detected = maker(FileCreate), maker(FileDelete), maker(FileDeleteDetected)


def take_file_create(record: FileCreateRecord, scene: Scene) -> tuple[Event, ...]:
    """FileCreate; CreationUtcTime is the event's, which is right for a new file (see Enricher for others)."""
    if 11 not in scene.wanted:
        return ()
    image = scene.processes.actor(record.tgid, record.start, record.exec_id)
    now = scene.utc(record.time)
    return (
        _file_create(
            UtcTime=now,
            ProcessGuid=image.guid,
            ProcessId=record.tgid,
            Image=image.image,
            TargetFilename=target(record.path, record.directory, record.name),
            CreationUtcTime=now,
            User=scene.users.name(record.uid),
        ),
    )


def take_file_delete(record: FileDeleteRecord, scene: Scene) -> tuple[Event, ...]:
    """FileDelete and FileDeleteDetected: each has rules of its own, and is judged by them.

    Hashes, IsExecutable and Archived are `-`: what the file held is told by content.py, if it was held when it went.
    """
    wanted = scene.wanted
    archived, detected = 23 in wanted, 26 in wanted
    if not archived and not detected:
        return ()
    image = scene.processes.actor(record.tgid, record.start, record.exec_id)
    now, tgid = scene.utc(record.time), record.tgid
    user = scene.users.name(record.uid)
    name = target(record.path, record.directory, record.name)
    made: tuple[Event, ...] = ()
    if archived:
        made = (
            _file_delete(
                UtcTime=now,
                ProcessGuid=image.guid,
                ProcessId=tgid,
                User=user,
                Image=image.image,
                TargetFilename=name,
                IsExecutable=None,
            ),
        )
    if detected:
        made += (
            _file_delete_detected(
                UtcTime=now,
                ProcessGuid=image.guid,
                ProcessId=tgid,
                User=user,
                Image=image.image,
                TargetFilename=name,
                IsExecutable=None,
            ),
        )
    return made
