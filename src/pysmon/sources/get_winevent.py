"""The JSON of `Get-WinEvent | ConvertTo-Json`: values by their position alone, and the message, if it was rendered.

Which fields the positions are follows from how many there are: Sysmon's events have had more and more of them. Where
several schemas fit, the message decides, else the newest is taken. At a small `-Depth` the values are names of classes:
then the message is all there is.
"""

from __future__ import annotations

import re
from functools import cache

from pysmon.formats.clock import system_time
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.event import EVENTS
from pysmon.schema.versions import schemas
from pysmon.sources.found import Found, NoEventError, whole
from pysmon.sources.origins import PROVIDERS
from pysmon.sources.parts import Row, message_fields

_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")  # how Windows PowerShell writes a time: ms since 1970


def get_winevent(row: Row) -> Found | None:
    """What an object in that shape says."""
    if not {"ProviderName", "Id", "LogName"}.issubset(row) or not ("Properties" in row or "Message" in row):
        return None
    provider = str(row["ProviderName"])
    fields, guessed = _fields(row) if provider in PROVIDERS else ({}, False)
    return Found(
        provider,
        str(row["LogName"]),
        row["Id"],
        fields,
        created=_created(row.get("TimeCreated")),
        record_id=row.get("RecordId"),
        computer=row.get("MachineName"),
        process_id=row.get("ProcessId"),
        thread_id=row.get("ThreadId"),
        user=_value(row.get("UserId")),
        version=row.get("Version"),
        by_position=guessed,
    )


def _fields(row: Row) -> tuple[dict[str, object], bool]:
    """The fields, and whether nothing but their number tells which they are."""
    said = message_fields(str(row.get("Message") or ""))
    given = row.get("Properties")
    values = (
        [each["Value"] for each in given if isinstance(each, dict) and "Value" in each]
        if isinstance(given, list)
        else []
    )
    if not values:
        return dict(said), False
    event_id = whole(row["Id"])
    candidates = _names(event_id, len(values))
    fitting = [names for names in candidates if said and said.keys() >= set(names)]
    if not fitting and len(said) == len(values):
        fitting = [tuple(said)]  # as no schema has them
    if not candidates and said and not fitting:
        return dict(said), False
    if not candidates and not fitting:
        if event_id not in EVENTS:
            return {}, False
        raise NoEventError(f"an event {event_id} with {len(values)} values, as no schema has it, and without a message")
    names = (fitting or candidates)[0]
    return {name: _value(value) for name, value in zip(names, values, strict=True)}, not fitting


@cache
def _names(event_id: int, count: int) -> tuple[tuple[str, ...], ...]:
    """The fields of an event in each schema that has so many, the newest first."""
    made = EVENTS.get(event_id)
    shapes = [made.at(known.version, "windows") for known in schemas("windows")] if made else []
    names = [tuple(field.name for field in shape.fields) for shape in shapes if shape]
    return tuple(dict.fromkeys(each for each in names if len(each) == count))


def _value(value: object) -> object:
    """A value; of an object, such as a SID is, the one in it."""
    return value.get("Value") if isinstance(value, dict) else value


def _created(given: object) -> object:
    if isinstance(given, dict):
        given = given.get("value")
    found = _DATE.fullmatch(given) if isinstance(given, str) else None
    return system_time(int(found[1]) * 1_000_000) if found and int(found[1]) >= 0 else given
