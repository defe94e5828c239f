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
    live=True,
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

    On Linux: a program took over the selection CLIPBOARD of an X11 display, or set that of a Wayland display, and what
    is in it is new. It is read only if the configuration has `<CaptureClipboard/>` and rules that can keep this event
    (docs/clipboard.md). Wayland tells nobody whose it is: there ProcessId is 0 and Image is `-`. Hashes is `-` if the
    content was not had; Archived is `true`, `false` with the reason, or `-` if there is no archive.
    """

    RuleName: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    Session: UInt32 = field(
        "Terminal session of the process. On Linux: the number of the session that the display is of; 0 if it has none."
    )
    ClientInfo: Text = field(
        "Account and, over the network, address and name of the client. On Linux: the user of the session, and the "
        "host that it is used from if systemd-logind knows one.",
        default="-",
    )
    Hashes: Text = field(
        "Digests of the content, in the form that all events share; the archive file is named by them. On Linux `-` if "
        "the content was not had, and in the replay of a tape.",
        default="-",
    )
    Archived: Text = field(default="-")
    User: Text = field(since="4.80", default="-")
