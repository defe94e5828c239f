"""The one event that a command line speaks of: a JSON object, or an entry of somebody's log by its record id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from pysmon.cli.inputs import STDIN
from pysmon.cli.progress import watched
from pysmon.cli.telling import tell_logs
from pysmon.errors import MisuseError
from pysmon.formats.json_line import ENVELOPE, EXTRA
from pysmon.formats.read_json import read_json_line
from pysmon.formats.visible import visible
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.schema.lookup import nearest
from pysmon.sources.open import open_sources, shape_of_head
from pysmon.sources.source import Tally
from pysmon.sources.streams import SAMPLE, standard_input

_LONG_AGO = "1970-01-01T00:00:00Z"
_LONGEST = 1 << 22  # bytes of an event in a file


def one_event(text: str, record: int | None = None, form: str | None = None) -> Entry[Event]:
    """The event that `text` is, or that stands in the log of that name; MisuseError if that is none or several.

    `form` forces the shape of the log (`pysmon.sources.open.SHAPES`).
    """
    if text.lstrip().startswith("{"):
        if record is not None:
            raise MisuseError("--record is for logs", hint="the event is written out")
        return _written(text)
    if record is None and form is None and (written := _alone(text)):
        return _written(written)
    tallies: dict[str, Tally] = {}
    try:
        found = _with_record(text, _entries(text, form, tallies), record)
    finally:
        tell_logs(tallies, form)
    if found is None:
        wanted = "no event" if record is None else f"no event with the record id {record}"
        raise MisuseError(f"{text} has {wanted}", hint="pysmon log FILE --all shows what a log has")
    return found


def _alone(name: str) -> str:
    """What stands in a file or on standard input if that is one event as a command line has it; "" if it is a log."""
    if name == STDIN:
        stream = cast("BufferedReader", standard_input())
        head = stream.peek()
    elif name and Path(name).is_file():
        if Path(name).stat().st_size > _LONGEST:
            return ""
        head = Path(name).read_bytes()
    else:
        return ""
    if not head.lstrip().startswith(b"{") or shape_of_head(head[:SAMPLE]) is not None:
        return ""
    try:
        msgspec.json.decode(head, type=dict[str, Any])
    except (ValueError, RecursionError):
        return ""
    if shape_of_head(head) is not None:  # an event of a log after all, longer than a sample
        return ""
    return (stream.read() if name == STDIN else head).decode(errors="surrogateescape")


def _with_record(name: str, entries: Iterator[Entry[Event]], record: int | None) -> Entry[Event] | None:
    if record is not None:
        return next((entry for entry in entries if entry.record_id == record), None)
    found = next(entries, None)
    if found is not None and next(entries, None) is not None:
        raise MisuseError(f"{name} has several events", hint="--record N names the one with that EventRecordID")
    return found


def _tell_unknown(row: Mapping[str, Any], event: Event) -> None:
    """Say which names are none of the event's: a slip of the pen would otherwise read as a field without a value."""
    names = [field.name for field in event.type.fields]
    for unknown in [name for name in row if name not in (*names, *ENVELOPE, EXTRA)]:
        close = nearest(unknown, names)
        hint = f" (did you mean {' or '.join(close)}?)" if close else ""
        told = f"pysmon: event {event.type.id} has no field {unknown!r}{hint}; it is left out"
        click.echo(visible(told), err=True)


def _entries(name: str, form: str | None, tallies: dict[str, Tally]) -> Iterator[Entry[Event]]:
    for source in open_sources([name], form):
        entries = source.entries()
        tallies[source.name] = source.tally
        yield from watched(source, entries)


def _written(text: str) -> Entry[Event]:
    """An event that somebody wrote on the command line: without a time, if he likes."""
    try:
        row = msgspec.json.decode(text.encode(errors="surrogateescape"), type=dict[str, Any])
        if "SystemTime" not in row and "UtcTime" not in row:
            row["SystemTime"] = _LONG_AGO
        if isinstance(row.get("EventID"), str) and row["EventID"].isdecimal():
            row["EventID"] = int(row["EventID"])
        entry = read_json_line(msgspec.json.encode(row))
        _tell_unknown(row, entry.event)
        return entry
    except (ValueError, msgspec.DecodeError) as error:
        hint = 'a JSON object with EventID and the fields of the event: {"EventID": 1, "Image": "/usr/bin/curl"}'
        raise MisuseError(f"the event cannot be read: {error}", hint=hint) from error
