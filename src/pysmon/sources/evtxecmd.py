"""EvtxECmd: CSV or JSON whose column `Payload` is the event's data as JSON."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from pysmon.sources.found import Found, NoEventError, all_taken
from pysmon.sources.parts import Row, fields_of, part
from pysmon.sources.source import Taken, Tally, Wanted
from pysmon.sources.streams import Bytes
from pysmon.sources.texts import texts

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


def read_csv(source: Bytes, tally: Tally, wanted: Wanted) -> Iterator[Taken]:
    """The events of its CSV."""
    with source.open() as stream:
        reader = csv.DictReader(_lines(texts(stream, tally)))
        yield from all_taken(
            ((f"line {line}", partial(evtxecmd, row)) for line, row in _rows(reader, tally)), tally, wanted
        )


def _rows(reader: csv.DictReader[str], tally: Tally) -> Iterator[tuple[int, Row]]:
    try:
        for row in reader:
            yield reader.line_num, row
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
