"""Code that is loaded: into the kernel, and into a process."""

from __future__ import annotations

from pysmon.schema.event import Event, event, field
from pysmon.schema.kinds import Guid, Pid, Text, Time
from pysmon.schema.shape import SEQUENCE_NUMBER, Before

_RESOURCE = "From the version resource of a Windows program."
_NO_PACKAGE = "; `-` if no package owns the file, or that cannot be known."


@event(
    id=6,
    symbol="SYSMONEVENT_DRIVER_LOAD",
    title="Driver loaded",
    rule="DriverLoad",
    version=4,
    live=True,
    history=(
        Before("4.32", version=3),
        Before("3.30", stood_after={"SignatureStatus": "Signed"}),
        Before("3.10", version=2, had=(SEQUENCE_NUMBER,)),
    ),
)
class DriverLoad(Event):
    """A driver was loaded into the kernel.

    On Linux: a kernel module was loaded (finit_module, init_module). What the kernel refuses, a broken or revoked
    signature for example, makes none. JSON names who loaded it, the module, its version and what it taints. Seen
    where the kernel announces it (module:module_load).
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ImageLoaded: Text = field(
        "Full path of the driver's file. On Linux: of the module that was read; the module's name in brackets if it "
        "was loaded from the memory of a process, as modprobe does with a packed one that the kernel cannot unpack.",
        default="-",
    )
    Hashes: Text = field(default="-")
    Signed: Text = field(
        "Whether the file carries a signature: `true` or `false`. On Linux: one that is appended to the module; `-` if "
        "neither the file nor the kernel tells.",
        default="-",
    )
    Signature: Text = field(
        "Who signed. On Linux: the issuer of the key's certificate, as modinfo tells the signer; `-` if the module was "
        "loaded from memory or its file could not be read.",
        default="-",
    )
    SignatureStatus: Text = field(
        "What checking the signature gave: `Valid`, `Expired`, `Unavailable` and others. On Linux what the kernel made "
        "of it: `Valid`; `Untrusted`: the key is unknown; `Unavailable`: there is none; `Unknown`: none is checked.",
        since="3.20",
        default="-",
    )


@event(
    id=7,
    symbol="SYSMONEVENT_IMAGE_LOAD",
    title="Image loaded",
    rule="ImageLoad",
    version=3,
    live=True,
    history=(
        Before("3.30", stood_after={"SignatureStatus": "Signed"}),
        Before("3.10", version=2, had=(SEQUENCE_NUMBER,)),
    ),
)
class ImageLoad(Event):
    """A process loaded a program file or a library.

    On Linux: a file was mapped to be executed: the program itself and its interpreter (ld.so) by execve, libraries and
    whatever else by mmap, or a mapping became executable later (mprotect). Memory without a file makes none, nor does a
    file that is mapped to be read. JSON tells how, where, and the id of the file's build. Signed, Signature and
    SignatureStatus speak of the package that the file belongs to: whoever can change the files of packages can change
    their database too. Many events: a dynamic program makes three or more each time it runs.
    """

    RuleName: Text = field(since="4.10", default="-")
    UtcTime: Time
    ProcessGuid: Guid
    ProcessId: Pid
    Image: Text = field(default="-")
    ImageLoaded: Text = field("Full path of the file that was loaded.", default="-")
    FileVersion: Text = field(
        _RESOURCE + " On Linux: version of the package that the file belongs to; `-` if there is none or it "
        "was changed.",
        since="4.0",
        default="-",
    )
    Description: Text = field(
        f"{_RESOURCE} On Linux: the package's description, one line{_NO_PACKAGE}", since="4.0", default="-"
    )
    Product: Text = field(f"{_RESOURCE} On Linux: the package's name{_NO_PACKAGE}", since="4.0", default="-")
    Company: Text = field(
        f"{_RESOURCE} On Linux: who maintains or sells the package{_NO_PACKAGE}", since="4.0", default="-"
    )
    OriginalFileName: Text = field(
        "Name that the version resource of a Windows program gives; it stays when the file is renamed. On Linux: the "
        "name that a library was linked under (DT_SONAME); `-` for programs.",
        since="4.21",
        default="-",
    )
    Hashes: Text = field(default="-")
    Signed: Text = field(
        "Whether the file carries a signature: `true` or `false`. On Linux: whether it is as an installed package "
        "brought it; `-` if that cannot be known (a file of a container, no package database), which JSON tells.",
        default="-",
    )
    Signature: Text = field(f"Who signed. On Linux: the package and its version{_NO_PACKAGE}", default="-")
    SignatureStatus: Text = field(
        "What checking the signature gave: `Valid`, `Expired`, `Unavailable` and others. On Linux: `Valid`; `Changed`: "
        "the content is not what the package brought; `Unavailable`: no package owns the file; `Unknown`: the package "
        "tells no digest, or the file is beyond 32 MiB or could not be read; `-` where Signed is.",
        since="3.20",
        default="-",
    )
    User: Text = field(since="4.80", default="-")
