"""What is done to files and stopped."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Boolean, Guid, Pid, Text, Time


@event(
    id=27,
    symbol="SYSMONEVENT_FILE_BLOCK_EXE",
    title="File Block Executable",
    rule="FileBlockExecutable",
    version=5,
    since="4.82",
)
class FileBlockExecutable(Event):
    """File Block Executable."""

    RuleName: Text = field(since="4.90", default="-")
    UtcTime: Time = field(since="4.90")
    ProcessGuid: Guid = field(since="4.90")
    ProcessId: Pid = field(since="4.90")
    User: Text = field(since="4.90", default="-")
    Image: Text = field(since="4.90", default="-")
    TargetFilename: Text = field(since="4.90", default="-")
    Hashes: Text = field(since="4.90", default="-")


@event(
    id=28,
    symbol="SYSMONEVENT_FILE_BLOCK_SHREDDING",
    title="File Block Shredding",
    rule="FileBlockShredding",
    version=5,
    since="4.83",
)
class FileBlockShredding(Event):
    """File Block Shredding."""

    RuleName: Text = field(since="4.90", default="-")
    UtcTime: Time = field(since="4.90")
    ProcessGuid: Guid = field(since="4.90")
    ProcessId: Pid = field(since="4.90")
    User: Text = field(since="4.90", default="-")
    Image: Text = field(since="4.90", default="-")
    TargetFilename: Text = field(since="4.90", default="-")
    Hashes: Text = field(since="4.90", default="-")
    IsExecutable: Boolean = field(since="4.90")
