"""The one event that a command line speaks of: a JSON object, or an entry of somebody's log by its record id."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from pysmon.errors import MisuseError
from pysmon.formats.read_json import read_json_line
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event

_STDIN = "-"


def one_event(text: str, record: int | None = None) -> Entry[Event]:
    """The event that `text` is, or that stands in the log of that name; MisuseError if that is none or several."""
    if text.lstrip().startswith("{"):
        return _parsed(text.encode("utf-8", "surrogateescape"), "the event")
    found = _with_record(_entries(text), record)
    if found is None:
        wanted = "no event" if record is None else f"no event with the record id {record}"
        raise MisuseError(f"{text} has {wanted}", hint="pysmon log --from FILE shows what it has")
    return found


def _with_record(entries: Iterator[Entry[Event]], record: int | None) -> Entry[Event] | None:
    if record is not None:
        return next((entry for entry in entries if entry.record_id == record), None)
    found = next(entries, None)
    if found is not None and next(entries, None) is not None:
        raise MisuseError("the log has several events", hint="--record N names the one with that EventRecordID")
    return found


def _entries(name: str) -> Iterator[Entry[Event]]:
    data = sys.stdin.buffer.read() if name == _STDIN else Path(name).read_bytes()
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            yield _parsed(line, f"{name}:{number}")


def _parsed(line: bytes, where: str) -> Entry[Event]:
    try:
        return read_json_line(line)
    except ValueError as error:
        raise MisuseError(f"{where} is no event: {error}", hint="docs/explain.md shows what an event needs") from error
