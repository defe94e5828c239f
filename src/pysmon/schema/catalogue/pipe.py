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
    live=True,
)
class PipeCreate(Event):
    """A named pipe was made.

    On Linux: a FIFO was made (mkfifo), or a Unix socket was bound to a name, of a file or an abstract one. JSON adds
    which of them it is (`PipeType`). Pipes and pairs of sockets without a name make none.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`CreatePipe`.", since="4.21", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    PipeName: Text = field(
        "Name of the pipe. On Linux: the path of the FIFO or the socket; for an abstract socket `@` and its name.",
        default="-",
    )
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
    live=True,
)
class PipeConnect(Event):
    """A process connected to a named pipe.

    On Linux: a process connected to a Unix socket that has a name, or opened a FIFO while another process had it open.
    Of two that open a FIFO and wait for each other, the one that is seen last is told. JSON adds the other end
    (`PeerProcessGuid`, `PeerProcessId`, `PeerImage`) where the kernel knows it: for a socket the process that listens,
    under systemd that may be systemd; for a FIFO the process that opened it last before. A datagram that is sent
    without a connection makes none. Without fexit (see `doctor`), io_uring and 32-bit system calls are not seen.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`ConnectPipe`.", since="4.21", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    PipeName: Text = field("Name of the pipe. On Linux: as for event 17.", default="-")
    Image: Text = field(default="-")
    User: Text = field(since="4.80", default="-")
