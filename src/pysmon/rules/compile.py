"""From the configuration to the tree that the engine walks, one event type at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from pysmon.config.model import EventFilter, Filter, Rule
from pysmon.errors import MisuseError
from pysmon.rules.conditions import holds
from pysmon.rules.tree import Check, Element, EventRules, Group
from pysmon.schema.event import EVENTS, EventType

_NAME_FIELD = "RuleName"
_READ_UNSET = ("win:UnicodeString", "win:Boolean")  # kinds of which a value that there is not reads "-"
_NAME_BEFORE = "-"  # what that field reads while the rules are asked: the name is their outcome


def compile_event(event_type: EventType, filters: tuple[EventFilter, ...], image_splits_on: str) -> EventRules:
    """The rules for one event type, out of all elements of a configuration in the order of the document."""
    masks = (1 << n for n in count())
    order = evaluation_order(tuple(f for f in filters if event_type.tag and f.tag == event_type.tag))
    elements = tuple(_element(event_type, f, masks, image_splits_on) for f in order)
    return EventRules(event_type, elements, _otherwise(event_type, order))


def evaluation_order(filters: tuple[EventFilter, ...]) -> list[EventFilter]:
    """The elements of one tag as the engine asks them: `exclude` before `include`, the last of the document first."""
    backwards = filters[::-1]
    return [f for f in backwards if f.onmatch == "exclude"] + [f for f in backwards if f.onmatch == "include"]


def _otherwise(event_type: EventType, order: list[EventFilter]) -> bool:
    if not event_type.tag:
        return True  # an event that no configuration can filter
    if not order:
        return event_type.default == "include"
    return len(order) == 1 and order[0].onmatch == "exclude"  # of two or more elements, none decides: drop


def _element(event_type: EventType, source: EventFilter, masks: Iterator[int], splits_on: str) -> Element:
    entries: list[Check | Group] = []
    for n, entry in enumerate(source.entries):
        if isinstance(entry, Filter):
            again = any(isinstance(e, Filter) and e.field == entry.field for e in source.entries[n + 1 :])
            entries.append(_check(event_type, source, entry, again, next(masks), splits_on))
        elif entry.filters:  # an empty Rule is none
            entries.append(_group(event_type, source, entry, masks, splits_on))
    return Element(source, tuple(entries), sum(entry.mask for entry in entries))


def _group(event_type: EventType, source: EventFilter, rule: Rule, masks: Iterator[int], splits_on: str) -> Group:
    checks = tuple(_check(event_type, source, f, False, next(masks), splits_on) for f in rule.filters)
    return Group(rule, checks, sum(check.mask for check in checks))


def _check(
    event_type: EventType, source: EventFilter, condition: Filter, again: bool, mask: int, splits_on: str
) -> Check:
    outcome = None
    if not _has_field(event_type, source, condition):
        outcome = False
    elif condition.field == _NAME_FIELD:
        outcome = holds(condition.condition, condition.value, _NAME_BEFORE, splits_on)
    return Check(condition, condition.field, mask, outcome, _must_know(event_type, condition.field), again)


def _must_know(event_type: EventType, name: str) -> bool:
    field = event_type.field(name)
    return field is not None and field.kind.in_type not in _READ_UNSET


def _has_field(event_type: EventType, source: EventFilter, condition: Filter) -> bool:
    """True if the field stands in the event type where it stands in the type that the element was compiled against.

    The elements of a series (registry, pipe, WMI) are compiled against one event of it and hold fields by position.
    In another event of the series, a field that stands elsewhere or not at all never matches.
    """
    against = EVENTS[source.event_id]
    names = [f.name for f in against.fields]
    if condition.field not in names:
        raise MisuseError(
            f"{condition.place}: event {against.id} ({against.title}) has no field {condition.field!r}",
            hint=f"the fields of <{source.tag}> are: {', '.join(names)}",
        )
    index = names.index(condition.field)
    return index < len(event_type.fields) and event_type.fields[index].name == condition.field
