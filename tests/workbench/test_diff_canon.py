"""The law of the diff: rules of one form decide equally, RuleNames of what is kept included."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.build import AND, OR, configuration, element, filter_, rule
from tests.rules.test_law import TAGS, elements, events

from pysmon.config.model import Configuration, EventFilter, Filter, Relation, Rule
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import EVENTS, Event
from pysmon.workbench.diff_canon import canonical

A, B, C = (filter_("Image", "is", letter) for letter in "abc")
NAMED = filter_("Image", "is", "a", "n")
OTHER = filter_("User", "is", "x", "m")
PORT = filter_("DestinationPort", "is", "1")


def same(one: Configuration, two: Configuration, event_id: int = 1) -> bool:
    forms = [canonical((made := Ruleset.compile(each)).rules[event_id], made.image_splits_on) for each in (one, two)]
    return forms[0] == forms[1]


EQUAL = {
    "case of a value": ([element("include", A)], [element("include", filter_("Image", "is", "A"))]),
    "order without names": ([element("include", A, B)], [element("include", B, A)]),
    "twice": ([element("include", A, B, A)], [element("include", A, B)]),
    "two elements of includes": ([element("include", A), element("include", B)], [element("include", A, B)]),
    "order of include and exclude": (
        [element("include", A), element("exclude", B)],
        [element("exclude", B), element("include", A)],
    ),
    "and of one field": ([element("include", A, B, relation=AND)], [element("include", A, B)]),
    "a list of one": ([element("include", filter_("Image", "is any", "a"))], [element("include", A)]),
    "order of a list": (
        [element("include", filter_("Image", "contains any", "a;b"))],
        [element("include", filter_("Image", "contains any", "b;a"))],
    ),
    "an empty Rule": ([element("include", A, rule(AND))], [element("include", A)]),
    "a Rule of one": ([element("include", rule(AND, A))], [element("include", A)]),
    "a Rule with or": ([element("include", rule(OR, A, B))], [element("include", A, B)]),
    "and as a Rule": (
        [element("include", A, filter_("User", "is", "x"), relation=AND)],
        [element("include", rule(AND, A, filter_("User", "is", "x")))],
    ),
    "names of excludes": (
        [element("include", NAMED), element("exclude", B)],
        [element("include", NAMED), element("exclude", replace(B, name="q"))],
    ),
    "what keeps nothing": ([element("include")], [element("include"), element("exclude", A)]),
}
DIFFERENT = {
    "a value": ([element("include", A)], [element("include", B)]),
    "a name": ([element("include", A)], [element("include", NAMED)]),
    "a condition": ([element("include", A)], [element("include", filter_("Image", "end with", "a"))]),
    "order with names": ([element("include", NAMED, OTHER)], [element("include", OTHER, NAMED)]),
    "order of elements with names": (
        [element("include", NAMED), element("include", OTHER)],
        [element("include", OTHER), element("include", NAMED)],
    ),
    "and of two fields": ([element("include", NAMED, OTHER, relation=AND)], [element("include", NAMED, OTHER)]),
    "two excludes alone": ([element("exclude", A), element("exclude", B)], [element("exclude", A, B)]),
    "a Rule within and": (
        [element("include", A, B, OTHER, relation=AND)],
        [element("include", rule(AND, A), B, OTHER, relation=AND)],
    ),
}


@pytest.mark.parametrize("name", EQUAL)
def test_what_makes_no_difference_is_none(name: str) -> None:
    one, two = EQUAL[name]
    assert same(configuration(*one), configuration(*two))


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_makes_a_difference_is_one(name: str) -> None:
    one, two = DIFFERENT[name]
    assert not same(configuration(*one), configuration(*two))


def test_order_matters_where_a_number_may_be_missing() -> None:
    image = filter_("Image", "is", "a")
    one, two = (configuration(element("include", *order, event_id=3)) for order in ((PORT, image), (image, PORT)))
    assert not same(one, two, 3)


def test_a_name_that_can_be_left_over_keeps_its_place() -> None:
    left_over = rule(AND, NAMED, filter_("User", "is", "x", "n"))
    other_way = replace(left_over, filters=left_over.filters[::-1])
    unnamed = filter_("ParentImage", "is", "p")
    one, two = (configuration(element("include", each, unnamed)) for each in (left_over, other_way))
    assert not same(one, two)
    named = replace(unnamed, name="q")
    one, two = (configuration(element("include", each, named)) for each in (left_over, other_way))
    assert same(one, two)


@st.composite
def reworked(draw: st.DrawFn, made: list[EventFilter]) -> list[EventFilter]:
    """The same elements with something changed that may or may not matter."""
    changed = list(made)
    for _ in range(draw(st.integers(1, 3))):
        if not changed:
            break
        at = draw(st.integers(0, len(changed) - 1))
        each = changed[at]
        entries = list(each.entries)
        match draw(st.integers(0, 7)):
            case 0:
                changed = draw(st.permutations(changed))
            case 1:
                changed[at] = replace(each, entries=tuple(draw(st.permutations(entries))))
            case 2 if entries:
                changed[at] = replace(each, entries=(*entries, draw(st.sampled_from(entries))))
            case 3:
                changed[at] = replace(each, relation=draw(st.sampled_from([Relation.AND, Relation.OR])))
            case 4 if entries:
                cut = draw(st.integers(0, len(entries)))
                parts = [replace(each, entries=tuple(part)) for part in (entries[:cut], entries[cut:])]
                changed[at : at + 1] = parts[:: draw(st.sampled_from([1, -1]))]
            case 5:
                changed[at] = replace(each, entries=tuple(_wrapped(entry, each.relation) for entry in entries))
            case 6:
                changed[at] = replace(each, entries=tuple(_upper(entry) for entry in entries))
            case _:
                changed[at] = replace(each, entries=tuple(entries[1:]))
    return changed


def _wrapped(entry: Filter | Rule, relation: Relation) -> Filter | Rule:
    return rule(relation, entry) if isinstance(entry, Filter) else entry


def _upper(entry: Filter | Rule) -> Filter | Rule:
    if isinstance(entry, Filter):
        return replace(entry, value="".join(c.upper() if c in "ab" else c for c in entry.value))
    return replace(entry, filters=tuple(replace(f, value=f.value.replace("a", "A")) for f in entry.filters))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[list[EventFilter], list[EventFilter], list[Event]]:
    tag = draw(st.sampled_from(TAGS))
    made = draw(st.lists(elements(tag), max_size=3))
    return made, draw(reworked(made)), draw(st.lists(events(tag), min_size=1, max_size=5))


@given(pair=pairs())
@settings(max_examples=600, deadline=None)
def test_rules_of_one_form_decide_equally(pair: tuple[list[EventFilter], list[EventFilter], list[Event]]) -> None:
    old, new, stream = pair
    one, two = (Ruleset.compile(configuration(*made)) for made in (old, new))
    for number in EVENTS:
        if canonical(one.rules[number], "\\/") != canonical(two.rules[number], "\\/"):
            continue
        for event in (each for each in stream if each.type.id == number):
            before, after = one.decide(event), two.decide(event)
            assert before.keep == after.keep
            assert not before.keep or before.rule_name == after.rule_name
