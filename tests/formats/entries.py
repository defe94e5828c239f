"""Entries for the tests of formats and sinks: one of every event type, with values that may be swapped."""

from __future__ import annotations

from typing import Any

from pysmon.schema import catalogue
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import EVENTS, Event, EventType

ORIGIN = Origin(computer="vm", process_id=157, thread_id=158, user_id=0)
TIME = 1795241433_486357000  # 2026-11-21T06:10:33.486357000Z

_BY_KIND: dict[str, object] = {
    "text": "-",
    "time": "2026-11-21 06:10:33.206",
    "guid": "{b635b3db-35d9-6b01-d929-6d0000000000}",
    "hexint32": "0x0",
    "hexint64": "0",
    "boolean": True,
}


def entry(event: Event, record_id: int = 9) -> Entry[Event]:
    return Entry(record_id=record_id, time=TIME, event=event, origin=ORIGIN)


def any_event(schema: EventType, **values: Any) -> Event:
    """An event of that type with a plain value in every field that is not given."""
    plain = {field.name: _BY_KIND.get(field.kind.name, 7) for field in schema.fields}
    return schema.cls(**{**plain, **values})


def create(**values: Any) -> Entry[Event]:
    """A process creation, as most tests need one."""
    real = {
        "ProcessId": 160,
        "Image": "/usr/bin/python3.11",
        "CommandLine": "python3 -c 'print(1)'",
        "CurrentDirectory": "/share",
        "User": "root",
        "ParentImage": "/usr/bin/bash",
    }
    return entry(any_event(EVENTS[catalogue.ProcessCreate.type.id], **{**real, **values}))
