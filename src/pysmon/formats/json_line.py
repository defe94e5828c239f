"""Flat JSON lines: the envelope by the names that Sigma uses, then Sysmon's fields, typed; what is extra under `Extra`.

Numbers are numbers, booleans are `true`, `false` or `null` (not known); text is as in the XML, `-` included. The order
is that of the schema. Bytes that are not UTF-8 are spelled out (`\\xff`, see `pysmon.formats.visible`), since JSON has
no way to carry them. Line separators and C1 controls beyond ASCII are `\\u` escapes: a line stays one line everywhere,
and a terminal is not steered by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from pysmon.formats.clock import system_time
from pysmon.formats.linux_xml import CHANNEL, PROVIDER
from pysmon.formats.visible import encodable
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.schema.taking import taker

ENVELOPE = ("EventID", "Provider_Name", "Channel", "Computer", "EventRecordID", "SystemTime")
EXTRA = "Extra"

_ENCODER = msgspec.json.Encoder(enc_hook=str)
_UNQUIET = re.compile("[\x80-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is the same in every line of one event type."""

    id: int
    keys: tuple[str, ...]
    values: Callable[[Event], tuple[Any, ...]]


def json_line(entry: Entry[Event]) -> bytes:
    """The entry as one line, without the newline at its end."""
    event = entry.event
    plan = _plan(event.type.id)
    time = system_time(entry.time)
    foreign = entry.origin.foreign
    provider, channel = (PROVIDER, CHANNEL) if foreign is None else (foreign.provider, foreign.channel)
    envelope = (plan.id, provider, channel, entry.origin.computer, entry.record_id, time)
    row: dict[str, object] = dict(zip(plan.keys, envelope + plan.values(event), strict=True))
    if event.extra:
        row[EXTRA] = event.extra
    try:
        line = _ENCODER.encode(row)
    except UnicodeEncodeError:
        line = _ENCODER.encode(encodable_value(row))
    return line if line.isascii() else quiet(line)


@cache
def _plan(event_id: int) -> _Plan:
    names = tuple(field.name for field in EVENTS[event_id].fields)
    return _Plan(event_id, ENVELOPE + names, taker(names))


def encodable_value(value: object) -> object:
    """The value with the lone surrogates in all its texts spelled out, so that it can be written as UTF-8."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, Mapping):
        return {encodable(str(key)): encodable_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encodable_value(item) for item in value]
    return value


def quiet(line: bytes) -> bytes:
    """The same JSON, with C1 controls and line separators as escapes."""
    return _UNQUIET.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode()).encode()
