"""File time records: FileCreateTime."""

from __future__ import annotations

from pysmon.assemble.paths import target
from pysmon.assemble.scene import Scene
from pysmon.assemble.utc import utc_text
from pysmon.schema.catalogue import FileCreateTime
from pysmon.schema.event import Event
from pysmon.sensor.records import FileTimeRecord

_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # seconds: the years 1 and 9999, beyond which no text is made
_SECOND = 1_000_000_000


def take_file_time(record: FileTimeRecord, scene: Scene) -> tuple[Event, ...]:
    """FileCreateTime, with modification times in place of the creation times that nobody can set."""
    if 2 not in scene.wanted:
        return ()
    actor = scene.processes.actor(record.tgid, record.start, record.exec_id)
    return (
        FileCreateTime(
            UtcTime=scene.utc(record.time),
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            Image=actor.image,
            TargetFilename=target(record.path, record.directory, record.name),
            CreationUtcTime=_text(record.seconds, record.nanoseconds),
            PreviousCreationUtcTime=_text(record.previous_seconds, record.previous_nanoseconds),
            User=scene.users.name(record.uid),
        ),
    )


def _text(seconds: int, nanoseconds: int) -> str:
    signed = seconds - (1 << 64) if seconds >> 63 else seconds
    return utc_text(min(max(signed, _FIRST), _LAST) * _SECOND + nanoseconds % _SECOND)
