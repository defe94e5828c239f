"""WMI subscriptions."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Text, Time


@event(
    id=19,
    symbol="SYSMONEVENT_WMI_FILTER",
    title="WmiEventFilter activity detected",
    rule="WmiEvent",
    version=3,
    since="3.40",
)
class WmiFilter(Event):
    """WmiEventFilter activity detected."""

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field(default="-")
    UtcTime: Time
    Operation: Text = field(default="-")
    User: Text = field(default="-")
    EventNamespace: Text = field(default="-")
    Name: Text = field(default="-")
    Query: Text = field(default="-")


@event(
    id=20,
    symbol="SYSMONEVENT_WMI_CONSUMER",
    title="WmiEventConsumer activity detected",
    rule="WmiEvent",
    version=3,
    since="3.40",
)
class WmiConsumer(Event):
    """WmiEventConsumer activity detected."""

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field(default="-")
    UtcTime: Time
    Operation: Text = field(default="-")
    User: Text = field(default="-")
    Name: Text = field(default="-")
    Type: Text = field(default="-")
    Destination: Text = field(default="-")


@event(
    id=21,
    symbol="SYSMONEVENT_WMI_BINDING",
    title="WmiEventConsumerToFilter activity detected",
    rule="WmiEvent",
    version=3,
    since="3.40",
)
class WmiBinding(Event):
    """WmiEventConsumerToFilter activity detected."""

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field(default="-")
    UtcTime: Time
    Operation: Text = field(default="-")
    User: Text = field(default="-")
    Consumer: Text = field(default="-")
    Filter: Text = field(default="-")
