"""Code that is loaded."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time


@event(
    id=6,
    symbol="SYSMONEVENT_DRIVER_LOAD",
    title="Driver loaded",
    rule="DriverLoad",
    version=4,
)
class DriverLoad(Event):
    """Driver loaded."""

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ImageLoaded: Text = field(default="-")
    Hashes: Text = field(default="-")
    Signed: Text = field(default="-")
    Signature: Text = field(default="-")
    SignatureStatus: Text = field(since="3.20", default="-")


@event(
    id=7,
    symbol="SYSMONEVENT_IMAGE_LOAD",
    title="Image loaded",
    rule="ImageLoad",
    version=3,
)
class ImageLoad(Event):
    """Image loaded."""

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    ImageLoaded: Text = field(default="-")
    FileVersion: Text = field(since="4.00", default="-")
    Description: Text = field(since="4.00", default="-")
    Product: Text = field(since="4.00", default="-")
    Company: Text = field(since="4.00", default="-")
    OriginalFileName: Text = field(since="4.21", default="-")
    Hashes: Text = field(default="-")
    Signed: Text = field(default="-")
    Signature: Text = field(default="-")
    SignatureStatus: Text = field(since="3.20", default="-")
    User: Text = field(since="4.80", default="-")
