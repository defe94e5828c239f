"""The rules of a configuration as rows of a JSON document."""

from __future__ import annotations

from collections.abc import Iterable

from pysmon.config.compiled import compiled_order
from pysmon.config.model import EventFilter, Filter, Rule


def element_rows(filters: Iterable[EventFilter]) -> list[dict[str, object]]:
    """The elements in the order in which the engine has them, with all that is in them."""
    return [
        {
            "event": element.tag,
            "event_id": element.event_id,
            "onmatch": element.onmatch,
            "relation": element.relation.name.lower(),
            "group": element.group,
            "line": element.place.line,
            "entries": [_entry(entry) for entry in element.entries],
        }
        for element in compiled_order(filters)
    ]


def _entry(entry: Filter | Rule) -> dict[str, object]:
    if isinstance(entry, Filter):
        return {
            "field": entry.field,
            "condition": entry.condition.value,
            "value": entry.value,
            "name": entry.name,
            "line": entry.place.line,
        }
    return {
        "rule": entry.name,
        "number": entry.number,
        "relation": entry.relation.name.lower(),
        "line": entry.place.line,
        "entries": [_entry(each) for each in entry.filters],
    }
