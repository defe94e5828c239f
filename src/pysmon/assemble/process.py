"""Process records: they keep the process table, and make ProcessCreate and ProcessTerminate."""

from __future__ import annotations

from pysmon.assemble.paths import DELETED, directory_path, known_path, text
from pysmon.assemble.processes import Numbers, ProcessImage
from pysmon.assemble.scene import Scene
from pysmon.assemble.tampering import tampering
from pysmon.layout.selection import members_of
from pysmon.schema.catalogue import ProcessCreate, ProcessTerminate
from pysmon.schema.event import Event
from pysmon.sensor.records import ExecRecord, ExitRecord, ForkRecord, TaskRecord

_NO_LEVEL = "no level"  # Linux has no integrity levels; Sysmon writes these words
_NONE = "-"

_KEY, _PARENT_KEY = ("tgid", "start", "exec_id"), ("parent_tgid", "parent_start", "parent_exec_id")
_FORKED = members_of(ForkRecord, *_KEY, "uid", "time")
_FORKED_BY = members_of(ForkRecord, *_PARENT_KEY)
_RUNS = members_of(ExecRecord, *_KEY, "time", "uid", "links", "image", "args", "cgroup_path")
_PARENT = members_of(ExecRecord, *_PARENT_KEY)
_CREATOR = members_of(ExecRecord, "creator_tgid", "creator_start", "creator_exec_id")
_CREATED = members_of(ExecRecord, "time", "uid", "session", "directory", "tty")
_ENDED = members_of(ExitRecord, *_KEY, "uid", "time")


def take_fork(record: ForkRecord, scene: Scene) -> tuple[Event, ...]:
    """Enter the child; no event."""
    tgid, start, exec_id, uid, time = _FORKED(record)
    scene.processes.forked((tgid, start, exec_id), _FORKED_BY(record), uid, time)
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
    tgid, start, exec_id, uid, time = _ENDED(record)
    image = scene.processes.ended((tgid, start, exec_id), time)
    if image is None or 5 not in scene.wanted:
        return ()
    return (
        ProcessTerminate(
            UtcTime=scene.utc(time),
            ProcessGuid=image.guid,
            ProcessId=tgid,
            Image=image.image,
            User=scene.users.name(uid),
        ),
    )


def take_exec(record: ExecRecord, scene: Scene) -> tuple[Event, ...]:
    """Enter the new program: ProcessCreate, and ProcessTampering if its file has no name."""
    processes = scene.processes
    tgid, start, exec_id, time, uid, links, image, args, cgroup_path = _RUNS(record)
    named: Numbers = _PARENT(record)
    parent = processes.parent_of(processes.current(tgid, start), named, creator_of(record))
    path = known_path(image) if links else known_path(image) + DELETED
    made = ProcessImage((tgid, start, exec_id), processes.machine, path, args, uid, cgroup_path, parent)
    processes.runs(made, time)
    tampered = () if links else tampering(record, scene, made)
    return (_process_create(record, scene, made, parent, named), *tampered) if 1 in scene.wanted else tampered


def creator_of(record: ExecRecord) -> Numbers | None:
    """The image that made the process by fork; None if that was before the sensor ran."""
    creator: Numbers = _CREATOR(record)
    return creator if creator[1] else None


def _process_create(
    record: ExecRecord, scene: Scene, made: ProcessImage, parent: ProcessImage | None, named: Numbers
) -> ProcessCreate:
    users, (time, uid, session, directory, tty) = scene.users, _CREATED(record)
    event = ProcessCreate(
        UtcTime=scene.utc(time),
        ProcessGuid=made.guid,
        ProcessId=made.key[0],
        Image=made.image,
        CommandLine=made.command_line,
        CurrentDirectory=directory_path(directory),
        User=users.name(uid),
        LogonGuid=scene.machine.logon_guid(uid, text(tty)),
        LogonId=str(uid),
        TerminalSessionId=session,
        IntegrityLevel=_NO_LEVEL,
        ParentProcessGuid=parent.guid if parent is not None else scene.processes.guid(named),
        ParentProcessId=named[0],
    )
    if parent is not None:
        event.ParentImage = parent.image
        event.ParentCommandLine = parent.command_line
        event.ParentUser = _NONE if parent.uid is None else users.name(parent.uid)
    return event
