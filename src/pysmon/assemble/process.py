"""Process records: they keep the process table, and make ProcessCreate and ProcessTerminate."""

from __future__ import annotations

from pysmon.assemble.paths import DELETED, command_line, directory_path, known_path, text
from pysmon.assemble.processes import Key, ProcessImage
from pysmon.assemble.scene import Scene
from pysmon.assemble.tampering import tampering
from pysmon.schema.catalogue import ProcessCreate, ProcessTerminate
from pysmon.schema.event import Event
from pysmon.sensor.records import ExecRecord, ExitRecord, ForkRecord, TaskRecord

_NO_LEVEL = "no level"  # Linux has no integrity levels; Sysmon writes these words
_NONE = "-"


def take_fork(record: ForkRecord, scene: Scene) -> tuple[Event, ...]:
    """Enter the child; no event."""
    child = Key(record.tgid, record.start, record.exec_id)
    parent = Key(record.parent_tgid, record.parent_start, record.parent_exec_id)
    scene.processes.forked(child, parent, record.uid, record.time)
    return ()


def take_task(record: TaskRecord, scene: Scene) -> tuple[Event, ...]:
    """Enter a process that was there before; no event."""
    processes = scene.processes
    key = Key(record.tgid, record.start, record.exec_id)
    texts = known_path(record.image), command_line(record.args)
    made = ProcessImage(key, processes.machine, *texts, record.uid, record.cgroup_path)
    processes.found(made, record.time)
    return ()


def take_exit(record: ExitRecord, scene: Scene) -> tuple[Event, ...]:
    """Retire the process: ProcessTerminate."""
    image = scene.processes.ended(Key(record.tgid, record.start, record.exec_id), record.time)
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
    processes = scene.processes
    tgid, start, time = record.tgid, record.start, record.time
    named = Key(record.parent_tgid, record.parent_start, record.parent_exec_id)
    parent = processes.parent_of(processes.current(tgid, start), named, creator_of(record))
    key = Key(tgid, start, record.exec_id)
    made = ProcessImage(
        key,
        processes.machine,
        image_of(record),
        command_line(record.args),
        record.uid,
        record.cgroup_path,
        parent,
    )
    processes.runs(made, time)
    tampered = tampering(record, scene, made)
    return (_process_create(record, scene, made, parent, named), *tampered) if 1 in scene.wanted else tampered


def creator_of(record: ExecRecord) -> Key | None:
    """The image that made the process by fork; None if that was before the sensor ran."""
    started = record.creator_start
    return Key(record.creator_tgid, started, record.creator_exec_id) if started else None


def image_of(record: ExecRecord) -> str:
    """The program's path in its mount namespace."""
    path = known_path(record.image)
    return path if record.links else path + DELETED


def _process_create(
    record: ExecRecord, scene: Scene, made: ProcessImage, parent: ProcessImage | None, named: Key
) -> ProcessCreate:
    users, uid = scene.users, record.uid
    event = ProcessCreate(
        UtcTime=scene.utc(record.time),
        ProcessGuid=made.guid,
        ProcessId=record.tgid,
        Image=made.image,
        CommandLine=made.command_line,
        CurrentDirectory=directory_path(record.directory),
        User=users.name(uid),
        LogonGuid=scene.machine.logon_guid(uid, text(record.tty)),
        LogonId=str(uid),
        TerminalSessionId=record.session,
        IntegrityLevel=_NO_LEVEL,
        ParentProcessGuid=parent.guid if parent is not None else scene.processes.guid(named),
        ParentProcessId=named.tgid,
    )
    if parent is not None:
        event.ParentImage = parent.image
        event.ParentCommandLine = parent.command_line
        event.ParentUser = _NONE if parent.uid is None else users.name(parent.uid)
    return event
