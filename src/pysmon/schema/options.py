"""The options of Sysmon: switches of the command line, elements of a configuration, or both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pysmon.schema.shape import Platform
from pysmon.schema.version import SchemaVersion

Argument = Literal["none", "optional", "required"]


@dataclass(frozen=True, slots=True)
class Option:
    """One option as the manifest declares it, and the schema versions in which it stands."""

    name: str
    switch: str = ""  # "" if the command line has none
    argument: Argument = "none"
    noconfig: bool = False  # only for the command line
    exclusive: bool = False  # a command of its own: it stands with no other one
    rule: bool = False  # switched on by the event filters of the same name
    forceconfig: bool = False  # has a configuration element of its own beside the event filter
    internal: bool = False  # of Sysmon's internal build only
    since: str = "2.0"
    until: str = ""  # first version without it; "" if it still stands
    missing: str = ""  # the one version in between that lacks it
    before: tuple[tuple[str, Mapping[str, object]], ...] = ()  # (version, what differed before it), newest first

    @property
    def element(self) -> str:
        """The configuration element that sets it; "" if there is none."""
        if self.noconfig:
            return ""
        return f"{self.name}Config" if self.forceconfig else self.name

    def at(self, version: SchemaVersion) -> Option | None:
        """The option as of that version, or None if it did not stand in it."""
        ended = self.until and version >= SchemaVersion.parse(self.until)
        absent = self.missing and version == SchemaVersion.parse(self.missing)
        if version < SchemaVersion.parse(self.since) or ended or absent:
            return None
        then = self
        for until, differed in self.before:
            if version < SchemaVersion.parse(until):
                then = replace(then, **differed)  # type: ignore[arg-type]  # names of this class's own members
        return then


# In the order of the manifest since 4.23.
OPTIONS = (
    Option("Install", "i", "optional", noconfig=True, exclusive=True),
    Option("Configuration", "c", "optional", noconfig=True, exclusive=True),
    Option("UnInstall", "u", "optional", noconfig=True, exclusive=True),
    Option("Manifest", "m", noconfig=True, exclusive=True),
    Option("ClipboardInstance", "z", "required", noconfig=True, exclusive=True),
    Option("DebugMode", "t", "optional", noconfig=True),
    Option("BTF", "btf", "optional", noconfig=True, since="4.81"),
    Option("Service", "service", noconfig=True, since="4.70"),
    Option(
        "PrintSchema",
        "s",
        "optional",
        noconfig=True,
        exclusive=True,
        since="3.2",
        missing="3.3",
        before=(("4.0", {"argument": "none"}),),
    ),
    Option("NoLogo", "nologo", noconfig=True),
    Option("AcceptEula", "accepteula", noconfig=True),
    Option("ConfigDefault", "-", noconfig=True),
    Option("ArchiveDirectory", "a", "required"),
    Option("CaptureClipboard"),
    Option("DriverName", "d", "required"),
    Option("DnsQuery", "dns", "optional", rule=True, since="4.21"),
    Option("CopyOnDelete_PE", "e", until="4.30"),
    Option("CopyOnDelete_SIDs", "f", "required", until="4.30"),
    Option("PipeMonitoring", "g", "required", rule=True, forceconfig=True, since="3.3"),
    Option("HashAlgorithms", "h", "required"),
    Option("DnsLookup", argument="required", since="4.30"),
    Option("DriverQueueSize", argument="required", since="4.91"),
    Option("SigningQueueSize", argument="required", since="4.91"),
    Option("CopyOnDelete_Extensions", "j", "required", until="4.30"),
    Option(
        "ProcessAccess",
        "k",
        "required",
        rule=True,
        forceconfig=True,
        before=(("3.10", {"forceconfig": False}),),
    ),
    Option("ImageLoad", "l", "optional", rule=True),
    Option("NetworkConnect", "n", "optional", rule=True),
    Option("CopyOnDelete_Processes", "p", "required", until="4.30"),
    Option("CheckRevocation", "r", "optional", since="3.10"),
    Option(
        "ServiceArchiveDirectory",
        "s",
        "required",
        internal=True,
        before=(("4.2", {"internal": False}), ("4.1", {"internal": True})),  # 4.1 forgot the mark
    ),
    Option("InternalRepresentation", "x", "required", internal=True, since="4.50"),
    Option("OutputRules", "y", "required", internal=True, since="4.50"),
    Option("TraceEvents", argument="required", internal=True, since="4.50"),
    Option("FieldSizes", argument="required", since="4.81"),
)

# Until 4.23 the options of the configuration stood in the order in which they had come.
_ORDERED_SINCE = SchemaVersion(4, 23)
_ORDER_BEFORE = (
    "HashAlgorithms",
    "NetworkConnect",
    "ImageLoad",
    "DriverName",
    "DnsQuery",
    "ArchiveDirectory",
    "CopyOnDelete_Processes",
    "CopyOnDelete_PE",
    "CopyOnDelete_SIDs",
    "CopyOnDelete_Extensions",
    "CaptureClipboard",
    "ServiceArchiveDirectory",
    "ProcessAccess",
    "CheckRevocation",
    "PipeMonitoring",
)


def options_at(version: SchemaVersion, platform: Platform = "linux") -> tuple[Option, ...]:
    """The options of that schema version in the order of its manifest. Only Linux carries the internal ones."""
    then = [o for declared in OPTIONS if (o := declared.at(version))]
    if platform == "windows":
        then = [o for o in then if not o.internal]
    if version < _ORDERED_SINCE:
        then.sort(key=lambda o: -1 if o.noconfig else _ORDER_BEFORE.index(o.name))
    return tuple(then)
