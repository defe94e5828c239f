"""The clipboard."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import TEXT, Guid, Pid, Text, Time, UInt32
from pysmon.schema.shape import SEQUENCE_NUMBER, Before, Gone


@event(
    id=24,
    symbol="SYSMONEVENT_CLIPBOARD",
    title="Clipboard changed",
    rule="ClipboardChange",
    version=5,
    since="4.40",
    history=(
        Before("4.40", id=0xF002, had=(Gone("Path", TEXT, "Hashes"),)),
        Before("4.10", had_not=("RuleName",)),
        Before("3.20", had_not=("Path",)),
        Before(
            "3.10",
            tag="",
            version=4,
            had=(Gone("Path", TEXT, "Hashes"), SEQUENCE_NUMBER),
            had_not=("UtcTime",),
        ),
    ),
)
class ClipboardChange(Event):
    """The content of the clipboard changed.

    On Linux: not produced yet.
    """

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    Session: UInt32 = field("Terminal session of the process.")
    ClientInfo: Text = field("Account and, over the network, address and name of the client.", default="-")
    Hashes: Text = field(
        "Digests of the content, in the form that all events share; the archive file is named by them.", default="-"
    )
    Archived: Text = field(default="-")
    User: Text = field(since="4.80", default="-")
