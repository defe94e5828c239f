"""Differences by meaning, told in the parts of the configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.rules.build import AND, configuration, element, event, filter_, rule
from tests.rules.places import told_apart
from tests.workbench.test_diff_canon import EQUAL, pairs

from pysmon.config.model import Configuration, EventFilter, Filter, Options
from pysmon.config.read import read_file
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import Event
from pysmon.schema.version import SchemaVersion
from pysmon.workbench.diff import Change, diff

A, B, C = (filter_("Image", "is", letter, letter) for letter in ("aaa", "bbb", "ccc"))


def changes(old: list[EventFilter], new: list[EventFilter]) -> list[tuple[str, str, object, object]]:
    found = diff(configuration(*told_apart(old)), configuration(*told_apart(new)))
    return [(change.sort, change.onmatch, _said(change.old), _said(change.new)) for change in found]


def _said(part: object) -> object:
    return part.value if isinstance(part, Filter) else type(part).__name__ if part else None


@pytest.mark.parametrize("name", EQUAL)
def test_what_makes_no_difference_is_not_told(name: str) -> None:
    assert changes(*EQUAL[name]) == []


def test_what_came_and_went_is_told() -> None:
    old, new = [element("include", A, B)], [element("include", B, C)]
    assert changes(old, new) == [("removed", "include", "aaa", None), ("added", "include", None, "ccc")]


def test_another_name_value_or_condition_is_a_change() -> None:
    for other in (replace(A, name="x"), replace(A, value="aaa and more"), filter_("Image", "end with", "aaa", "aaa")):
        found = changes([element("include", A, B)], [element("include", other, B)])
        assert found == [("changed", "include", "aaa", other.value)]


def test_another_order_is_told_where_it_matters_and_as_few_moves_as_explain_it() -> None:
    old, new = [element("include", A, B, C)], [element("include", C, A, B)]
    assert changes(old, new) == [("moved", "include", "ccc", "ccc")]
    plain = [element("exclude", A, B, C)], [element("exclude", C, A, B, filter_("User", "is", "x"))]
    assert changes(*plain) == [("added", "exclude", None, "x")]


def test_of_a_rule_the_conditions_that_changed_are_told() -> None:
    user, other = filter_("User", "is", "x"), filter_("User", "is", "y")
    old, new = (configuration(*told_apart([element("include", rule(AND, A, B, each), C)])) for each in (user, other))
    (change,) = diff(old, new)
    assert (change.sort, change.tag) == ("changed", "ProcessCreate")
    assert [(came, condition.value) for came, condition in change.inner] == [(False, "x"), (True, "y")]


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (element("exclude", A, filter_("User", "is", "x")), "include -> exclude"),
        (element("include", A, filter_("User", "is", "x"), relation=AND), "or -> and"),
    ],
)
def test_an_element_that_joins_or_matches_otherwise_is_one_change(new: EventFilter, said: str) -> None:
    found = diff(configuration(element("include", A, filter_("User", "is", "x"))), configuration(new))
    assert (found[0].sort, found[0].said) == ("changed", said)
    assert [change.sort for change in found[1:]] in ([], ["default"])


def test_what_becomes_of_events_that_nothing_matches_is_told() -> None:
    found = diff(configuration(element("exclude", A)), configuration(element("exclude", A), element("include", B)))
    assert [(change.sort, change.said) for change in found] == [("added", ""), ("default", "kept -> dropped")]


def test_options_and_the_schema_version_are_told_first() -> None:
    old = configuration(element("include", A))
    new = replace(old, schema_version=SchemaVersion(4, 81), options=Options(hash_algorithms=("MD5",), dns_lookup=False))
    assert [(change.sort, change.tag, change.said) for change in diff(old, new)] == [
        ("option", "schemaversion", "4.90 -> 4.81"),
        ("option", "HashAlgorithms", "not given -> MD5"),
        ("option", "DnsLookup", "not given -> false"),
    ]


def test_a_difference_of_one_event_of_a_series_is_one() -> None:
    old = element("include", filter_("TargetObject", "is", "x"), event_id=12)
    new = element("include", filter_("TargetObject", "is", "x"), filter_("Details", "is", "y"), event_id=13)
    assert changes([old], [new]) == [("added", "include", None, "y")]


@given(pair=pairs())
@settings(max_examples=300, deadline=None)
def test_if_nothing_is_told_no_event_is_judged_differently(
    pair: tuple[list[EventFilter], list[EventFilter], list[Event]],
) -> None:
    made, changed, stream = pair
    old, new = configuration(*made), configuration(*changed)
    told = diff(old, new)
    if not told:
        before, after = Ruleset.compile(old), Ruleset.compile(new)
        for each in stream:
            was, now = before.decide(each), after.decide(each)
            assert was.keep == now.keep
            assert not was.keep or was.rule_name == now.rule_name
    assert all(isinstance(change, Change) for change in told)


@pytest.mark.parametrize("name", ["swiftonsecurity", "sysmon-modular", "neo23x0", "mstic-linux-main"])
def test_a_real_configuration_is_like_itself_and_unlike_itself_without_a_condition(shared: object, name: str) -> None:
    path = shared(f"data/configs/{name}.xml")  # type: ignore[operator]
    made = read_file(Path(path)).configuration
    assert isinstance(made, Configuration)
    assert diff(made, made) == []
    element_at = next(n for n, each in enumerate(made.filters) if len(each.entries) > 2 and each.onmatch == "include")
    cut = replace(made.filters[element_at], entries=made.filters[element_at].entries[1:])
    less = replace(made, filters=(*made.filters[:element_at], cut, *made.filters[element_at + 1 :]))
    found = diff(made, less)
    assert [change.sort for change in found] in (["removed"], ["changed"])


def test_an_event_shows_that_a_told_difference_is_one() -> None:
    old, new = configuration(element("include", A, B)), configuration(element("include", B))
    assert diff(old, new)
    seen = event(Image="aaa")
    assert Ruleset.compile(old).decide(seen) != Ruleset.compile(new).decide(seen)
