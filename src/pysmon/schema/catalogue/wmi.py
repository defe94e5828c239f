"""WMI subscriptions: code that Windows runs when something happens. The three events share one tag, WmiEvent."""

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
)
class WmiFilter(Event):
    """A WMI filter (when to act) was registered.

    On Linux: not produced; there is no WMI.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`WmiFilterEvent`.", default="-")
    UtcTime: Time
    Operation: Text = field(default="-")
    User: Text = field(default="-")
    EventNamespace: Text = field("WMI namespace, in quotes, perhaps with a space before them.", default="-")
    Name: Text = field("Name of the filter, in quotes.", default="-")
    Query: Text = field("The WQL query that says when to act, in quotes.", default="-")


@event(
    id=20,
    symbol="SYSMONEVENT_WMI_CONSUMER",
    title="WmiEventConsumer activity detected",
    rule="WmiEvent",
    default="exclude",
    version=3,
    since="3.40",
)
class WmiConsumer(Event):
    """A WMI consumer (what to do) was registered.

    On Linux: not produced; there is no WMI.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`WmiConsumerEvent`.", default="-")
    UtcTime: Time
    Operation: Text = field(default="-")
    User: Text = field(default="-")
    Name: Text = field("Name of the consumer, in quotes.", default="-")
    Type: Text = field("What it does: `Command Line`, `Log File` and others.", default="-")
    Destination: Text = field("The command, script or file, in quotes.", default="-")


@event(
    id=21,
    symbol="SYSMONEVENT_WMI_BINDING",
    title="WmiEventConsumerToFilter activity detected",
    rule="WmiEvent",
    default="exclude",
    version=3,
    since="3.40",
)
class WmiBinding(Event):
    """A WMI consumer was bound to a filter: from now on it acts.

    On Linux: not produced; there is no WMI.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`WmiBindingEvent`.", default="-")
    UtcTime: Time
    Operation: Text = field(default="-")
    User: Text = field(default="-")
    Consumer: Text = field("WMI path of the consumer, in quotes.", default="-")
    Filter: Text = field("WMI path of the filter, in quotes.", default="-")
