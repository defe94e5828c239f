"""Access records: ProcessAccess."""

from __future__ import annotations

from pysmon.assemble.call_trace import call_trace
from pysmon.assemble.paths import known_path
from pysmon.assemble.processes import Key
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import ProcessAccess
from pysmon.schema.event import Event
from pysmon.sensor.records import OPEN_MEMORY, READ, TAKE_DESCRIPTOR, WRITE, AccessRecord

_NONE = "-"
# Rights of Windows (winnt.h). Everybody may look up a few facts on everybody in /proc: that right is in every mask.
_CREATE_THREAD, _OPERATION, _READ, _WRITE, _DUPLICATE = 0x2, 0x8, 0x10, 0x20, 0x40
_QUERY, _SUSPEND, _QUERY_LIMITED = 0x400, 0x800, 0x1000
_READING, _WRITING = _READ | _QUERY_LIMITED, _WRITE | _OPERATION | _QUERY_LIMITED
_OF_DEBUGGERS = _READING | _WRITING | _CREATE_THREAD | _QUERY | _SUSPEND  # also of what is not known better
_RIGHTS = {READ: _READING, WRITE: _WRITING, TAKE_DESCRIPTOR: _DUPLICATE | _QUERY_LIMITED}
_TO_READ, _TO_WRITE = 1, 2  # AccessRecord.mode


def take_access(record: AccessRecord, scene: Scene) -> tuple[Event, ...]:
    """ProcessAccess. The record names the target by kernel facts; the process table may know its program better."""
    if 10 not in scene.wanted:
        return ()
    processes, users = scene.processes, scene.users
    source = processes.actor(record.tgid, record.start, record.exec_id)
    target = Key(record.target_tgid, record.target_start, record.target_exec_id)
    known = processes.get(*target)
    image = known.image if known else _NONE
    return (
        ProcessAccess(
            UtcTime=scene.utc(record.time),
            SourceProcessGUID=source.guid,
            SourceProcessId=record.tgid,
            SourceThreadId=record.tid,
            SourceImage=source.image,
            TargetProcessGUID=processes.guid(target),
            TargetProcessId=record.target_tgid,
            TargetImage=known_path(record.target_image) if image == _NONE else image,
            GrantedAccess=f"{granted(record.deed, record.mode):#x}",
            CallTrace=call_trace(record),
            SourceUser=users.name(record.uid),
            TargetUser=users.name(record.target_uid),
        ),
    )


def granted(deed: int, mode: int) -> int:
    """The mask of Windows that comes closest; `mode` is for what the memory was opened."""
    if deed == OPEN_MEMORY:
        return (_READING if mode & _TO_READ else 0) | (_WRITING if mode & _TO_WRITE else 0)
    return _RIGHTS.get(deed, _OF_DEBUGGERS)
