"""Attribute records: FileCreateStreamHash."""

from __future__ import annotations

from pysmon.assemble.paths import target, text
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import FileCreateStreamHash
from pysmon.schema.event import Event
from pysmon.sensor.records import AttributeRecord

_NONE = "-"
_BLANKS = dict.fromkeys(map(ord, "\t\r\n"), " ")
_NO_TEXT = {chr(c) for c in range(32) if c not in _BLANKS} | {"\x7f"}
_LONGEST = 1024  # bytes: from here on Sysmon shows no contents


def take_attribute(record: AttributeRecord, scene: Scene) -> tuple[Event, ...]:
    """FileCreateStreamHash, with an extended attribute for the stream. Its hash and the file's birth come later."""
    if 15 not in scene.wanted:
        return ()
    actor = scene.processes.actor(record.tgid, record.start, record.exec_id)
    now = scene.utc(record.time)
    return (
        FileCreateStreamHash(
            UtcTime=now,
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            Image=actor.image,
            TargetFilename=f"{file_of(record)}:{text(record.attribute)}",
            CreationUtcTime=now,
            Contents=contents(record.value) if record.value_size == len(record.value) else _NONE,
            User=scene.users.name(record.uid),
        ),
    )


def file_of(record: AttributeRecord) -> str:
    """The path of the file that has the attribute."""
    return target(record.path, record.directory, record.name)


def contents(value: bytes) -> str:
    """A text on one line, with blanks for line ends as Sysmon has them; `-` for what is no text, or too long."""
    if len(value) >= _LONGEST:
        return _NONE
    try:
        found = value.removesuffix(b"\0").decode()
    except UnicodeDecodeError:
        return _NONE
    if any(c in _NO_TEXT for c in found):
        return _NONE
    return found.translate(_BLANKS) or _NONE
