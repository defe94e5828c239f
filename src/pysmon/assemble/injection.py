"""Injection records: CreateRemoteThread."""

from __future__ import annotations

from pysmon.assemble.paths import known_path, module_path
from pysmon.assemble.processes import Key
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import CreateRemoteThread
from pysmon.schema.event import Event
from pysmon.sensor.memory_records import (
    ANONYMOUS,
    FILE,
    HEAP,
    MAY_EXECUTE,
    MAY_READ,
    MAY_WRITE,
    MEMORY_WRITTEN,
    NAMELESS,
    NOWHERE,
    POINTED,
    POKED,
    SHARED,
    STACK,
    WRITTEN,
    InjectionRecord,
)

_NONE = "-"
_WAYS = {
    POKED: "ptrace, memory",
    POINTED: "ptrace, registers",
    WRITTEN: "process_vm_writev",
    MEMORY_WRITTEN: "/proc/PID/mem",
}
_REGIONS = {
    NOWHERE: "nothing",
    FILE: "file",
    ANONYMOUS: "anonymous",
    HEAP: "heap",
    STACK: "stack",
    NAMELESS: "deleted file",
}
_RIGHTS = ((MAY_READ, "r"), (MAY_WRITE, "w"), (MAY_EXECUTE, "x"))


def take_injection(record: InjectionRecord, scene: Scene) -> tuple[Event, ...]:
    """CreateRemoteThread. All but StartFunction comes from the record, so that the target need not live any more."""
    if 8 not in scene.wanted:
        return ()
    processes, users = scene.processes, scene.users
    source = processes.actor(record.tgid, record.start, record.exec_id)
    target = Key(record.target_tgid, record.target_start, record.target_exec_id)
    known = processes.get(*target)
    image = known.image if known else _NONE
    return (
        CreateRemoteThread(
            UtcTime=scene.utc(record.time),
            SourceProcessGuid=source.guid,
            SourceProcessId=record.tgid,
            SourceImage=source.image,
            TargetProcessGuid=processes.guid(target),
            TargetProcessId=record.target_tgid,
            TargetImage=known_path(record.target_image) if image == _NONE else image,
            NewThreadId=record.target_tid,
            StartAddress=address_text(record.address),
            StartModule=module_path(record.module, record.region),
            SourceUser=users.name(record.uid),
            TargetUser=users.name(record.target_uid),
        ),
    )


def facts_of_injection(record: InjectionRecord) -> dict[str, object]:
    """How it was done and where to, for JSON."""
    facts: dict[str, object] = {"Injection": _WAYS.get(record.way, str(record.way)), "Times": record.times}
    if record.bytes:
        facts["Bytes"] = record.bytes
    facts["Region"] = _REGIONS.get(record.region, str(record.region))
    if record.region != NOWHERE:
        facts["RegionRights"] = rights_text(record.rights)
    return facts | ({"StartOffset": f"{record.offset:#x}"} if record.module else {})


def address_text(address: int) -> str:
    """An address as Sysmon writes it."""
    return f"0x{address:016X}"


def rights_text(rights: int) -> str:
    """The rights of a region as /proc/PID/maps shows them."""
    letters = "".join(letter if rights & bit else "-" for bit, letter in _RIGHTS)
    return letters + ("s" if rights & SHARED else "p")
