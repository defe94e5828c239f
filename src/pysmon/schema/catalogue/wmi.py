"""Subscriptions: what a machine runs when something happens. The three events share one tag, WmiEvent."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Text, Time


@event(
    id=19,
    symbol="SYSMONEVENT_WMI_FILTER",
    title="WmiEventFilter activity detected",
    rule="WmiEvent",
    default="exclude",
    version=3,
    since="3.40",
    live=True,
)
class WmiFilter(Event):
    """A WMI filter (when to act) was registered.

    On Linux: by analogy, a file says when to run something: a timer, path or socket of systemd, an entry of cron or at,
    a rule of udev that runs a program. Query is the condition in the words of the file. See docs/persistence.md.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`WmiFilterEvent`.", default="-")
    UtcTime: Time
    Operation: Text = field(default="-")
    User: Text = field(default="-")
    EventNamespace: Text = field(
        "WMI namespace, in quotes, perhaps with a space before them; on Linux `systemd`, `cron`, `at` or `udev`.",
        default="-",
    )
    Name: Text = field("Name of the filter, in quotes.", default="-")
    Query: Text = field(
        "The WQL query that says when to act, in quotes. On Linux `-` if the file says nothing of the kind, or could"
        " not be read.",
        default="-",
    )


@event(
    id=20,
    symbol="SYSMONEVENT_WMI_CONSUMER",
    title="WmiEventConsumer activity detected",
    rule="WmiEvent",
    default="exclude",
    version=3,
    since="3.40",
    live=True,
)
class WmiConsumer(Event):
    """A WMI consumer (what to do) was registered.

    On Linux: by analogy, a file says what is run: a service of systemd, the command of an entry of cron, at or udev.
    Type is one of `systemd service`, `cron command`, `cron script`, `at job`, `udev command`. See docs/persistence.md.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`WmiConsumerEvent`.", default="-")
    UtcTime: Time
    Operation: Text = field(default="-")
    User: Text = field(default="-")
    Name: Text = field("Name of the consumer, in quotes.", default="-")
    Type: Text = field("What it does: `Command Line`, `Log File` and others.", default="-")
    Destination: Text = field(
        "The command, script or file, in quotes. On Linux `-` if the file names none, or could not be read.",
        default="-",
    )


@event(
    id=21,
    symbol="SYSMONEVENT_WMI_BINDING",
    title="WmiEventConsumerToFilter activity detected",
    rule="WmiEvent",
    default="exclude",
    version=3,
    since="3.40",
    live=True,
)
class WmiBinding(Event):
    """A WMI consumer was bound to a filter: from now on it acts.

    On Linux: by analogy, a unit of systemd was enabled (a link in a folder `.wants`, `.requires` or `.upholds`), or an
    entry of cron, at or udev was written, which is in force at once. See docs/persistence.md.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`WmiBindingEvent`.", default="-")
    UtcTime: Time
    Operation: Text = field(default="-")
    User: Text = field(default="-")
    Consumer: Text = field("WMI path of the consumer, in quotes.", default="-")
    Filter: Text = field("WMI path of the filter, in quotes.", default="-")
