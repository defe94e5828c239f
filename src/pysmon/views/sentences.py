"""What each event says in words: one table, one place to touch when an event type comes or changes.

A saying is a list of parts. The first is always said; a further one goes away when its first field is not known (`-`)
or the event has no such field. Names that the schema does not have are those of the extra facts (`ExitCode`, `How`).
The subject is the process that acts, put before the saying by whoever tells it, unless the saying has one of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter

from pysmon.formats.describe import Piece, shown
from pysmon.formats.visible import visible
from pysmon.schema.event import EVENTS, Event

NONE = "-"


@dataclass(frozen=True, slots=True)
class Saying:
    """The words for an event where `when` (a field and its text) holds; without it, always."""

    parts: tuple[str, ...]
    when: tuple[str, str] | None = None
    subject: str | None = None  # instead of the process that acts


def _always(*parts: str, subject: str | None = None) -> tuple[Saying, ...]:
    return (Saying(parts, subject=subject),)


def _if(field: str, text: str, *parts: str) -> Saying:
    return Saying(parts, when=(field, text))


_MONITOR = "the monitor"
_TO = "{DestinationIp}:{DestinationPort}"
_FROM = "{SourceIp}:{SourcePort}"
_WMI = "{User}"

SAYINGS: Mapping[int, tuple[Saying, ...]] = {  # the first that holds is said
    1: _always("began: {CommandLine}", "(in {CurrentDirectory})"),
    2: _always("set the creation time of {TargetFilename}", "to {CreationUtcTime}", "(was {PreviousCreationUtcTime})"),
    3: (
        _if("Initiated", "true", f"connected to {_TO}", "({DestinationHostname})", "({Protocol})"),
        _if(
            "Initiated",
            "false",
            f"was called by {_FROM}",
            "({SourceHostname})",
            "at port {DestinationPort}",
            "({Protocol})",
        ),
        *_always(f"talked: {_FROM} to {_TO}", "({Protocol})"),
    ),
    4: _always("changed its state: {State}", "(version {Version})", subject=_MONITOR),
    5: (
        _if("Signal", "*", "was ended by signal {Signal}"),
        _if("ExitCode", "*", "ended with exit code {ExitCode}"),
        *_always("ended"),
    ),
    6: _always("loaded the driver {ImageLoaded}", "signed by {Signature}", "({SignatureStatus})", subject="the kernel"),
    7: _always("loaded {ImageLoaded}", "signed by {Signature}", "({SignatureStatus})"),
    8: _always("started a thread in {TargetImage} ({TargetProcessId})", "at {StartAddress}", "of {StartModule}"),
    9: _always("read the disk {Device} itself"),
    10: _always("opened the process {TargetImage} ({TargetProcessId})", "with the rights {GrantedAccess}"),
    11: (
        _if("How", "renamed", "gave a file the name {TargetFilename}"),
        _if("How", "linked", "gave a file the further name {TargetFilename}"),
        *_always("created {TargetFilename}"),
    ),
    12: (
        _if("EventType", "CreateKey", "created the registry key {TargetObject}"),
        _if("EventType", "DeleteKey", "deleted the registry key {TargetObject}"),
        _if("EventType", "CreateValue", "created the registry value {TargetObject}"),
        _if("EventType", "DeleteValue", "deleted the registry value {TargetObject}"),
        *_always("changed the registry: {EventType}", "{TargetObject}"),
    ),
    13: _always("set the registry value {TargetObject}", "to {Details}"),
    14: _always("renamed {TargetObject} in the registry", "to {NewName}"),
    15: _always("added the stream {TargetFilename}", "that reads: {Contents}"),
    16: _always("took up the configuration {Configuration}", "({ConfigurationFileHash})", subject=_MONITOR),
    17: _always("made the pipe {PipeName}"),
    18: _always("connected to the pipe {PipeName}"),
    19: _always("registered a WMI filter ({Operation}): {Name}", "that asks {Query}", subject=_WMI),
    20: _always("registered a WMI consumer ({Operation}): {Name}", "({Type})", "that does {Destination}", subject=_WMI),
    21: _always("bound a WMI consumer ({Operation}): {Consumer}", "to the filter {Filter}", subject=_WMI),
    22: (
        _if("QueryStatus", "0", "looked up {QueryName}", "and was told {QueryResults}"),
        *_always("looked up {QueryName}", "in vain (status {QueryStatus})"),
    ),
    23: _always("deleted {TargetFilename}", "(archived: {Archived})"),
    24: _always("changed the clipboard", "of session {Session}", "for {ClientInfo}"),
    25: _always("runs another program than its file holds ({Type})"),
    26: _always("deleted {TargetFilename}"),
    27: _always("was kept from creating the program {TargetFilename}"),
    28: _always("was kept from shredding {TargetFilename}"),
    29: _always("wrote a program: {TargetFilename}"),
    100: _always("loaded a BPF program", "{BpfProgramName}", "of type {BpfProgramType}", "(id {BpfProgramId})"),
    255: _always("reported trouble ({ID}): {Description}", subject=_MONITOR),
}

_Part = tuple[tuple[str, str], ...]  # (words before, name of a field)


def value(event: Event, name: str) -> str:
    """The text of a field, or of an extra fact of that name; `-` if the event has neither."""
    if event.type.field(name) is not None:
        return event.text(name)
    return str((event.extra or {}).get(name, NONE))


def predicate(event: Event) -> list[Piece]:
    """What the event says of its subject: `created /tmp/x`."""
    pieces: list[Piece] = []
    for part in _parts(_saying(event).parts):
        first = next((name for _, name in part if name), "")
        if pieces and first and value(event, first) == NONE:
            continue
        if pieces:
            pieces.append(Piece(" ", "quiet"))
        for words, name in part:
            if words:
                pieces.append(Piece(words, "value"))
            if name:
                text = value(event, name)
                pieces.append(Piece("(unknown)", "quiet") if text == NONE else shown(name, text))
    return pieces


def subject(event: Event) -> str | None:
    """Whoever the event is about, where that is not the process that acts."""
    template = _saying(event).subject
    if template is None:
        return None
    told = template.format_map({field.name: value(event, field.name) for field in event.type.fields})
    return "somebody" if told == NONE else visible(told)


def actor(event: Event) -> tuple[str, str, str]:
    """ProcessGuid, ProcessId and Image of the process that acts; `-` each if the event names none."""
    guid, pid, image = _actors(event.type.id)
    if not guid:
        return NONE, NONE, NONE
    return value(event, guid), value(event, pid), value(event, image)


def program_name(image: str) -> str:
    """The file name at the end of a path of either platform."""
    return visible(image.rpartition("/")[2].rpartition("\\")[2] or image)


@cache
def _actors(event_id: int) -> tuple[str, str, str]:
    names = {field.name for field in EVENTS[event_id].fields}
    for known in (
        ("ProcessGuid", "ProcessId", "Image"),
        ("SourceProcessGuid", "SourceProcessId", "SourceImage"),
        ("SourceProcessGUID", "SourceProcessId", "SourceImage"),
    ):
        if known[0] in names:
            return known
    return ("", "", "")


def _saying(event: Event) -> Saying:
    for saying in SAYINGS[event.type.id]:
        if saying.when is None:
            return saying
        field, wanted = saying.when
        found = value(event, field)
        if found != NONE and wanted in ("*", found):
            return saying
    raise LookupError(f"no saying for event {event.type.id}")


@cache
def _parts(templates: tuple[str, ...]) -> tuple[_Part, ...]:
    return tuple(tuple((words, name or "") for words, name, _, _ in Formatter().parse(t)) for t in templates)
