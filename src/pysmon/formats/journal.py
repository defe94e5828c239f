"""Entries in the native protocol of systemd-journald: fields of a name and any bytes, found by `journalctl NAME=value`.

The message is a line in another format (`MESSAGE=`). Beside it stand what syslog would say (`PRIORITY`,
`SYSLOG_FACILITY`, `SYSLOG_IDENTIFIER=sysmon`, `SYSLOG_PID`), `SYSMON_EVENT_ID`, `SYSMON_RECORD_ID`, `SYSMON_COMPUTER`,
and every field of the event that has a value: `ParentCommandLine` is `SYSMON_PARENT_COMMAND_LINE`. The facts that
Sysmon has no field for are JSON in `SYSMON_EXTRA`. Bytes that are not UTF-8 are spelled out, as in every other format.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from pysmon.formats.json_line import encodable_value
from pysmon.formats.syslog import IDENT, severity
from pysmon.formats.table import Render
from pysmon.formats.visible import encodable
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.schema.kinds import Kind
from pysmon.schema.taking import taker

_LENGTH = struct.Struct("<Q")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_USER = 1
_NONE = "-"
_ENCODER = msgspec.json.Encoder(enc_hook=str)


@dataclass(frozen=True, slots=True)
class _Plan:
    id: int
    values: Callable[[Event], tuple[Any, ...]]
    names: tuple[str, ...]
    kinds: tuple[Kind, ...]


def journal_name(field: str) -> str:
    """The name in the journal of a field of Sysmon: `SourceIp` is `SYSMON_SOURCE_IP`."""
    return f"SYSMON_{_WORD.sub('_', field).upper()}"


def journal_entry(render: Render, entry: Entry[Event]) -> bytes:
    """The entry as one datagram of the protocol; `render` makes its MESSAGE."""
    event, origin = entry.event, entry.origin
    plan = _plan(event.type.id)
    lines = [
        _field("MESSAGE", render(entry)),
        b"PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%d\nSYSMON_EVENT_ID=%d\nSYSMON_RECORD_ID=%d\n"
        % (severity(entry), _USER, IDENT.encode(), origin.process_id, plan.id, entry.record_id),
        _field("SYSMON_COMPUTER", _bytes(origin.computer)),
    ]
    for name, kind, value in zip(plan.names, plan.kinds, plan.values(event), strict=True):
        text = kind.text(value)
        if text != _NONE:
            lines.append(_field(name, _bytes(text)))
    if event.extra:
        lines.append(_field("SYSMON_EXTRA", _json(event.extra)))
    return b"".join(lines)


@cache
def _plan(event_id: int) -> _Plan:
    fields = EVENTS[event_id].fields
    return _Plan(
        event_id,
        taker([f.name for f in fields]),
        tuple(journal_name(f.name) for f in fields),
        tuple(f.kind for f in fields),
    )


def _field(name: str, value: bytes) -> bytes:
    if b"\n" in value:
        return b"%s\n%s%s\n" % (name.encode(), _LENGTH.pack(len(value)), value)
    return b"%s=%s\n" % (name.encode(), value)


def _bytes(text: str) -> bytes:
    return (text if text.isascii() else encodable(text)).encode()


def _json(extra: object) -> bytes:
    try:
        return _ENCODER.encode(extra)
    except UnicodeEncodeError:
        return _ENCODER.encode(encodable_value(extra))
