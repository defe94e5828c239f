"""Processes that do not run what their file holds: ProcessTampering, out of exec records and of tamper records."""

from __future__ import annotations

from pysmon.assemble.injection import address_text, rights_text
from pysmon.assemble.paths import known_path, module_path
from pysmon.assemble.processes import ProcessImage
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import ProcessTampering
from pysmon.schema.event import Event
from pysmon.sensor.memory_records import MAPPED_OVER, RELINKED, UNLOCKED, TamperRecord
from pysmon.sensor.records import ExecRecord

_REPLACED = "Image is replaced"  # Sysmon's words for a process that does not run what its file holds
_WRITABLE = "Code is made writable"  # ours: Sysmon has none for it
_HOW = {RELINKED: "PR_SET_MM_EXE_FILE", UNLOCKED: "mprotect", MAPPED_OVER: "mmap"}


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


def take_tamper(record: TamperRecord, scene: Scene) -> tuple[Event, ...]:
    """ProcessTampering of a process that runs. Image is what it executed, whatever it passes for now."""
    if 25 not in scene.wanted:
        return ()
    actor = scene.processes.actor(record.tgid, record.start, record.exec_id)
    if record.how == RELINKED and known_path(record.module) == actor.image:
        return ()  # it passes for what it is
    return (
        ProcessTampering(
            UtcTime=scene.utc(record.time),
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            Image=actor.image,
            Type=_WRITABLE if record.how == UNLOCKED else _REPLACED,
            User=scene.users.name(record.uid),
        ),
    )


def facts_of_tampering(record: TamperRecord) -> dict[str, object]:
    """How it was done, and to what, for JSON."""
    facts: dict[str, object] = {
        "Tampering": _HOW.get(record.how, str(record.how)),
        "Module": module_path(record.module, record.region),
    }
    if record.how == RELINKED:
        return facts
    return facts | {
        "Address": address_text(record.address),
        "Bytes": record.bytes,
        "RegionRights": rights_text(record.rights),
    }
