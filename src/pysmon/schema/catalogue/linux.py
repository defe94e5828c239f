"""What only Linux has."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time, UInt32


@event(
    id=100,
    symbol="SYSMONEVENT_EBPF_EVENT",
    title="eBPF Program Loaded",
    rule="eBPFEvent",
    version=1,
    since="4.90",
)
class EbpfEvent(Event):
    """eBPF Program Loaded."""

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    User: Text = field(default="-")
    BpfCommand: Text = field(default="-")
    BpfProgramType: Text = field(default="-")
    BpfProgramId: UInt32
    BpfProgramName: Text = field(default="-")
