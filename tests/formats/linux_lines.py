"""Reads the XML lines of Sysmon for Linux back into entries, strictly enough to judge what prints them."""

from __future__ import annotations

import calendar
import time
from typing import Any

from lxml import etree

from pysmon.schema import catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import EVENTS, Event


def read_entry(line: bytes) -> Entry[Event]:
    """The entry of one line; KeyError or ValueError where the line does not fit the schema."""
    root = etree.fromstring(line)
    system, data = root[0], root[1]
    said = {child.tag: child for child in system}
    schema = EVENTS[int(said["EventID"].text or "")]
    values: dict[str, Any] = {}
    for item, field in zip(data, schema.fields, strict=True):
        if item.get("Name") != field.name:
            raise ValueError(f"{item.get('Name')} where {field.name} belongs")
        values[field.name] = field.kind.parse(item.text or "")
    return Entry(
        record_id=int(said["EventRecordID"].text or ""),
        time=_nanoseconds(said["TimeCreated"].get("SystemTime") or ""),
        event=schema.cls(**values),
        origin=Origin(
            computer=said["Computer"].text or "",
            process_id=int(said["Execution"].get("ProcessID") or ""),
            thread_id=int(said["Execution"].get("ThreadID") or ""),
            user_id=int(said["Security"].get("UserId") or ""),
        ),
    )


def _nanoseconds(text: str) -> int:
    whole, _, rest = text.removesuffix("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(rest.ljust(9, "0"))
