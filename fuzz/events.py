"""One event of every type, for rules to judge."""

from __future__ import annotations

from functools import cache
from typing import Any

from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.event import EVENTS, Event

_BY_KIND: dict[str, Any] = {
    "text": "C:\\Windows\\a.exe",
    "time": "2026-11-21 06:10:33.206",
    "guid": "{b635b3db-35d9-6b01-d929-6d0000000000}",
    "hexint32": "0x0",
    "hexint64": "0x1",
    "boolean": True,
}


@cache
def plain_events() -> tuple[Event, ...]:
    """An event of every type with a plain value in each field."""
    return tuple(
        schema.cls(**{field.name: _BY_KIND.get(field.kind.name, 7) for field in schema.fields})
        for schema in EVENTS.values()
    )
