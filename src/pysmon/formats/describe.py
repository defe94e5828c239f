"""What matters in an event to somebody who reads it: the few lines of the text format and of the terminal.

The views are templates of lines; a line is made of segments. A segment goes away when its first field is not known
(`-`) or the event has no such field, so that relatives can share a view. What the views leave out (GUIDs, version
resources, names of ports) is in the JSON and XML lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Literal, NamedTuple

from pysmon.formats.visible import visible
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event

Style = Literal["time", "id", "name", "alarm", "path", "command", "address", "user", "rule", "value", "quiet"]


class Piece(NamedTuple):
    """A stretch of text that is safe to print, and the kind of thing that it is."""

    text: str
    style: Style


@dataclass(frozen=True, slots=True)
class View:
    """The segments of the first line, after time and name, and those of each further line."""

    head: tuple[str, ...]
    details: tuple[tuple[str, ...], ...] = ()


_NONE = "-"
_PROCESS = ("{Image} [{ProcessId}]", "{User}")
_FILE = View(_PROCESS, (("{TargetFilename}",), ("{Hashes}", "archived {Archived}")))
_REGISTRY = View(_PROCESS, (("{EventType} {TargetObject}", "= {Details}", "-> {NewName}"),))
_PIPE = View(_PROCESS, (("{EventType} {PipeName}",),))
_WMI = View(
    ("{Operation}", "{User}"),
    (("{Name}", "{EventNamespace}", "{Query}"), ("{Type}", "{Destination}"), ("{Consumer}", "-> {Filter}")),
)

VIEWS: Mapping[int, View] = {
    1: View(
        _PROCESS,
        (
            ("{CommandLine}",),
            ("in {CurrentDirectory}",),
            ("by {ParentImage} [{ParentProcessId}]", "{ParentUser}", "{ParentCommandLine}"),
            ("{Hashes}",),
        ),
    ),
    2: View(_PROCESS, (("{TargetFilename}",), ("created {PreviousCreationUtcTime} -> {CreationUtcTime}",))),
    3: View(
        _PROCESS,
        (
            ("{Protocol} {SourceIp}:{SourcePort} -> {DestinationIp}:{DestinationPort}", "initiated {Initiated}"),
            ("from {SourceHostname}", "to {DestinationHostname}"),
        ),
    ),
    4: View(("{State}",), (("version {Version}", "schema {SchemaVersion}"),)),
    5: View(_PROCESS),
    6: View(("{ImageLoaded}",), (("{Hashes}",), ("signed {Signed}", "{Signature}", "{SignatureStatus}"))),
    7: View(_PROCESS, (("{ImageLoaded}",), ("{Hashes}",), ("signed {Signed}", "{Signature}", "{SignatureStatus}"))),
    8: View(
        ("{SourceImage} [{SourceProcessId}]", "{SourceUser}"),
        (
            ("-> {TargetImage} [{TargetProcessId}]", "{TargetUser}"),
            ("thread {NewThreadId}", "at {StartAddress}", "{StartModule}", "{StartFunction}"),
        ),
    ),
    9: View(_PROCESS, (("{Device}",),)),
    10: View(
        ("{SourceImage} [{SourceProcessId}]", "{SourceUser}"),
        (("-> {TargetImage} [{TargetProcessId}]", "{TargetUser}", "access {GrantedAccess}"), ("{CallTrace}",)),
    ),
    11: _FILE,
    12: _REGISTRY,
    13: _REGISTRY,
    14: _REGISTRY,
    15: View(_PROCESS, (("{TargetFilename}",), ("{Hash}",), ("{Contents}",))),
    16: View(("{Configuration}",), (("{ConfigurationFileHash}",),)),
    17: _PIPE,
    18: _PIPE,
    19: _WMI,
    20: _WMI,
    21: _WMI,
    22: View(_PROCESS, (("{QueryName}", "status {QueryStatus}", "{QueryResults}"),)),
    23: _FILE,
    24: View(_PROCESS, (("session {Session}", "{ClientInfo}"), ("{Hashes}", "archived {Archived}"))),
    25: View(_PROCESS, (("{Type}",),)),
    26: _FILE,
    27: _FILE,
    28: _FILE,
    29: _FILE,
    100: View(_PROCESS, (("{BpfCommand} {BpfProgramType}", "id {BpfProgramId}", "{BpfProgramName}"),)),
    255: View(("{ID}",), (("{Description}",),)),
}

_PATHS = ("Image", "ParentImage", "SourceImage", "TargetImage", "ImageLoaded", "TargetFilename", "CurrentDirectory")
_STYLES: Mapping[str, Style] = {
    **dict.fromkeys(("CommandLine", "ParentCommandLine", "QueryName", "Query", "Description"), "command"),
    **dict.fromkeys(("SourceIp", "SourcePort", "DestinationIp", "DestinationPort", "QueryResults"), "address"),
    **dict.fromkeys(("User", "ParentUser", "SourceUser", "TargetUser"), "user"),
    **dict.fromkeys(("Hashes", "Hash", "CallTrace", "ConfigurationFileHash"), "quiet"),
    **dict.fromkeys((*_PATHS, "Device", "PipeName", "TargetObject", "Configuration"), "path"),
}
_ADDRESSES = ("SourceIp", "DestinationIp")  # in brackets before a port if they are IPv6
_NOISE = ("PidNamespace", "MountNamespace", "CgroupPath", "CreatorProcessGuid", "LoginUid")  # of the extra facts
_GAP = Piece("  ", "quiet")


def describe(entry: Entry[Event]) -> Iterator[list[Piece]]:
    """The lines of an entry. The first begins with its time, id and name; nothing in them can steer a terminal."""
    event = entry.event
    schema = event.type
    name = schema.tag or schema.cls.__name__
    head, *details = _lines(schema.id)
    first = [
        Piece(visible(event.text("UtcTime")), "time"),
        Piece(f"{schema.id:>5} ", "id"),
        Piece(name, "alarm" if schema.level == "Error" else "name"),
    ]
    for segment in _filled(event, head):
        first += (_GAP, *segment)
    yield first
    rule = getattr(event, "RuleName", _NONE)
    if rule != _NONE:
        yield [Piece("rule ", "quiet"), Piece(visible(rule), "rule")]
    for detail in details:
        line: list[Piece] = []
        for segment in _filled(event, detail):
            line += (_GAP, *segment) if line else segment
        if line:
            yield line
    beyond: list[Piece] = []
    for key, value in (event.extra or {}).items():
        if key not in _NOISE:
            beyond += (_GAP, Piece(f"{visible(key)} ", "quiet"), Piece(visible(str(value)), "value"))
    if beyond:
        yield beyond[1:]


_Segment = tuple[tuple[str, str], ...]  # (literal before, name of a field)


@cache
def _lines(event_id: int) -> tuple[tuple[_Segment, ...], ...]:
    names = {field.name for field in EVENTS[event_id].fields}
    view = VIEWS[event_id]
    lines = (view.head, *view.details)
    return tuple(tuple(s for s in map(_segment, line) if all(not f or f in names for _, f in s)) for line in lines)


def _segment(template: str) -> _Segment:
    return tuple((literal, field or "") for literal, field, _, _ in Formatter().parse(template))


def _filled(event: Event, line: tuple[_Segment, ...]) -> Iterator[list[Piece]]:
    for segment in line:
        if event.text(segment[0][1]) == _NONE:
            continue
        pieces: list[Piece] = []
        for literal, name in segment:
            if literal:
                pieces.append(Piece(literal, "quiet"))
            if name:
                pieces.append(shown(name, event.text(name)))
        yield pieces


def shown(name: str, value: str) -> Piece:
    """The value of a field of that name, in its style; what could steer a terminal is spelled out."""
    text = visible(value)
    return Piece(f"[{text}]" if name in _ADDRESSES and ":" in text else text, _STYLES.get(name, "value"))
