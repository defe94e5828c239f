"""One process reaching into another, or past the file system."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, HexInt32, Pid, Text, Time, UInt32


@event(
    id=8,
    symbol="SYSMONEVENT_CREATE_REMOTE_THREAD",
    title="CreateRemoteThread detected",
    rule="CreateRemoteThread",
    version=2,
)
class CreateRemoteThread(Event):
    """CreateRemoteThread detected."""

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    SourceProcessGuid: Guid
    SourceProcessId: Pid
    SourceImage: Text = field(default="-")
    TargetProcessGuid: Guid
    TargetProcessId: Pid
    TargetImage: Text = field(default="-")
    NewThreadId: UInt32
    StartAddress: Text = field(since="3.10", default="-")
    StartModule: Text = field(since="3.10", default="-")
    StartFunction: Text = field(since="3.10", default="-")
    SourceUser: Text = field(since="4.80", default="-")
    TargetUser: Text = field(since="4.80", default="-")


@event(
    id=9,
    symbol="SYSMONEVENT_RAWACCESS_READ",
    title="RawAccessRead detected",
    rule="RawAccessRead",
    version=2,
    since="3.10",
)
class RawAccessRead(Event):
    """RawAccessRead detected."""

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    Device: Text = field(default="-")
    User: Text = field(since="4.80", default="-")


@event(
    id=10,
    symbol="SYSMONEVENT_ACCESS_PROCESS",
    title="Process accessed",
    rule="ProcessAccess",
    version=3,
    since="3.10",
)
class ProcessAccess(Event):
    """Process accessed."""

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    SourceProcessGUID: Guid
    SourceProcessId: Pid
    SourceThreadId: UInt32
    SourceImage: Text = field(default="-")
    TargetProcessGUID: Guid
    TargetProcessId: Pid
    TargetImage: Text = field(default="-")
    GrantedAccess: HexInt32
    CallTrace: Text = field(default="-")
    SourceUser: Text = field(since="4.80", default="-")
    TargetUser: Text = field(since="4.80", default="-")
