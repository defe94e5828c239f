"""Files that are removed."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Boolean, Guid, Pid, Text, Time
from pysmon.schema.shape import SEQUENCE_NUMBER, Before


@event(
    id=23,
    symbol="SYSMONEVENT_FILE_DELETE",
    title="File Delete archived",
    rule="FileDelete",
    version=5,
    since="4.30",
    live=True,
    history=(
        Before("4.60", title="File Delete"),
        Before("4.30", id=0xF001, had_not=("User", "IsExecutable")),
        Before("4.10", had_not=("RuleName",)),
        Before("3.10", tag="", version=4, had=(SEQUENCE_NUMBER,)),
    ),
)
class FileDelete(Event):
    """A file was removed, and a copy was kept in the archive directory.

    On Linux: a name of a file was removed (unlink). What is in it is known where its file system is watched and the
    file was written or run meanwhile (docs/files.md); else Hashes and IsExecutable are `-`. Archived is `true`, `false`
    with the reason, or `-` if there is no archive. The same removal also makes a FileDeleteDetected; each is judged by
    the rules of its own tag.
    """

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    User: Text = field(default="-")
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    Hashes: Text = field(default="-")
    IsExecutable: Boolean = field(default=None)
    Archived: Text = field(default="-")


@event(
    id=26,
    symbol="SYSMONEVENT_FILE_DELETE_DETECTED",
    title="File Delete logged",
    rule="FileDeleteDetected",
    version=5,
    since="4.60",
    live=True,
)
class FileDeleteDetected(Event):
    """A file was removed; no copy was kept.

    On Linux: a name of a file was removed (unlink). Hashes and IsExecutable as for FileDelete, if rules ask for them or
    for FileDelete (docs/files.md). The same removal also makes a FileDelete; each is judged by its own rules.
    """

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    User: Text = field(default="-")
    Image: Text = field(default="-")
    TargetFilename: Text = field(default="-")
    Hashes: Text = field(default="-")
    IsExecutable: Boolean = field(default=None)
