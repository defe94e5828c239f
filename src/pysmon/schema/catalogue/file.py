"""Files that appear and change."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time


@event(
    id=2,
    symbol="SYSMONEVENT_FILE_TIME",
    title="File creation time changed",
    rule="FileCreateTime",
    version=5,
)
class FileCreateTime(Event):
    """File creation time changed."""

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    CreationUtcTime: Time
    PreviousCreationUtcTime: Time
    User: Text = field(since="4.80", default="-")


@event(
    id=11,
    symbol="SYSMONEVENT_FILE_CREATE",
    title="File created",
    rule="FileCreate",
    version=2,
    since="3.20",
)
class FileCreate(Event):
    """File created."""

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    CreationUtcTime: Time
    User: Text = field(since="4.80", default="-")


@event(
    id=15,
    symbol="SYSMONEVENT_FILE_CREATE_STREAM_HASH",
    title="File stream created",
    rule="FileCreateStreamHash",
    version=2,
    since="3.20",
)
class FileCreateStreamHash(Event):
    """File stream created."""

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    CreationUtcTime: Time
    Hash: Text = field(default="-")
    Contents: Text = field(since="4.31", default="-")
    User: Text = field(since="4.80", default="-")


@event(
    id=29,
    symbol="SYSMONEVENT_FILE_EXE_DETECTED",
    title="File Executable Detected",
    rule="FileExecutableDetected",
    version=5,
    since="4.90",
)
class FileExecutableDetected(Event):
    """File Executable Detected."""

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    User: Text = field(default="-")
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    Hashes: Text = field(default="-")
