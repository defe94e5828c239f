"""Program records: EbpfEvent."""

from __future__ import annotations

from pysmon.assemble.paths import text
from pysmon.assemble.scene import Scene
from pysmon.schema.catalogue import EbpfEvent
from pysmon.schema.event import Event
from pysmon.sensor.records import ProgramRecord

_NONE = "-"
_COMMANDS = {5: "BPF_PROG_LOAD", 8: "BPF_PROG_ATTACH", 17: "BPF_RAW_TRACEPOINT_OPEN", 28: "BPF_LINK_CREATE"}
_TYPES = (  # in the order of linux/bpf.h, which gives them their numbers
    *("UNSPEC", "SOCKET_FILTER", "KPROBE", "SCHED_CLS", "SCHED_ACT", "TRACEPOINT", "XDP", "PERF_EVENT", "CGROUP_SKB"),
    *("CGROUP_SOCK", "LWT_IN", "LWT_OUT", "LWT_XMIT", "SOCK_OPS", "SK_SKB", "CGROUP_DEVICE", "SK_MSG"),
    *("RAW_TRACEPOINT", "CGROUP_SOCK_ADDR", "LWT_SEG6LOCAL", "LIRC_MODE2", "SK_REUSEPORT", "FLOW_DISSECTOR"),
    *("CGROUP_SYSCTL", "RAW_TRACEPOINT_WRITABLE", "CGROUP_SOCKOPT", "TRACING", "STRUCT_OPS", "EXT", "LSM"),
    *("SK_LOOKUP", "SYSCALL", "NETFILTER"),
)


def take_program(record: ProgramRecord, scene: Scene) -> tuple[Event, ...]:
    """EbpfEvent; a type that is newer than this file is told by its number."""
    if 100 not in scene.wanted:
        return ()
    actor = scene.processes.actor(record.tgid, record.start, record.exec_id)
    return (
        EbpfEvent(
            UtcTime=scene.utc(record.time),
            ProcessGuid=actor.guid,
            ProcessId=record.tgid,
            Image=actor.image,
            User=scene.users.name(record.uid),
            BpfCommand=_COMMANDS.get(record.command, str(record.command)),
            BpfProgramType=_TYPES[record.type] if record.type < len(_TYPES) else str(record.type),
            BpfProgramId=record.id,
            BpfProgramName=text(record.name) or _NONE,
        ),
    )
