"""The registry."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time


@event(
    id=12,
    symbol="SYSMONEVENT_REG_KEY",
    title="Registry object added or deleted",
    rule="RegistryEvent",
    version=2,
    since="3.20",
)
class RegistryKey(Event):
    """Registry object added or deleted."""

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetObject: Text = field(default="-")
    User: Text = field(since="4.80", default="-")


@event(
    id=13,
    symbol="SYSMONEVENT_REG_SETVALUE",
    title="Registry value set",
    rule="RegistryEvent",
    version=2,
    since="3.20",
)
class RegistryValueSet(Event):
    """Registry value set."""

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetObject: Text = field(default="-")
    Details: Text = field(default="-")
    User: Text = field(since="4.80", default="-")


@event(
    id=14,
    symbol="SYSMONEVENT_REG_NAME",
    title="Registry object renamed",
    rule="RegistryEvent",
    version=2,
    since="3.20",
)
class RegistryRename(Event):
    """Registry object renamed."""

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field(default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetObject: Text = field(default="-")
    NewName: Text = field(default="-")
    User: Text = field(since="4.80", default="-")
