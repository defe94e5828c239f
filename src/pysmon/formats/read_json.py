"""Reads back the flat JSON lines that `pysmon.formats.json_line` writes.

What the line does not carry is not there: of the origin only the computer's name, and whether Windows wrote it. Lines
of other tools with the same keys are read as far as they go: numbers and booleans may be text, fields that are missing
have no value (`-`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from pysmon.formats.json_line import EXTRA
from pysmon.formats.logged import LATEST
from pysmon.formats.providers import CHANNELS, GUIDS, WINDOWS
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.entry import Entry, Foreign, Origin
from pysmon.schema.event import EVENTS, Event, EventType, Field

_DECODER = msgspec.json.Decoder(dict[str, Any])
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?Z?")
_SECOND = 1_000_000_000
_NONE = "-"
_BEYOND = 1 << 64  # no field of any event holds more


def read_json_line(line: bytes) -> Entry[Event]:
    """The entry of one line; ValueError says why it is none."""
    try:
        row = _DECODER.decode(line)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deep") from error
    number = row.get("EventID")
    schema = EVENTS.get(number) if type(number) is int else None
    if schema is None:
        raise ValueError(f"EventID {number!r} is none of Sysmon's" if "EventID" in row else "there is no EventID")
    values: dict[str, Any] = {
        field.name: _value(field, row[field.name]) if field.name in row else _absent(field) for field in schema.fields
    }
    event = schema.cls(**values)
    extra = row.get(EXTRA)
    if isinstance(extra, Mapping):
        event.extra = extra
    record = row.get("EventRecordID")
    computer = row.get("Computer", _NONE)
    channel = str(row.get("Channel") or CHANNELS[WINDOWS]) if row.get("Provider_Name") == WINDOWS else ""
    record_id = record if type(record) is int and 0 <= record < 1 << 63 else 0
    return Entry(record_id, _time(row, schema), event, _origin(str(computer), channel))


def _value(field: Field, given: object) -> object:
    value = given
    if type(given) is str:
        with suppress(ValueError):  # told below
            value = field.kind.parse(given)
    if field.kind.sql == "INTEGER":
        if value is None or (isinstance(value, int) and 0 <= value < _BEYOND):
            return value
    elif given is None or isinstance(given, (str, int, float)):
        return _NONE if given is None else str(given)
    raise ValueError(f"{field.name} is {given!r} (expected {field.kind.name})")


def _absent(field: Field) -> object:
    return None if field.kind.sql == "INTEGER" else _NONE


def _time(row: Mapping[str, Any], schema: EventType) -> int:
    for key in ("SystemTime", "UtcTime"):
        found = _TIME.fullmatch(str(row.get(key, "")))
        if found:
            second = _second(found[1], found[2])
            if not 0 <= second < LATEST:
                raise ValueError(f"{key} is {found[0]} (expected a time from 1970 to 2242)")
            return second * _SECOND + int((found[3] or "0").ljust(9, "0"))
    raise ValueError(f"the {schema.tag or schema.cls.__name__} has no time (expected SystemTime: 2026-11-21T06:10:33Z)")


@lru_cache(maxsize=64)  # lines come in bursts of the same second
def _second(day: str, clock: str) -> int:
    return int(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC).timestamp())


@lru_cache(maxsize=64)
def _origin(computer: str, channel_of_windows: str) -> Origin:
    foreign = Foreign(WINDOWS, GUIDS[WINDOWS], channel_of_windows) if channel_of_windows else None
    return Origin(computer, 0, 0, 0, foreign)
