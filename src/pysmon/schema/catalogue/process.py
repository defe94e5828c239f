"""The life of a process."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, HexInt64, Pid, Text, Time, UInt32


@event(
    id=1,
    symbol="SYSMONEVENT_CREATE_PROCESS",
    title="Process Create",
    rule="ProcessCreate",
    on_by_default=True,
    version=5,
)
class ProcessCreate(Event):
    """Process Create."""

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    FileVersion: Text = field(since="4.00", default="-")
    Description: Text = field(since="4.00", default="-")
    Product: Text = field(since="4.00", default="-")
    Company: Text = field(since="4.00", default="-")
    OriginalFileName: Text = field(since="4.21", default="-")
    CommandLine: Text = field(default="-")
    CurrentDirectory: Text = field(default="-")
    User: Text = field(default="-")
    LogonGuid: Guid
    LogonId: HexInt64
    TerminalSessionId: UInt32
    IntegrityLevel: Text = field(default="-")
    Hashes: Text = field(default="-")
    ParentProcessGuid: Guid
    ParentProcessId: Pid
    ParentImage: Text = field(default="-")
    ParentCommandLine: Text = field(default="-")
    ParentUser: Text = field(since="4.80", default="-")


@event(
    id=5,
    symbol="SYSMONEVENT_PROCESS_TERMINATE",
    title="Process terminated",
    rule="ProcessTerminate",
    on_by_default=True,
    version=3,
)
class ProcessTerminate(Event):
    """Process terminated."""

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    User: Text = field(since="4.80", default="-")


@event(
    id=25,
    symbol="SYSMONEVENT_PROCESS_IMAGE_TAMPERING",
    title="Process Tampering",
    rule="ProcessTampering",
    version=5,
    since="4.50",
)
class ProcessTampering(Event):
    """Process Tampering."""

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    Type: Text = field(default="-")
    User: Text = field(since="4.80", default="-")
