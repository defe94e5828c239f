"""What Sysmon says of itself."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Text, Time


@event(
    id=255,
    symbol="SYSMONEVENT_ERROR",
    title="Error report",
    level="Error",
    version=3,
)
class ErrorReport(Event):
    """Error report."""

    UtcTime: Time = field(since="3.10")
    ID: Text = field(default="-")
    Description: Text = field(default="-")


@event(
    id=4,
    symbol="SYSMONEVENT_SERVICE_STATE_CHANGE",
    title="Sysmon service state changed",
    version=3,
)
class ServiceStateChange(Event):
    """Sysmon service state changed."""

    UtcTime: Time = field(since="3.10")
    State: Text = field(default="-")
    Version: Text = field(since="3.20", default="-")
    SchemaVersion: Text = field(since="3.20", default="-")


@event(
    id=16,
    symbol="SYSMONEVENT_SERVICE_CONFIGURATION_CHANGE",
    title="Sysmon config state changed",
    version=3,
    since="3.20",
)
class ConfigurationChange(Event):
    """Sysmon config state changed."""

    UtcTime: Time
    Configuration: Text = field(default="-")
    ConfigurationFileHash: Text = field(default="-")
