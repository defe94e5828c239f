"""What only Linux has; Sysmon numbers such events from 100."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time, UInt32


@event(
    id=100,
    symbol="SYSMONEVENT_EBPF_EVENT",
    title="eBPF Program Loaded",
    rule="eBPFEvent",
    default="exclude",
    version=1,
    since="4.90",
    target="linux",
    live=True,
)
class EbpfEvent(Event):
    """A process loaded a BPF program into the kernel.

    On Linux: also the attaching of one, where bpf(2) does it; BpfCommand tells which it was. A program that is attached
    by other ways (to a perf event or a network device) makes the event of its loading alone.
    """

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    User: Text = field(default="-")
    BpfCommand: Text = field(
        "Command of bpf(2): `BPF_PROG_LOAD`; for attaching `BPF_LINK_CREATE`, `BPF_RAW_TRACEPOINT_OPEN` or"
        " `BPF_PROG_ATTACH`.",
        default="-",
    )
    BpfProgramType: Text = field(
        "Type of the program, as in linux/bpf.h without `BPF_PROG_TYPE_`: `KPROBE`; a number if it is newer than"
        " pysmon.",
        default="-",
    )
    BpfProgramId: UInt32 = field("Number that the kernel gave the program.")
    BpfProgramName: Text = field("Name of the program, at most 15 characters; `-` if it has none.", default="-")
