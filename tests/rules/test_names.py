"""Which name a verdict carries: the last named condition that held while the engine was looking."""

from __future__ import annotations

from typing import Any

from tests.rules.build import AND, OR, element, event, filter_, rule, ruleset

from pysmon.config.model import EventFilter
from pysmon.rules.verdict import Verdict


def verdict(*filters: EventFilter, **fields: Any) -> Verdict:
    return ruleset(*filters).decide(event(**fields))


BASH = filter_("Image", "is", "bash", "image")
ROOT = filter_("User", "is", "root", "user")
LS = filter_("CommandLine", "is", "ls")  # has no name


def test_under_or_it_is_the_first_that_matches() -> None:
    assert verdict(element("include", BASH, ROOT), Image="bash", User="root") == (True, "image")


def test_under_and_it_is_the_last_that_matches() -> None:
    assert verdict(element("include", BASH, ROOT, relation=AND), Image="bash", User="root") == (True, "user")


def test_a_condition_without_a_name_leaves_the_one_before() -> None:
    found = verdict(element("include", BASH, LS, relation=AND), Image="bash", CommandLine="ls")
    assert found == (True, "image")


def test_a_field_that_is_settled_sets_no_further_name() -> None:
    again = filter_("Image", "contains", "a", "again")
    assert verdict(element("include", BASH, again, relation=AND), Image="bash") == (True, "image")


def test_a_rule_names_by_its_conditions() -> None:
    found = verdict(element("include", rule(AND, BASH, ROOT), rule(OR, LS)), Image="bash", User="root")
    assert found == (True, "user")


def test_what_is_dropped_by_a_named_exclude_says_so() -> None:
    assert verdict(element("exclude", BASH), Image="bash") == (False, "image")


def test_nothing_matched_means_no_name() -> None:
    partly = element("exclude", BASH, ROOT, relation=AND)
    assert verdict(partly, Image="bash") == (True, "-")


def test_a_stale_name_of_an_element_that_did_not_match_survives() -> None:
    partly = element("exclude", BASH, ROOT, relation=AND)
    found = verdict(partly, element("include", LS), Image="bash", CommandLine="ls")
    assert found == (True, "image")


def test_a_stale_name_of_a_rule_that_did_not_match_survives() -> None:
    found = verdict(element("include", rule(AND, BASH, ROOT), LS), Image="bash", CommandLine="ls")
    assert found == (True, "image")


def test_a_stale_name_survives_an_element_that_gave_up() -> None:
    unknown = filter_("ProcessId", "is", "1")
    gives_up = element("exclude", BASH, unknown, relation=AND)
    rules = ruleset(gives_up, element("include", LS))
    assert rules.decide(event(Image="bash", CommandLine="ls", ProcessId=None)) == (True, "image")


def test_an_element_that_gave_up_looks_no_further() -> None:
    unknown = filter_("ProcessId", "is", "1")
    gives_up = element("exclude", ROOT, unknown, BASH, unknown, relation=AND)
    rules = ruleset(gives_up, element("include", LS))
    found = rules.decide(event(User="root", Image="bash", CommandLine="ls", ProcessId=None))
    assert found == (True, "user")


def test_the_last_element_of_the_document_is_asked_first() -> None:
    first, last = filter_("Image", "is", "bash", "first"), filter_("Image", "is", "bash", "last")
    assert verdict(element("include", first), element("include", last), Image="bash") == (True, "last")
