"""The life of a process: it starts a program, its program is tampered with, it ends."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, HexInt64, Pid, Text, Time, UInt32
from pysmon.schema.shape import SEQUENCE_NUMBER, Before


@event(
    id=1,
    symbol="SYSMONEVENT_CREATE_PROCESS",
    title="Process Create",
    rule="ProcessCreate",
    default="include",
    version=5,
    live=True,
    history=(Before("3.10", version=4, had=(SEQUENCE_NUMBER,)),),
)
class ProcessCreate(Event):
    """A process began to run a program.

    On Linux: execve or execveat succeeded. A fork without a new program makes no event; a process that runs several
    programs one after the other makes one event for each, with the same ProcessId and another ProcessGuid.
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    FileVersion: Text = field(since="4.0", default="-")
    Description: Text = field(since="4.0", default="-")
    Product: Text = field(since="4.0", default="-")
    Company: Text = field(since="4.0", default="-")
    OriginalFileName: Text = field(since="4.21", default="-")
    CommandLine: Text = field(
        "The command line. On Linux: the arguments with a space between each two, read by the kernel program when the"
        " program starts; what lies beyond 32 KiB is cut off. `-` if there are none.",
        default="-",
    )
    CurrentDirectory: Text = field("Working directory of the process.", default="-")
    User: Text = field(default="-")
    LogonGuid: Guid = field(
        "Identity of the login. On Linux: made from the machine id, the user id and the number of the terminal; it"
        " tells apart users and terminals, not the logins of one user that have none."
    )
    LogonId: HexInt64 = field("Number of the login: on Windows hex (`0x3e7`), on Linux the user id in decimal.")
    TerminalSessionId: UInt32 = field(
        "Session of the login: on Windows the terminal session, on Linux the audit session (4294967295 if there is"
        " none, as for services)."
    )
    IntegrityLevel: Text = field("`Low`, `Medium`, `High` or `System` on Windows; `no level` on Linux.", default="-")
    Hashes: Text = field(default="-")
    ParentProcessGuid: Guid = field(
        "ProcessGuid of the parent. On Linux: made from what the same kernel record says of the parent, never looked"
        " up by its id."
    )
    ParentProcessId: Pid = field(
        "Id of the parent. On Linux: of the parent at the moment of the exec; a process whose maker has ended belongs"
        " to init or to a subreaper by then."
    )
    ParentImage: Text = field("Program of the parent; `-` if the parent is not known.", default="-")
    ParentCommandLine: Text = field("Command line of the parent; `-` if the parent is not known.", default="-")
    ParentUser: Text = field("Account of the parent; `-` if the parent is not known.", since="4.80", default="-")


@event(
    id=5,
    symbol="SYSMONEVENT_PROCESS_TERMINATE",
    title="Process terminated",
    rule="ProcessTerminate",
    default="include",
    version=3,
    live=True,
    history=(Before("3.10", version=2, had=(SEQUENCE_NUMBER,)),),
)
class ProcessTerminate(Event):
    """A process ended.

    On Linux: the last thread of the process ended. It is made for every process, also for one that never ran a
    program of its own.
    """

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
    live=True,
)
class ProcessTampering(Event):
    """A process does not run the program that its file holds (hollowing, herpaderping).

    On Linux: a program was executed whose file has no name in any directory: made in memory (memfd_create), opened with
    O_TMPFILE, or deleted before it ran. ProcessCreate tells of it as well. Container runtimes start themselves so
    (`/memfd:runc_cloned`). Or a process changed what it runs: it passes for another file (prctl PR_SET_MM_EXE_FILE or
    PR_SET_MM_MAP), it made code that is mapped from a file writable (mprotect), or it mapped something else over its
    program (mmap, mremap). `Tampering` in JSON names which, `Module` the file; each is told once a minute for a
    process and a file. Libraries with text relocations and programs that patch themselves make such events, too.
    """

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    Type: Text = field(
        "How: `Image is replaced` or `Image is locked for access`. On Linux: the former, or `Code is made writable`"
        " for mprotect.",
        default="-",
    )
    User: Text = field(since="4.80", default="-")
