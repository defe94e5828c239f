"""One process that reaches into another, or past the file system."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, HexInt32, Pid, Text, Time, UInt32
from pysmon.schema.shape import SEQUENCE_NUMBER, Before


@event(
    id=8,
    symbol="SYSMONEVENT_CREATE_REMOTE_THREAD",
    title="CreateRemoteThread detected",
    rule="CreateRemoteThread",
    version=2,
    live=True,
    history=(Before("3.10", version=1, had=(SEQUENCE_NUMBER,)),),
)
class CreateRemoteThread(Event):
    """A process started a thread in another process.

    On Linux: no call does this. The event stands for what comes closest: code or data was written into another process
    (ptrace, process_vm_writev, a write to /proc/PID/mem), or a debugger made one of its threads go on elsewhere
    (registers set by ptrace to another instruction pointer). The first time is told at once; after that each pair of
    programs makes at most one event a minute for each way, and for memory that can be executed apart from other
    memory: `Times` in JSON counts what came since the last one, `Injection` names the way, `Region` and `RegionRights`
    what lies at the address. A process that writes to itself makes none, nor does reading (event 10 tells it), nor
    do registers that leave the instruction pointer as it is. Descriptors of /proc/PID/mem are known by any opening
    that was seen, where the kernel cannot be watched from inside; 32-bit calls are not seen.
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    SourceProcessGuid: Guid = field("Identity of the process that started the thread.")
    SourceProcessId: Pid = field("Id of the process that started the thread.")
    SourceImage: Text = field(default="-")
    TargetProcessGuid: Guid = field("Identity of the process in which the thread runs.")
    TargetProcessId: Pid = field("Id of the process in which the thread runs.")
    TargetImage: Text = field(default="-")
    NewThreadId: UInt32 = field(
        "Id of the new thread. On Linux: of the thread by which the process was reached: the one that was stopped, or"
        " that the call named."
    )
    StartAddress: Text = field(
        "Where the thread begins: an address in hex. On Linux: where the thread goes on, or where the first byte was"
        " written.",
        since="3.10",
        default="-",
    )
    StartModule: Text = field(
        "The loaded file in which StartAddress lies, if there is one. On Linux: `-` for memory of no file (heap,"
        " stack, anonymous), and before Linux 6.1.",
        since="3.10",
        default="-",
    )
    StartFunction: Text = field(
        "The exported function at StartAddress, if there is one. On Linux: by the file's symbol tables, `name+0x1f`"
        " inside of it; `-` if they have none there or the file is gone, and JSON says why in `StartFunctionSkipped`.",
        since="3.10",
        default="-",
    )
    SourceUser: Text = field(since="4.80", default="-")
    TargetUser: Text = field(since="4.80", default="-")


@event(
    id=9,
    symbol="SYSMONEVENT_RAWACCESS_READ",
    title="RawAccessRead detected",
    rule="RawAccessRead",
    version=2,
    since="3.10",
    live=True,
)
class RawAccessRead(Event):
    r"""A process opened a disk itself (`\\.\C:`) and so can read files past the file system.

    On Linux: a block device was opened to be read, or /dev/mem, /dev/kmem, /dev/port or /proc/kcore. The kind and the
    number of the device count, not its name. Where the kernel is watched from inside, the event says that the opening
    was allowed; the driver may still refuse it.
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    Device: Text = field(
        "The device: `\\Device\\HarddiskVolume2`, on Linux `/dev/sda1`, the path by which it was opened.", default="-"
    )
    User: Text = field(since="4.80", default="-")


@event(
    id=10,
    symbol="SYSMONEVENT_ACCESS_PROCESS",
    title="Process accessed",
    rule="ProcessAccess",
    version=3,
    since="3.10",
    live=True,
    history=(Before("3.10", id=0xF003, version=2, had=(SEQUENCE_NUMBER,)),),
)
class ProcessAccess(Event):
    """A process opened another one, with rights to read or change it.

    On Linux: the kernel granted the access that debuggers have: ptrace attached or seized, process_vm_readv or
    process_vm_writev reached into memory, /proc/PID/mem was opened, pidfd_getfd copied a descriptor. Reading and
    writing make one event a minute for each pair of programs and each of the two. What everybody may read in /proc
    makes none, nor does a process that asks to be traced by its parent (PTRACE_TRACEME).
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    SourceProcessGUID: Guid = field("Identity of the process that asked. Mind the spelling: `GUID` in this event.")
    SourceProcessId: Pid = field("Id of the process that asked.")
    SourceThreadId: UInt32 = field("Id of the thread that asked.")
    SourceImage: Text = field(default="-")
    TargetProcessGUID: Guid = field("Identity of the process that was opened. Mind the spelling: `GUID` in this event.")
    TargetProcessId: Pid = field("Id of the process that was opened.")
    TargetImage: Text = field(default="-")
    GrantedAccess: HexInt32 = field(
        "The rights that were given, as a mask: `0x1410`. On Linux: the rights of Windows that come closest. `0x1010`"
        " (VM_READ) for process_vm_readv and for memory opened to be read, `0x1028` (VM_WRITE, VM_OPERATION) for"
        " process_vm_writev and for memory opened to be written, `0x1038` for both, `0x1040` (DUP_HANDLE) for"
        " pidfd_getfd, `0x1c3a` (these and CREATE_THREAD, SUSPEND_RESUME, QUERY_INFORMATION) for ptrace and for"
        " what is not told apart (a 32-bit call, io_uring). QUERY_LIMITED_INFORMATION is in each: on Linux everybody"
        " has it."
    )
    CallTrace: Text = field(
        "From where in the code the call came: `file+offset` for each frame, with `|` between them; `UNKNOWN` for code"
        " that belongs to no file. On Linux: the offset is that in the file, in hex; at most 16 frames. The"
        " stack is walked by frame pointers, without which most programs are built: then the first frame holds, and"
        " others are missing; what lies in no code at all is left out; `-` if nothing is left. Before Linux 6.1 all are"
        " `UNKNOWN`.",
        default="-",
    )
    SourceUser: Text = field(since="4.80", default="-")
    TargetUser: Text = field(since="4.80", default="-")
