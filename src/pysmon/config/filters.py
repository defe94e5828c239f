"""What stands inside an event element: field filters and the compound rules that hold some."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import count

from pysmon.config.elements import Element
from pysmon.config.model import Condition, Filter, Relation, Rule
from pysmon.config.report import Report, quoted
from pysmon.config.strays import tell_attributes, tell_pieces, tell_text
from pysmon.schema.conditions import CONDITIONS
from pysmon.schema.event import EventType
from pysmon.schema.lookup import TAGS, by_tag, fields_of
from pysmon.schema.version import SchemaVersion

_CONDITIONS = {known.word: (Condition(known.word), known.since) for known in CONDITIONS}
LISTS = {
    Condition.IS_ANY,
    Condition.CONTAINS_ANY,
    Condition.CONTAINS_ALL,
    Condition.EXCLUDES_ANY,
    Condition.EXCLUDES_ALL,
}


def relation(element: Element, default: Relation) -> Relation:
    """How a RuleGroup or a Rule combines what it holds; a value that is not known means "and"."""
    written = element.get("groupRelation").lower()
    if not written:
        return default
    return Relation.OR if written == "or" else Relation.AND


class Filters:
    """Reads the filters of one file: knows its declared version, the number of the last Rule, and what it told once."""

    def __init__(self, version: SchemaVersion, report: Report) -> None:
        """Begin with Rule number 1."""
        self._version = version
        self._report = report
        self._numbers = count(1)
        self._told: set[tuple[str, str]] = set()

    def entries(self, element: Element, group: str) -> tuple[Filter | Rule, ...]:
        """The filters and Rules of an event element; `group` is the name of the RuleGroup around it."""
        return tuple(
            made
            for child in element.children
            if not self._report.full
            and (made := self._rule(child, group, element) if _is_rule(child) else self._filter(child, group, element))
        )

    def fitting(self, element: Element) -> EventType:
        """The first event of the element's series that has all fields which it speaks of (facts 3.1 point 6).

        To be asked once, before the entries are read: Rules are numbered as Sysmon does.
        """
        series = by_tag(element.name)
        fit, fields = series, list[str]()
        for child in _fields(element):
            if child.name in fields or child.name not in _since(element.name):
                continue
            left = tuple(event for event in fit if event.field(child.name))
            if not left:
                message = f"no event of {element.name} has {child.name} together with {' and '.join(fields)}"
                expected = "; ".join(f"of {e.id}: {', '.join(f.name for f in e.fields)}" for e in series)
                hint = f"put {child.name} into an element of its own"
                self._report.add("C402", child.at, message, f"fields of one event ({expected})", hint)
                break
            fit = left
            fields.append(child.name)
        self._count_tries(element, fit[0])
        return fit[0]

    def _count_tries(self, element: Element, fit: EventType) -> None:
        """Sysmon tries one event of the series after the other; a try that fails uses up numbers of Rules."""
        for event in by_tag(element.name)[: by_tag(element.name).index(fit)]:
            for child in element.children:
                if _is_rule(child):
                    next(self._numbers)
                    fails = any(not event.field(each.name) for each in child.children)
                else:
                    fails = not event.field(child.name)
                if fails:
                    break

    def tell_newer(self, code: str, what: str, name: str, since: SchemaVersion, at: int) -> None:
        """Tell that something came with a later schema version than the file declares, once for each such thing."""
        if since <= self._version or (what, name) in self._told:
            return
        self._told.add((what, name))  # a file of an old version would have hundreds
        message = f"the {what} {name!r} came with schema version {since}; this file declares {self._version}"
        self._report.add(code, at, message, f'schemaversion="{since}" or newer')

    def _rule(self, element: Element, group: str, event: Element) -> Rule:
        number = next(self._numbers)
        tell_attributes(element, ("groupRelation", "name"), self._report)
        tell_text(element, self._report)
        if not element.children:
            message = "the Rule has no filters; Sysmon leaves it out"
            self._report.add("C320", element.at, message, f"fields of {event.name} in it")
        if len(element.children) > 1 and not element.get("groupRelation"):
            message = "the Rule has no groupRelation; Sysmon combines its filters with 'or'"
            self._report.add("C314", element.at, message, 'groupRelation="and" or groupRelation="or"')
        name = element.get("name") or group
        filters = tuple(
            made for child in element.children if not self._report.full and (made := self._filter(child, name, event))
        )
        kind = relation(element, Relation.OR)
        return Rule(element.get("name"), kind, filters, number, self._report.source.place(element.at))

    def _filter(self, element: Element, name: str, event: Element) -> Filter | None:
        since = _since(event.name).get(element.name)
        if not since:
            self._tell_unknown(element, event.name)
            return None
        self.tell_newer("C403", f"field of {event.name}", element.name, since, element.at)
        tell_attributes(element, ("condition", "name"), self._report)
        condition = self._condition(element)
        if not condition:
            return None
        self._value(element, condition)
        place = self._report.source.place(element.at)
        return Filter(element.name, condition, element.text, element.get("name") or name, place)

    def _tell_unknown(self, element: Element, tag: str) -> None:
        fields = fields_of(tag)
        if _is_rule(element):
            hint = "put the inner filters into a Rule of their own beside this one"
            self._report.add("C316", element.at, "a Rule stands inside a Rule", f"fields of {tag} only", hint)
            return
        hint = self._report.nearest(element.name, fields)
        if element.name in TAGS or element.name.lower() == "rulegroup":
            hint = f"end <{tag}> before <{element.name}> begins: it cannot stand inside an event element"
        message = f"{tag} has no field {quoted(element.name)}"
        self._report.add("C401", element.at, message, f"one of {', '.join(fields)}", hint)

    def _condition(self, element: Element) -> Condition | None:
        written = element.get("condition")
        if not written:
            return Condition.IS
        if written.lower() not in _CONDITIONS:
            message = f"the condition {quoted(written)} is not known"
            expected = f"one of {', '.join(_CONDITIONS)}"
            self._report.add(
                "C404", element.spot("condition"), message, expected, self._report.nearest(written, _CONDITIONS)
            )
            return None
        found, since = _CONDITIONS[written.lower()]
        self.tell_newer("C405", "condition", found.value, since, element.spot("condition"))
        return found

    def _value(self, element: Element, condition: Condition) -> None:
        tell_pieces(element, self._report)
        parts = element.text.split(";")
        if condition not in LISTS or len(parts) == 1:
            return
        shown, expected = quoted(element.text), "parts separated by single ';' and nothing else"
        if "" in parts[:-1]:
            message = f"the list {shown} has an empty part; Sysmon takes all that follows it for one part"
            self._report.add("C408", element.text_at, message, expected, "remove the extra ';'")
        elif not parts[-1] and condition in {Condition.CONTAINS_ANY, Condition.EXCLUDES_ANY}:
            message = f"the list {shown} ends with an empty part, which every text contains"
            self._report.add("C408", element.text_at, message, expected, "remove the last ';'")
        elif not parts[0].startswith(" ") and all(part.startswith(" ") for part in parts[1:]):
            message = f"the list {shown} has blanks after ';'; they are part of what is compared"
            self._report.add("C409", element.text_at, message, expected, "remove the blanks if they are not meant")


@cache
def _since(tag: str) -> dict[str, SchemaVersion]:
    """The fields that filters under a tag can speak of, with the version that brought each."""
    return {name: min(field.since for event in by_tag(tag) if (field := event.field(name))) for name in fields_of(tag)}


def _fields(element: Element) -> Iterator[Element]:
    for child in element.children:
        yield from child.children if _is_rule(child) else [child]


def _is_rule(element: Element) -> bool:
    return element.name.lower() == "rule"
