"""What was about to be done to a file and was stopped."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Boolean, Guid, Pid, Text, Time
from pysmon.schema.words import WHEN_TOLD


@event(
    id=27,
    symbol="SYSMONEVENT_FILE_BLOCK_EXE",
    title="File Block Executable",
    rule="FileBlockExecutable",
    version=5,
    since="4.82",
    target="windows",
    live=True,
)
class FileBlockExecutable(Event):
    """A process was kept from creating a file whose content is a program.

    On Linux: the file was written and closed, and is judged before it can be run: running it is refused (EPERM), and it
    is removed. Which content is a program, and which file systems are watched: docs/files.md.
    """

    RuleName: Text = field(default="-")
    UtcTime: Time = field(WHEN_TOLD)
    ProcessGuid: Guid
    ProcessId: Pid
    User: Text = field(default="-")
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    Hashes: Text = field(default="-")


@event(
    id=28,
    symbol="SYSMONEVENT_FILE_BLOCK_SHREDDING",
    title="File Block Shredding",
    rule="FileBlockShredding",
    version=5,
    since="4.83",
    target="windows",
    live=True,
)
class FileBlockShredding(Event):
    """A process was kept from overwriting a file before removing it, as shredders do.

    On Linux: opening a file that has content, to write over it, is refused (EPERM); emptying it first, or appending,
    is not. The rules decide whom that concerns: ask for the images of shredders. See docs/files.md.
    """

    RuleName: Text = field(default="-")
    UtcTime: Time = field(WHEN_TOLD)
    ProcessGuid: Guid
    ProcessId: Pid
    User: Text = field(default="-")
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    Hashes: Text = field(default="-")
    IsExecutable: Boolean = field(default=None)
