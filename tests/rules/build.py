"""Small builders of configurations and events, so that a test shows only what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pysmon.schema.catalogue  # noqa: F401 - fills EVENTS
from pysmon.config.model import Condition, Configuration, EventFilter, Filter, Onmatch, Options, Relation, Rule
from pysmon.errors import Place
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import EVENTS, Event
from pysmon.schema.version import SchemaVersion

HERE = Place("test.xml", 1, 1)
AND, OR = Relation.AND, Relation.OR


def filter_(field: str, condition: str, value: str, name: str = "") -> Filter:
    return Filter(field, Condition(condition), value, name, HERE)


def rule(relation: Relation, *filters: Filter, name: str = "") -> Rule:
    return Rule(name, relation, filters, 1, HERE)


def element(
    onmatch: Onmatch, *entries: Filter | Rule, event_id: int = 1, relation: Relation = OR, group: str = ""
) -> EventFilter:
    return EventFilter(EVENTS[event_id].tag, event_id, onmatch, relation, entries, group, HERE)


def configuration(*filters: EventFilter) -> Configuration:
    return Configuration("test.xml", "0" * 64, SchemaVersion(4, 90), Options(), filters)


def ruleset(*filters: EventFilter, **options: str) -> Ruleset:
    return Ruleset.compile(configuration(*filters), **options)


def event(event_id: int = 1, **fields: Any) -> Event:
    """An event of that id with those fields; all others are "-", or 0 if they are numbers."""
    event_type = EVENTS[event_id]
    made: Mapping[str, Any] = {f.name: fields.pop(f.name, _unset(f.kind.sql)) for f in event_type.fields}
    assert not fields, f"event {event_id} has no field {', '.join(fields)}"
    return event_type.cls(**made)


def _unset(sql: str) -> Any:
    return "-" if sql == "TEXT" else 0
