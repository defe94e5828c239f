"""Process records: they keep the process table, and make ProcessCreate and ProcessTerminate."""

from __future__ import annotations

from pysmon.assemble.paths import DELETED, directory_path, known_path, text
from pysmon.assemble.processes import Numbers, ProcessImage
from pysmon.assemble.scene import Scene
from pysmon.assemble.tampering import tampering
from pysmon.schema.catalogue import ProcessCreate, ProcessTerminate
from pysmon.schema.event import Event
from pysmon.sensor.records import (
    CREATOR_OTHER,
    CREATOR_UNKNOWN,
    BriefExecRecord,
    ExecRecord,
    ExitRecord,
    ForkRecord,
    TaskRecord,
)

NO_LEVEL = "no level"  # Linux has no integrity levels; Sysmon writes these words
_NONE = "-"


def take_fork(record: ForkRecord, scene: Scene) -> tuple[Event, ...]:
    """Enter the child; no event."""
    child = (record.tgid, record.start, record.exec_id)
    parent = (record.parent_tgid, record.parent_start, record.parent_exec_id)
    scene.processes.forked(child, parent, record.uid, record.time)
    return ()


def take_task(record: TaskRecord, scene: Scene) -> tuple[Event, ...]:
    """Enter a process that was there before; no event."""
    processes = scene.processes
    key = (record.tgid, record.start, record.exec_id)
    image = known_path(record.image)
    made = ProcessImage(key, processes.machine, image, record.args, record.uid, record.cgroup_path)
    processes.found(made, record.time)
    return ()


def take_exit(record: ExitRecord, scene: Scene) -> tuple[Event, ...]:
    """Retire the process: ProcessTerminate."""
    image = scene.processes.ended((record.tgid, record.start, record.exec_id), record.time)
    if image is None or 5 not in scene.wanted:
        return ()
    return (
        ProcessTerminate(
            UtcTime=scene.utc(record.time),
            ProcessGuid=image.guid,
            ProcessId=record.tgid,
            Image=image.image,
            User=scene.users.name(record.uid),
        ),
    )


def take_exec(record: ExecRecord, scene: Scene) -> tuple[Event, ...]:
    """Enter the new program: ProcessCreate, and ProcessTampering if its file has no name."""
    processes, tgid, start, uid = scene.processes, record.tgid, record.start, record.uid
    named = (record.parent_tgid, record.parent_start, record.parent_exec_id)
    parent = processes.parent_of(processes.current(tgid, start), named, creator_of(record))
    path = known_path(record.image) if record.links else known_path(record.image) + DELETED
    key = (tgid, start, record.exec_id)
    made = ProcessImage(key, processes.machine, path, record.args, uid, record.cgroup_path, parent)
    processes.runs(made, record.time)
    tampered = () if record.links else tampering(record, scene, made)
    return (_process_create(record, scene, made, parent, named), *tampered) if 1 in scene.wanted else tampered


def take_brief_exec(record: BriefExecRecord, scene: Scene) -> tuple[Event, ...]:
    """Enter the new program; no event, as the kernel has been told that none is kept."""
    key, named = (
        (record.tgid, record.start, record.exec_id),
        (record.parent_tgid, record.parent_start, record.parent_exec_id),
    )
    processes, image = scene.processes, known_path(record.image)
    parent = processes.parent_of(processes.current(record.tgid, record.start), named, maker_of(record.creator, named))
    made = ProcessImage(key, processes.machine, image, record.args, record.uid, record.cgroup_path, parent)
    processes.runs(made, record.time)
    return ()


def maker_of(creator: int, named: Numbers) -> Numbers | None:
    """Who made a process whose parent is `named`, as far as a brief record tells it."""
    return (0, 0, 0) if creator == CREATOR_OTHER else named if creator != CREATOR_UNKNOWN else None


def creator_of(record: ExecRecord) -> Numbers | None:
    """The image that made the process by fork; None if that was before the sensor ran."""
    start = record.creator_start
    return (record.creator_tgid, start, record.creator_exec_id) if start else None


def _process_create(
    record: ExecRecord, scene: Scene, made: ProcessImage, parent: ProcessImage | None, named: Numbers
) -> ProcessCreate:
    users, uid, tty = scene.users, record.uid, record.tty
    event = ProcessCreate(
        UtcTime=scene.utc(record.time),
        ProcessGuid=made.guid,
        ProcessId=record.tgid,
        Image=made.image,
        CommandLine=made.command_line,
        CurrentDirectory=directory_path(record.directory),
        User=users.name(uid),
        LogonGuid=scene.machine.logon_guid(uid, text(tty) if tty else ""),
        LogonId=str(uid),
        TerminalSessionId=record.session,
        IntegrityLevel=NO_LEVEL,
        ParentProcessGuid=parent.guid if parent is not None else scene.processes.guid(named),
        ParentProcessId=named[0],
    )
    if parent is not None:
        event.ParentImage = parent.image
        event.ParentCommandLine = parent.command_line
        event.ParentUser = _NONE if parent.uid is None else users.name(parent.uid)
    return event
