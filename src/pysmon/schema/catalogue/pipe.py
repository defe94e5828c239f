"""Named pipes."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time


@event(
    id=17,
    symbol="SYSMONEVENT_CREATE_NAMEDPIPE",
    title="Pipe Created",
    rule="PipeEvent",
    version=1,
    since="3.30",
)
class PipeCreate(Event):
    """Pipe Created."""

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field(since="4.21", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    PipeName: Text = field(default="-")
    Image: Text = field(default="-")
    User: Text = field(since="4.80", default="-")


@event(
    id=18,
    symbol="SYSMONEVENT_CONNECT_NAMEDPIPE",
    title="Pipe Connected",
    rule="PipeEvent",
    version=1,
    since="3.30",
)
class PipeConnect(Event):
    """Pipe Connected."""

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field(since="4.21", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    PipeName: Text = field(default="-")
    Image: Text = field(default="-")
    User: Text = field(since="4.80", default="-")
