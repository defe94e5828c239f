"""Checks of conditions that stand together: they exclude each other, or say nothing together (L201 to L204)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from pysmon.config.model import EventFilter, Filter, Relation, Rule
from pysmon.lint.check import Check, Found, include
from pysmon.lint.logic import contradict, cover, implies
from pysmon.lint.scene import Case, Scene
from pysmon.schema.lookup import by_tag

_MOST = 500  # conditions of one place that are compared with each other; a configuration has tens


def _contradictory(scene: Scene) -> Iterator[Found]:
    for case in _once(scene):
        for one, two in combinations(case.clauses[:_MOST], 2):
            if one[0].field != two[0].field:
                continue
            if all(contradict(scene.meaning(a.source), scene.meaning(b.source)) for a in one for b in two):
                first, second = one[0].source, two[0].source
                if any(scene.meaning(check.source).never for check in (*one, *two)):
                    continue  # told as L101
                message = f"no {first.field} meets the conditions of line {first.place.line} and of this line"
                yield Found(second.place, message, "conditions that one value can meet", _relation_hint(case.source))
                break


def _relation_hint(source: Filter | Rule | EventFilter) -> str:
    if isinstance(source, Rule):
        return 'conditions of which one is enough stand in a <Rule groupRelation="or">, or in a rule of their own'
    return ""


def _covering(scene: Scene) -> Iterator[Found]:
    for alternatives, where in _alternatives(scene):
        before: dict[tuple[str, bool], list[Filter]] = {}  # by field, and whether they are negative
        for source in alternatives:
            meaning = scene.meaning(source)
            if meaning.always:
                continue  # told as L102
            others = before.get((source.field, True), [])[:_MOST]  # one of the two must be negative
            if meaning.negative:
                others = [*others, *before.get((source.field, False), [])[:_MOST]]
            other = next((other for other in others if cover(scene.meaning(other), meaning)), None)
            if other:
                message = (
                    f"every {source.field} meets this one or that of line {other.place.line}: one is enough {where}"
                )
                hint = 'put them into a <Rule groupRelation="and">'
                yield Found(source.place, message, "alternatives that leave something out", hint)
            before.setdefault((source.field, meaning.negative), []).append(source)


def _alternatives(scene: Scene) -> Iterator[tuple[list[Filter], str]]:
    """Conditions of which one is enough, with the words for where they stand."""
    for element in scene.configuration.filters:
        plain = [entry for entry in element.entries if isinstance(entry, Filter)]
        rules = [entry for entry in element.entries if isinstance(entry, Rule)]
        if element.relation is Relation.OR:
            loose = [f for rule in rules if rule.relation is Relation.OR for f in rule.filters]
            yield [*plain, *loose], "here"
            continue
        yield plain, "for one field, under 'and' too"
        yield from ((list(r.filters), "in this Rule") for r in rules if r.relation is Relation.OR)


def _one_of_a_series(scene: Scene) -> Iterator[Found]:
    told: set[tuple[int, str]] = set()
    for spot in scene.spots:
        works = [event.id for event in spot.looked_at_in]
        named = [event.id for event in by_tag(spot.element.tag) if event.field(spot.filter.field)]
        key = id(spot.element), spot.filter.field
        if len(works) == len(named) or len(named) == 1 or key in told:
            continue
        told.add(key)
        others = " and ".join(str(number) for number in named if number not in works)
        message = (
            f"{spot.filter.field} is found by its place among the fields of event {spot.event.id}; in {others} it"
            " stands elsewhere and is never looked at"
        )
        hint = "give the other events an element of their own, with a field that only they have"
        yield Found(
            spot.filter.place, message, f"a field that stands at one place in all events of {spot.element.tag}", hint
        )


def _idle(scene: Scene) -> Iterator[Found]:
    for case in _once(scene):
        for one, two in combinations(case.clauses[:_MOST], 2):
            if one[0].field != two[0].field or len(one) > 1 or len(two) > 1:
                continue
            first, second = one[0].source, two[0].source
            if scene.meaning(first).never or scene.meaning(second).never:
                continue
            for strong, weak in ((first, second), (second, first)):
                if implies(scene.meaning(strong), scene.meaning(weak)) and not scene.meaning(weak).always:
                    message = f"whatever meets the condition of line {strong.place.line} meets this one as well"
                    yield Found(weak.place, message, "conditions that add something", "remove this one")
                    break


def _once(scene: Scene) -> Iterator[Case]:
    """The cases of all events; those of a series once."""
    seen = set()
    for cases in scene.cases.values():
        for case in cases:
            if id(case.source) not in seen:
                seen.add(id(case.source))
                yield case


_RULE = '<Rule groupRelation="and">\n{}\n</Rule>'

CHECKS = (
    Check(
        "L201",
        "error",
        "Conditions that exclude each other",
        "In a Rule with `and` every condition must hold, also those on one field. Two that no value meets together keep"
        " the Rule from ever matching.",
        include(
            "ProcessCreate",
            _RULE.format('<Image condition="image">a.exe</Image>\n<Image condition="image">b.exe</Image>'),
        ),
        include("ProcessCreate", '<Image condition="image">a.exe</Image>\n<Image condition="image">b.exe</Image>'),
        _contradictory,
    ),
    Check(
        "L202",
        "error",
        "Alternatives that leave nothing out",
        "Where one of several conditions is enough, two negative ones on a field match every event: whatever is not the"
        " one is the other. Under `and` this is so too for conditions on one field directly in the event element.",
        include(
            "ProcessCreate",
            '<Image condition="is not">C:\\a.exe</Image>\n<Image condition="is not">C:\\b.exe</Image>',
        ),
        include(
            "ProcessCreate",
            _RULE.format('<Image condition="is not">C:\\a.exe</Image>\n<Image condition="is not">C:\\b.exe</Image>'),
        ),
        _covering,
    ),
    Check(
        "L203",
        "warning",
        "A field that works for one event of its tag only",
        "RegistryEvent, PipeEvent and WmiEvent stand for several events. Sysmon fits an element to one of them and"
        " finds fields by their place; where the field stands at another place, the condition never holds.",
        include("RegistryEvent", '<User condition="end with">\\joe</User>'),
        include("RegistryEvent", '<TargetObject condition="contains">\\joe</TargetObject>'),
        _one_of_a_series,
    ),
    Check(
        "L204",
        "note",
        "A condition that adds nothing",
        "Another condition of the same Rule is stricter on the same field.",
        include(
            "ProcessCreate",
            _RULE.format(
                '<CommandLine condition="contains">-enc</CommandLine>\n'
                '<CommandLine condition="contains">-e</CommandLine>'
            ),
        ),
        include("ProcessCreate", '<CommandLine condition="contains">-enc</CommandLine>'),
        _idle,
    ),
)
