"""Sorts of fields and conditions that several checks speak of."""

from __future__ import annotations

from pysmon.config.filters import LISTS
from pysmon.config.model import Condition

PROGRAMS = frozenset({"Image", "ParentImage", "SourceImage", "TargetImage", "ImageLoaded"})  # full paths of programs
ACTORS = PROGRAMS - {"TargetImage"}  # those that an intruder chooses
PATHS = PROGRAMS | {"TargetFilename"}  # full paths
HOSTS = frozenset({"QueryName", "DestinationHostname", "SourceHostname"})
KEYS = frozenset({"TargetObject", "NewName"})  # registry
ACCOUNTS = frozenset({"User", "ParentUser", "SourceUser", "TargetUser"})
RESOURCES = frozenset({"FileVersion", "Description", "Product", "Company", "OriginalFileName"})  # a file says of itself
COMMANDS = frozenset({"CommandLine", "ParentCommandLine"})
FREE = COMMANDS | {  # texts in which any character can stand, `;` and blanks among them
    "Contents",
    "Details",
    "Query",
    "QueryResults",
    "Destination",
    "Consumer",
    "Filter",
    "Name",
    "CallTrace",
    "ClientInfo",
    "Description",
    "Product",
    "Company",
    "Signature",
}

WHOLE = frozenset({Condition.IS, Condition.IS_ANY})  # compare with the whole text


def texts(condition: Condition, value: str) -> list[str]:
    """The texts that a condition speaks of: the parts of a list, or the one."""
    return value.split(";") if condition in LISTS else [value]
