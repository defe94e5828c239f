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
    history=(Before("3.10", version=1, had=(SEQUENCE_NUMBER,)),),
)
class CreateRemoteThread(Event):
    """A process started a thread in another process.

    On Linux: not produced yet. No call does this there; what comes closest is writing into another process's memory
    or registers (ptrace, process_vm_writev, /proc/PID/mem).
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    SourceProcessGuid: Guid = field("Identity of the process that started the thread.")
    SourceProcessId: Pid = field("Id of the process that started the thread.")
    SourceImage: Text = field(default="-")
    TargetProcessGuid: Guid = field("Identity of the process in which the thread runs.")
    TargetProcessId: Pid = field("Id of the process in which the thread runs.")
    TargetImage: Text = field(default="-")
    NewThreadId: UInt32 = field("Id of the new thread.")
    StartAddress: Text = field("Where the thread begins: an address in hex.", since="3.10", default="-")
    StartModule: Text = field("The loaded file in which StartAddress lies, if there is one.", since="3.10", default="-")
    StartFunction: Text = field("The exported function at StartAddress, if there is one.", since="3.10", default="-")
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
        " that belongs to no file. On Linux: `-`; most programs are built without the frame pointers that a walk"
        " through the stack needs.",
        default="-",
    )
    SourceUser: Text = field(since="4.80", default="-")
    TargetUser: Text = field(since="4.80", default="-")
