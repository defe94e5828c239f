"""Which rule stands behind a verdict."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from tests.rules.build import AND, configuration, element, event, filter_, rule
from tests.rules.places import told_apart
from tests.rules.test_law import cases

from pysmon.config.model import EventFilter, Filter, Rule
from pysmon.rules.explain import explain
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.ruling import Ruling
from pysmon.schema.event import Event


def ruling(ruleset: Ruleset, of: Event) -> Ruling:
    names, _ = ruleset.by_values(of.type.id)
    decide = ruleset.by_rule(of.type.id, lambda found: found)
    values = tuple(getattr(of, name) for name in names)
    found = decide(values)
    assert all(decide(values) is found for _ in range(3))  # from memory, too
    return found


def several() -> Ruleset:
    include = element(
        "include",
        filter_("Image", "is", "a", "one"),
        rule(AND, filter_("Image", "is", "b"), filter_("User", "is", "x"), name="two"),
        filter_("User", "is", "y"),
    )
    both = element("include", filter_("Image", "is", "c"), filter_("User", "is", "z"), relation=AND)
    exclude = element("exclude", filter_("Image", "is", "d", "gone"))
    return Ruleset.compile(configuration(*told_apart([include, both, exclude])))


@pytest.mark.parametrize(
    ("fields", "keep", "name", "kind", "line"),
    [
        ({"Image": "a"}, True, "one", Filter, 2),
        ({"Image": "A", "User": "y"}, True, "one", Filter, 2),
        ({"Image": "b", "User": "x"}, True, "-", Rule, 3),
        ({"Image": "q", "User": "y"}, True, "-", Filter, 6),
        ({"Image": "c", "User": "z"}, True, "-", EventFilter, 7),
        ({"Image": "d"}, False, "gone", Filter, 11),
    ],
)
def test_it_is_the_condition_the_rule_or_the_whole_element(
    fields: dict[str, Any], keep: bool, name: str, kind: type, line: int
) -> None:
    found = ruling(several(), event(**fields))
    assert (found.keep, found.rule_name, type(found.by)) == (keep, name, kind)
    assert found.by is not None
    assert found.by.place.line == line


def test_what_no_element_matches_has_no_rule() -> None:
    found = ruling(several(), event(Image="q"))
    assert (found.verdict, found.by) == ((False, "-"), None)


def test_each_way_to_decide_is_one_object_also_by_its_key() -> None:
    ruleset = several()
    one, two = (ruling(ruleset, event(Image="a", User=user)) for user in "mn")
    assert one is two is ruleset.rulings(1).by_key(one.key)
    other = several().rulings(1).by_key(one.key)
    assert (other.key, other.by) == (one.key, one.by)


@given(case=cases())
@settings(max_examples=200, deadline=None)
def test_a_ruling_is_the_verdict_and_its_element_the_one_that_decided(
    case: tuple[list[EventFilter], list[Event]],
) -> None:
    made, stream = case
    ruleset = Ruleset.compile(configuration(*told_apart(made)))
    for each in stream:
        found, explained = ruling(ruleset, each), explain(ruleset, each)
        assert found.verdict == ruleset.decide(each)
        decided = explained.trace.decided_by
        assert (found.by is None) == (decided is None)
        if decided is not None and found.by is not None:
            places = {decided.source.place, *(entry.source.place for entry in decided.entries)}
            assert found.by.place in places
