"""Event elements -> event filters: `<ProcessCreate onmatch="include">`, in any number and at any depth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pysmon.config.elements import Element
from pysmon.config.filters import Filters, relation
from pysmon.config.model import EventFilter, Onmatch, Relation
from pysmon.config.report import Report, quoted
from pysmon.config.strays import tell_attributes, tell_text
from pysmon.schema.event import EventType
from pysmon.schema.lookup import TAGS, by_tag
from pysmon.schema.version import SchemaVersion

LAST_OR = SchemaVersion(4, 10)  # up to this version filters without a groupRelation combine with "or"

_OPPOSITE: Mapping[str, Onmatch] = {"include": "exclude", "exclude": "include"}


def read_events(elements: Iterable[Element], version: SchemaVersion, report: Report) -> tuple[EventFilter, ...]:
    """The filters of all event elements, in document order.

    Rules are numbered as Sysmon's compiler meets them: by event in manifest order, then in document order (facts 3.1).
    """
    found = list(elements)
    filters = Filters(version, report)
    made: dict[int, EventFilter | None] = {}
    for number in sorted(range(len(found)), key=lambda n: TAGS.index(found[n].name)):
        made[number] = _event(found[number], filters, version, report)
    _tell_only_excludes(found, made, report)
    return tuple(each for number in range(len(found)) if (each := made[number]))


def _event(element: Element, filters: Filters, version: SchemaVersion, report: Report) -> EventFilter | None:
    series = by_tag(element.name)
    filters.tell_newer("C317", "event", element.name, series[0].since, element.at)
    tell_attributes(element, ("onmatch", "default"), report)
    tell_text(element, report)
    group = element.parent if element.parent and element.parent.name.lower() == "rulegroup" else None
    name = group.get("name") if group else ""
    default = Relation.AND if version > LAST_OR else Relation.OR
    event = filters.fitting(element)
    entries = filters.entries(element, name)
    onmatch = _onmatch(element, event, report)
    if not onmatch:
        return None
    how = relation(group, default) if group else default
    return EventFilter(element.name, event.id, onmatch, how, entries, name, report.source.place(element.at))


def _onmatch(element: Element, event: EventType, report: Report) -> Onmatch | None:
    onmatch, default = element.get("onmatch"), element.get("default")
    expected = 'onmatch="include" or onmatch="exclude"'
    if onmatch and default:
        report.add("C311", element.at, f"<{element.name}> has both onmatch and default", expected)
        return None
    if not onmatch and not default:
        report.add("C310", element.at, f"<{element.name}> has no onmatch", expected)
        return None
    written = "onmatch" if onmatch else "default"
    given = (onmatch or default).lower()
    if given in _OPPOSITE:  # default says what happens to what does not match
        opposite = _OPPOSITE[given]
        return opposite if default else _OPPOSITE[opposite]
    fallback = _OPPOSITE[event.default]
    message = f"{written} {quoted(onmatch or default)} is not known; Sysmon then reads onmatch={fallback!r}"
    report.add("C312", element.spot(written), message, "include or exclude", report.nearest(given, _OPPOSITE))
    return fallback


def _tell_only_excludes(elements: list[Element], made: Mapping[int, EventFilter | None], report: Report) -> None:
    by_tag: dict[str, list[int]] = {}
    for number, element in enumerate(elements):
        by_tag.setdefault(element.name, []).append(number)
    for tag, numbers in by_tag.items():
        read = [each.onmatch for number in numbers if (each := made[number])]
        if len(numbers) > 1 and read == ["exclude"] * len(numbers):
            message = f"no {tag} will be logged: it has {len(numbers)} exclude elements and no include element"
            hint = "put all excludes of an event into one element, or add an include element"
            report.add("C319", elements[numbers[1]].at, message, "one exclude element", hint)
