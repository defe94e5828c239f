"""Files that appear and change."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time
from pysmon.schema.shape import SEQUENCE_NUMBER, Before
from pysmon.schema.words import WHEN_TOLD


@event(
    id=2,
    symbol="SYSMONEVENT_FILE_TIME",
    title="File creation time changed",
    rule="FileCreateTime",
    version=5,
    live=True,
    history=(Before("4.32", version=4), Before("3.10", version=3, had=(SEQUENCE_NUMBER,))),
)
class FileCreateTime(Event):
    """A process changed the creation time of a file.

    On Linux: a process set the modification time (utimensat, futimesat, utimes, utime) to another one than stood there;
    a creation time cannot be set. A touch to the present time makes none, nor do writes. Copying with times kept
    (`cp -p`, `tar`) does. Seen inside the kernel; where that is not allowed, since Linux 6.13 and on file systems that
    set the change time first (ext4, xfs, btrfs, tmpfs).
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    CreationUtcTime: Time = field("The time that was set, in UTC. On Linux: the modification time.")
    PreviousCreationUtcTime: Time = field("The time that stood there before, in UTC. On Linux: the modification time.")
    User: Text = field(since="4.80", default="-")


@event(
    id=11,
    symbol="SYSMONEVENT_FILE_CREATE",
    title="File created",
    rule="FileCreate",
    default="exclude",
    version=2,
    since="3.20",
    live=True,
    history=(Before("3.40", stated_default="include"),),
)
class FileCreate(Event):
    """A file was created or overwritten.

    On Linux: a file came to a name: open made it, rename moved it there, or link gave it another name; so did
    a symbolic link, whatever it leads to. The opening of a file that exists makes no event, not even if it is cut to
    nothing.
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetFilename: Text = field(
        "Full path of the file. On Linux: from the kernel's own objects where the hook has them, else what the process"
        " asked for, joined to its directory; `-` if that could not be read.",
        default="-",
    )
    CreationUtcTime: Time = field(
        "When the file was created, in UTC. On Linux: the same as UtcTime for a file that open made; for one that was"
        " renamed or linked, what its file system knows, else UtcTime."
    )
    User: Text = field(since="4.80", default="-")


@event(
    id=15,
    symbol="SYSMONEVENT_FILE_CREATE_STREAM_HASH",
    title="File stream created",
    rule="FileCreateStreamHash",
    default="exclude",
    version=2,
    since="3.20",
    live=True,
    history=(Before("4.0", stated_default="include"),),
)
class FileCreateStreamHash(Event):
    """A named stream was added to a file, such as the mark of a download (`Zone.Identifier`).

    On Linux: a process gave a file an extended attribute of the namespace `user` (setxattr, lsetxattr, fsetxattr,
    setxattrat), as browsers mark downloads with `user.xdg.origin.url`. An attribute that is set anew makes one, too;
    its removal makes none, nor do `security`, `trusted` and `system`.
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetFilename: Text = field(
        "Path of the file and name of the stream: `C:\\a.exe:Zone.Identifier`. On Linux: the path and the attribute,"
        " `/tmp/a:user.xdg.origin.url`; the path from the kernel's own objects where the hook has them, else what the"
        " process asked for, joined to its directory; `-` if that could not be read.",
        default="-",
    )
    CreationUtcTime: Time = field(
        "When the file was created, in UTC. On Linux: what its file system knows, else UtcTime."
    )
    Hash: Text = field(
        "Digests of the stream that TargetFilename names, written as Hashes are. On Linux: of the attribute's value;"
        " `Unknown` if it is longer than 4096 bytes; `-` in the replay of a tape. `IMPHASH` is left out.",
        default="-",
    )
    Contents: Text = field(
        "Text of the stream if it is below 1 KB, on one line. On Linux: `-` also if it is no text (UTF-8).",
        since="4.31",
        default="-",
    )
    User: Text = field(since="4.80", default="-")


@event(
    id=29,
    symbol="SYSMONEVENT_FILE_EXE_DETECTED",
    title="File Executable Detected",
    rule="FileExecutableDetected",
    version=5,
    since="4.90",
    target="windows",
    live=True,
)
class FileExecutableDetected(Event):
    """A process wrote a file whose content is a program.

    On Linux: the file was closed after it was open to be written, and its content begins as that of an ELF file, a
    script (`#!`), a PE file or WebAssembly. Which file systems are watched: docs/files.md.
    """

    RuleName: Text = field(default="-")
    UtcTime: Time = field(WHEN_TOLD)
    ProcessGuid: Guid
    ProcessId: Pid
    User: Text = field(default="-")
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    Hashes: Text = field(default="-")
