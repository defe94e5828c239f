"""Files that are removed."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Boolean, Guid, Pid, Text, Time


@event(
    id=23,
    symbol="SYSMONEVENT_FILE_DELETE",
    title="File Delete archived",
    rule="FileDelete",
    version=5,
    since="4.30",
)
class FileDelete(Event):
    """File Delete archived."""

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    User: Text = field(default="-")
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    Hashes: Text = field(default="-")
    IsExecutable: Boolean
    Archived: Text = field(default="-")


@event(
    id=26,
    symbol="SYSMONEVENT_FILE_DELETE_DETECTED",
    title="File Delete logged",
    rule="FileDeleteDetected",
    version=5,
    since="4.60",
)
class FileDeleteDetected(Event):
    """File Delete logged."""

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    User: Text = field(default="-")
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    Hashes: Text = field(default="-")
    IsExecutable: Boolean
