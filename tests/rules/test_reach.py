"""What can be said of rules before any event comes: which events are wanted, which fields are read."""

from __future__ import annotations

import pytest
from tests.rules.build import AND, OR, element, filter_, rule, ruleset

from pysmon.config.model import EventFilter
from pysmon.rules.ruleset import Ruleset

BASH = filter_("Image", "is", "bash")
ALWAYS = filter_("RuleName", "is", "-")
NEVER = filter_("RuleName", "is", "x")

UNWANTED: dict[str, list[EventFilter]] = {
    "an empty include": [element("include")],
    "an include that cannot match": [element("include", NEVER)],
    "an include of which one part cannot match": [element("include", BASH, NEVER, relation=AND)],
    "an include of a rule that cannot match": [element("include", rule(AND, BASH, NEVER))],
    "an exclude that matches all": [element("exclude", BASH, ALWAYS)],
    "an exclude of a rule that matches all": [element("exclude", rule(OR, BASH, ALWAYS))],
    "an exclude that matches all before an include": [element("include", BASH), element("exclude", ALWAYS)],
    "two excludes": [element("exclude", BASH), element("exclude")],
}
WANTED: dict[str, list[EventFilter]] = {
    "an empty exclude": [element("exclude")],
    "an empty exclude under and": [element("exclude", relation=AND)],
    "an include": [element("include", BASH)],
    "an include and an empty one": [element("include"), element("include", BASH)],
    "an include of a rule with a way": [element("include", rule(OR, BASH, NEVER))],
    "an include with a way for each field": [element("include", BASH, NEVER, ALWAYS, relation=AND)],
    "an exclude": [element("exclude", BASH)],
    "an exclude that matches only together": [element("exclude", BASH, ALWAYS, relation=AND)],
}


@pytest.mark.parametrize("filters", UNWANTED.values(), ids=UNWANTED)
def test_an_event_that_cannot_be_kept_is_not_wanted(filters: list[EventFilter]) -> None:
    assert not ruleset(*filters).wants(1)


@pytest.mark.parametrize("filters", WANTED.values(), ids=WANTED)
def test_an_event_that_may_be_kept_is_wanted(filters: list[EventFilter]) -> None:
    assert ruleset(*filters).wants(1)


def test_without_rules_the_defaults_are_wanted() -> None:
    rules = Ruleset.compile(None)
    assert [number for number in (1, 3, 4, 5, 11, 16, 255) if rules.wants(number)] == [1, 4, 5, 16, 255]


def test_an_exclude_that_may_give_up_is_not_certain_to_match() -> None:
    port = filter_("DestinationPort", "is", "443")
    assert ruleset(element("exclude", port, ALWAYS, event_id=3)).wants(3)


def test_the_events_of_a_series_are_wanted_each_for_itself() -> None:
    rules = ruleset(element("include", filter_("Details", "is", "x"), event_id=13))
    assert [rules.wants(number) for number in (12, 13, 14)] == [False, True, False]


def test_only_fields_that_conditions_look_at_are_read() -> None:
    rules = ruleset(
        element("include", BASH, rule(AND, filter_("Hashes", "contains", "MD5"), NEVER), event_id=1),
        element("exclude", filter_("User", "is", "root"), event_id=12),
    )
    assert rules.reads(1) == {"Image", "Hashes"}
    assert rules.reads(12) == {"User"}
    assert rules.reads(13) == frozenset()
    assert rules.reads(4) == frozenset()
