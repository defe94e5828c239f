"""Code that is loaded: into the kernel, and into a process."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time
from pysmon.schema.shape import SEQUENCE_NUMBER, Before


@event(
    id=6,
    symbol="SYSMONEVENT_DRIVER_LOAD",
    title="Driver loaded",
    rule="DriverLoad",
    version=4,
    history=(
        Before("4.32", version=3),
        Before("3.30", stood_after={"SignatureStatus": "Signed"}),
        Before("3.10", version=2, had=(SEQUENCE_NUMBER,)),
    ),
)
class DriverLoad(Event):
    """A driver was loaded into the kernel.

    On Linux: not produced yet. What comes closest is a kernel module (finit_module).
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ImageLoaded: Text = field("Full path of the driver's file.", default="-")
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
    history=(
        Before("3.30", stood_after={"SignatureStatus": "Signed"}),
        Before("3.10", version=2, had=(SEQUENCE_NUMBER,)),
    ),
)
class ImageLoad(Event):
    """A process loaded a program file or a library.

    On Linux: not produced yet. What comes closest is a file mapped to be executed (mmap with PROT_EXEC).
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    ImageLoaded: Text = field("Full path of the file that was loaded.", default="-")
    FileVersion: Text = field(since="4.0", default="-")
    Description: Text = field(since="4.0", default="-")
    Product: Text = field(since="4.0", default="-")
    Company: Text = field(since="4.0", default="-")
    OriginalFileName: Text = field(since="4.21", default="-")
    Hashes: Text = field(default="-")
    Signed: Text = field(default="-")
    Signature: Text = field(default="-")
    SignatureStatus: Text = field(since="3.20", default="-")
    User: Text = field(since="4.80", default="-")
