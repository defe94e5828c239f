"""What Sysmon says of itself. These events have no tag: no rule can drop them."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Text, Time
from pysmon.schema.shape import SEQUENCE_NUMBER, Before


@event(
    id=255,
    symbol="SYSMONEVENT_ERROR",
    title="Error report",
    level="Error",
    version=3,
    live=True,
    history=(Before("3.10", version=2),),
)
class ErrorReport(Event):
    """Sysmon could not do its work as it should: something failed or was lost.

    On Linux: pysmon writes it for what its own counters show (records that the kernel could not hand over, outputs
    that did not keep up), for hooks that do not see its canary, for configurations that it refused or that ask for more
    than the machine can give, and for what others do to it.
    """

    UtcTime: Time = field(since="3.10")
    ID: Text = field(
        "What kind of failure, in one word. `QUEUE`: events were lost; `CANARY`: a hook is blind; `CAPABILITY`: the"
        " configuration asks for events that this machine cannot give, or not wholly; `CONFIG`: a configuration was"
        " refused or cannot be used; `FILES`, `CLIPBOARD`: files or clipboards cannot be watched as asked; `OUTPUT`: an"
        " output is in trouble, or works again; `STORE`: the event log was not closed in good order; `RECONCILIATION`:"
        " the books do not add up;"
        " `TAMPER`: somebody reached for pysmon or its files; `SERVICE`: the service manager asked something of it;"
        " `HOST`: a file system or the user database does not answer, or does again.",
        default="-",
    )
    Description: Text = field("What happened, with counts or the system's error message.", default="-")


@event(
    id=4,
    symbol="SYSMONEVENT_SERVICE_STATE_CHANGE",
    title="Sysmon service state changed",
    version=3,
    live=True,
    history=(Before("3.10", version=2, had=(SEQUENCE_NUMBER,)),),
)
class ServiceStateChange(Event):
    """The monitor was started or stopped.

    On Linux: pysmon writes it when its sensor runs and when it ends in good order. A log without the second one was
    cut off: the machine or pysmon was ended by force. Every hour the service adds one of the state `Running`, with its
    books: by family of records, how many were seen, kept, filtered and lost.
    """

    UtcTime: Time = field(since="3.10")
    State: Text = field(
        "`Started`, `Stopped`, or `Running; process: 40 seen = 12 kept + 28 filtered + 0 lost; ..`.", default="-"
    )
    Version: Text = field("Version of the monitor.", since="3.20", default="-")
    SchemaVersion: Text = field("Schema version that the events follow: `4.90`.", since="3.20", default="-")


@event(
    id=16,
    symbol="SYSMONEVENT_SERVICE_CONFIGURATION_CHANGE",
    title="Sysmon config state changed",
    version=3,
    since="3.20",
    live=True,
)
class ConfigurationChange(Event):
    """The configuration was loaded or changed.

    On Linux: pysmon writes it at the start, before the event 4, and whenever it takes up another configuration.
    """

    UtcTime: Time
    Configuration: Text = field(
        "The file as it was given, else the command line that set the options, or `Defaults`.", default="-"
    )
    ConfigurationFileHash: Text = field("`SHA256=..` of the file's bytes; `-` if there was no file.", default="-")
