"""Named pipes. The two events share one tag, PipeEvent."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time


@event(
    id=17,
    symbol="SYSMONEVENT_CREATE_NAMEDPIPE",
    title="Pipe Created",
    rule="PipeEvent",
    default="exclude",
    version=1,
    since="3.30",
)
class PipeCreate(Event):
    """A named pipe was made.

    On Linux: not produced yet. What comes closest is a FIFO or a listening Unix socket.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`CreatePipe`.", since="4.21", default="-")
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
    default="exclude",
    version=1,
    since="3.30",
)
class PipeConnect(Event):
    """A process connected to a named pipe.

    On Linux: not produced yet. What comes closest is the opening of a FIFO or a connection to a Unix socket.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`ConnectPipe`.", since="4.21", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    PipeName: Text = field(default="-")
    Image: Text = field(default="-")
    User: Text = field(since="4.80", default="-")
