"""An explanation says what the engine decides, and what it claims would turn the verdict does so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.build import AND, OR, configuration, element, event, filter_, rule
from tests.rules.places import changed, told_apart
from tests.rules.test_law import cases

from pysmon.config.model import Condition, Configuration, EventFilter
from pysmon.rules.explain import Explanation, Turn, explain
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.trace import CheckTrace, GroupTrace
from pysmon.rules.tree import judge
from pysmon.schema.event import Event

_Case = tuple[list[EventFilter], list[Event]]


def explained(*elements: EventFilter, **fields: Any) -> Explanation:
    return explain(Ruleset.compile(configuration(*elements)), event(**fields))


def turned(whole: Configuration, turn: Turn) -> Configuration:
    """The configuration with that one condition replaced by one that always, or never, holds."""
    condition = Condition.BEGIN_WITH if turn.held else Condition.NOT_BEGIN_WITH
    return changed(whole, turn.check.source.place, lambda each: replace(each, condition=condition, value=""))


@given(case=cases(), image_splits_on=st.sampled_from(["\\", "\\/"]))
@settings(max_examples=120, deadline=None)
def test_the_explained_verdict_is_that_of_the_engine(case: _Case, image_splits_on: str) -> None:
    elements, events = case
    ruleset = Ruleset.compile(configuration(*elements), image_splits_on=image_splits_on)
    for each in events:
        found = explain(ruleset, each)
        assert found.verdict == ruleset.decide(each)
        if found.trace.named_by:
            assert found.trace.named_by.source.name == found.verdict.rule_name


@given(case=cases())
@settings(max_examples=120, deadline=None)
def test_what_is_said_to_turn_the_verdict_turns_it_and_nothing_else_does(case: _Case) -> None:
    elements, events = case
    whole = configuration(*told_apart(elements))
    ruleset = Ruleset.compile(whole)
    for each in events:
        found = explain(ruleset, each)
        turns = {turn.check.mask for turn in found.turns}
        for check in found.rules.checks:
            number_is_missing = check.must_know and getattr(each, check.field, 0) is None
            if check.fixed is not None or number_is_missing:
                continue  # the first cannot come out otherwise; for the second no condition would
            held = not found.trace.hits & check.mask
            tried = turned(whole, Turn(check, found.rules.elements[0], held))
            other = Ruleset.compile(tried).decide(each)
            assert (other.keep != found.verdict.keep) == (check.mask in turns)


def test_a_number_without_a_value_is_tried_both_ways() -> None:
    found = explained(
        element("include", filter_("DestinationPort", "is", "443"), event_id=3), event_id=3, DestinationPort=None
    )
    assert not found.verdict.keep
    (looked,) = found.trace.elements[0].checks
    assert (looked.value, looked.outcome, looked.looked_at) == (None, None, True)
    assert [turn.held for turn in found.turns] == [True]


@given(case=cases())
@settings(max_examples=150, deadline=None)
def test_every_turn_is_one_and_none_is_left_out(case: _Case) -> None:
    elements, events = case
    ruleset = Ruleset.compile(configuration(*elements))
    for each in events:
        found = explain(ruleset, each)
        expected = []
        for check in (check for check in found.rules.checks if check.fixed is None):
            unknown = found.trace.unknown & check.mask
            for held in (True, False) if unknown else (not found.trace.hits & check.mask,):
                hits = found.trace.hits | check.mask if held else found.trace.hits & ~check.mask
                verdict = judge(found.rules, hits, found.trace.unknown & ~check.mask)
                expected += [(check.mask, held)] * (verdict.keep != found.verdict.keep)
        assert [(turn.check.mask, turn.held) for turn in found.turns] == expected


def test_conditions_after_the_one_that_decided_are_not_looked_at() -> None:
    first, second = filter_("Image", "is", "/bin/ls"), filter_("User", "is", "root")
    found = explained(element("include", first, second), Image="/bin/ls", User="root")
    assert [(c.outcome, c.looked_at, c.value) for c in found.trace.elements[0].checks] == [
        (True, True, "/bin/ls"),
        (True, False, "root"),
    ]


def test_an_element_after_the_one_that_decided_is_not_asked() -> None:
    exclude = element("exclude", filter_("Image", "is", "/bin/ls"))
    include = element("include", filter_("User", "is", "root"))
    found = explained(include, exclude, Image="/bin/ls", User="root")
    assert [(e.element.source.onmatch, e.asked, e.outcome) for e in found.trace.elements] == [
        ("exclude", True, True),
        ("include", False, None),
    ]
    assert [(turn.check.field, turn.held) for turn in found.turns] == [("Image", False)]


def test_a_rule_tells_how_far_it_came() -> None:
    filters = filter_("Image", "is", "/bin/ls"), filter_("User", "is", "joe"), filter_("CommandLine", "is", "ls")
    found = explained(element("include", rule(AND, *filters)), Image="/bin/ls", User="root", CommandLine="ls")
    (group,) = found.trace.elements[0].entries
    assert isinstance(group, GroupTrace)
    assert (group.looked_at, group.outcome) == (True, False)
    assert [c.looked_at for c in group.checks] == [True, True, False]
    assert [turn.check.field for turn in found.turns] == ["User"]


def test_under_and_a_settled_field_is_not_looked_at_again() -> None:
    names = filter_("Image", "is", "/bin/ls", "one"), filter_("Image", "begin with", "/bin", "two")
    found = explained(element("include", *names, relation=AND), Image="/bin/ls")
    first, second = found.trace.elements[0].entries
    assert isinstance(first, CheckTrace)
    assert isinstance(second, CheckTrace)
    assert (first.looked_at, second.looked_at) == (True, False)
    assert found.verdict.rule_name == "one"


def test_the_name_comes_from_the_condition_that_is_told() -> None:
    stale = rule(AND, filter_("Image", "is", "/bin/ls", "stale"), filter_("User", "is", "joe"))
    found = explained(element("include", stale, filter_("User", "is", "root")), Image="/bin/ls", User="root")
    assert found.verdict.rule_name == "stale"
    assert found.trace.named_by is not None
    assert found.trace.named_by.field == "Image"


@pytest.mark.parametrize(("event_id", "keep"), [(1, True), (3, False), (4, True)])
def test_an_event_without_rules_has_no_way_to_tell(event_id: int, keep: bool) -> None:
    found = explained(event_id=event_id)
    assert found.verdict.keep == keep
    assert (found.trace.elements, found.turns, found.trace.decided_by) == ((), (), None)


def test_two_reasons_to_drop_leave_no_single_condition_that_would_have_kept_it() -> None:
    one, two = filter_("Image", "is", "/bin/ls"), filter_("User", "is", "root")
    found = explained(element("exclude", one, two, relation=OR), Image="/bin/ls", User="root")
    assert not found.verdict.keep
    assert found.turns == ()
