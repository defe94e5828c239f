"""Small readings that several shapes share: parts of nested objects, lists of `Data`, the message of an event."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]
ATTRIBUTES = "#attributes"
_LINE = re.compile(r"^([A-Za-z]\w*): ?(.*?)\r?$", re.MULTILINE)


def part(row: object, *names: str) -> dict[str, Any]:
    """The object at the end of a path of names; an empty one if there is none."""
    for name in names:
        row = row.get(name) if isinstance(row, dict) else None
    return row if isinstance(row, dict) else {}


def plain(value: object) -> object:
    """A value that some tools wrap into an object, for its attributes: `{"Value": 1}`, `{"#text": 1}`."""
    if isinstance(value, dict):
        return value.get("Value", value.get("#text"))
    return value


def data_of(value: object) -> dict[str, Any]:
    """The fields in a list of `Data` elements: `[{"@Name": "Image", "#text": "..."}, ...]`."""
    items: Iterable[object] = value if isinstance(value, list) else [value]
    found: dict[str, Any] = {}
    for item in items:
        if isinstance(item, dict):
            name = item.get("@Name") or item.get("Name") or part(item, ATTRIBUTES).get("Name")
            if isinstance(name, str):
                found[name] = item.get("#text", "")
    return found


def fields_of(value: object) -> dict[str, Any]:
    """The fields in an `EventData`, whichever way it is written."""
    if not isinstance(value, dict):
        return {}
    if isinstance(value.get("Data"), (list, dict)):
        return data_of(value["Data"])
    return {name: given for name, given in value.items() if not name.startswith("#")}


def message_fields(message: str) -> dict[str, str]:
    r"""The fields of the message that Windows shows for an event of Sysmon: `Image: C:\x.exe`, a line for each."""
    return dict(_LINE.findall(message))
