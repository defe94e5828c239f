"""The clipboard."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time, UInt32


@event(
    id=24,
    symbol="SYSMONEVENT_CLIPBOARD",
    title="Clipboard changed",
    rule="ClipboardChange",
    version=5,
    since="4.40",
)
class ClipboardChange(Event):
    """Clipboard changed."""

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    Session: UInt32
    ClientInfo: Text = field(default="-")
    Hashes: Text = field(default="-")
    Archived: Text = field(default="-")
    User: Text = field(since="4.80", default="-")
