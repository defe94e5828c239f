"""EvtxECmd: CSV or JSON whose column `Payload` is the event's data as JSON."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import msgspec

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sources.found import Found, NoEventError, entry_of
from pysmon.sources.parts import Row, fields_of, part
from pysmon.sources.source import Tally
from pysmon.sources.streams import Bytes
from pysmon.sources.windows_xml import texts

_DECODER = msgspec.json.Decoder()
csv.field_size_limit(1 << 22)


def evtxecmd(row: Row) -> Found | None:
    """What a row says."""
    if "Payload" not in row or "EventId" not in row:
        return None
    payload: Any = row["Payload"]
    if isinstance(payload, str):
        try:
            payload = _DECODER.decode(payload.encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError) as error:
            raise NoEventError(f"the Payload is no JSON: {error}") from error
    return Found(
        str(row.get("Provider") or ""),
        str(row.get("Channel") or ""),
        row["EventId"],
        fields_of(part(payload, "EventData") or payload),
        created=_time(row.get("TimeCreated")),
        record_id=row.get("EventRecordId"),
        computer=row.get("Computer"),
        process_id=row.get("ProcessId"),
        thread_id=row.get("ThreadId"),
        user=row.get("UserId"),
    )


def read_csv(source: Bytes, tally: Tally) -> Iterator[Entry[Event]]:
    """The entries of its CSV."""
    with source.open() as stream:
        reader = csv.DictReader(_lines(texts(stream, tally)))
        try:
            for row in reader:
                try:
                    found = evtxecmd(row)
                    entry = None if found is None else entry_of(found, tally)
                except NoEventError as error:
                    tally.damage(f"line {reader.line_num}", str(error))
                    continue
                if found is None:
                    tally.damage(f"line {reader.line_num}", "a row without EventId and Payload")
                elif entry is not None:
                    yield entry
        except csv.Error as error:
            tally.damage(f"line {reader.line_num}", f"no CSV: {error}")


def _time(value: object) -> object:
    return value.replace("+00:00", "") if isinstance(value, str) else value


def _lines(pieces: Iterator[str]) -> Iterator[str]:
    held = ""
    for piece in pieces:
        *lines, held = (held + piece).split("\n")
        yield from (f"{line}\n" for line in lines)
    if held:
        yield held
