"""The registry of Windows. The three events share one tag, RegistryEvent."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time
from pysmon.schema.shape import Before

_BEFORE = (
    Before("3.40", stated_default="include"),
    Before("3.30", stood_after={"EventType": "Image"}),
)


@event(
    id=12,
    symbol="SYSMONEVENT_REG_KEY",
    title="Registry object added or deleted",
    rule="RegistryEvent",
    default="exclude",
    version=2,
    since="3.20",
    history=_BEFORE,
)
class RegistryKey(Event):
    """A registry key or value was added or deleted.

    On Linux: not produced; there is no registry.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`CreateKey`, `DeleteKey`, `CreateValue` or `DeleteValue`.", default="-")
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
    default="exclude",
    version=2,
    since="3.20",
    history=_BEFORE,
)
class RegistryValueSet(Event):
    """A registry value was set.

    On Linux: not produced yet. What comes closest is a kernel setting (sysctl).
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`SetValue`.", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetObject: Text = field(default="-")
    Details: Text = field("What was written: text, `DWORD (0x00000001)`, or `Binary Data`.", default="-")
    User: Text = field(since="4.80", default="-")


@event(
    id=14,
    symbol="SYSMONEVENT_REG_NAME",
    title="Registry object renamed",
    rule="RegistryEvent",
    default="exclude",
    version=2,
    since="3.20",
    history=_BEFORE,
)
class RegistryRename(Event):
    """A registry key or value was renamed.

    On Linux: not produced; there is no registry.
    """

    RuleName: Text = field(since="4.10", default="-")
    EventType: Text = field("`RenameKey` or `RenameValue`.", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    TargetObject: Text = field("Path of the key or value under its old name.", default="-")
    NewName: Text = field("Path of the key or value under its new name.", default="-")
    User: Text = field(since="4.80", default="-")
