"""What the rules make of an event: elements, relations, order, defaults, series."""

from __future__ import annotations

import pytest
from tests.rules.build import AND, OR, configuration, element, event, filter_, rule, ruleset

from pysmon.config.model import EventFilter
from pysmon.errors import MisuseError
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.verdict import Verdict
from pysmon.schema.event import EVENTS

BASH = filter_("Image", "is", "bash")
ROOT = filter_("User", "is", "root")
LS = filter_("CommandLine", "is", "ls")


def keeps(rules: Ruleset, event_id: int = 1, **fields: object) -> bool:
    return rules.decide(event(event_id, **fields)).keep


@pytest.mark.parametrize("rules", [Ruleset.compile(None), ruleset()])
def test_without_rules_an_event_has_the_default_of_its_type(rules: Ruleset) -> None:
    kept = {number for number in EVENTS if keeps(rules, number)}
    assert kept == {1, 5} | {4, 16, 255}


def test_rules_of_one_tag_leave_other_events_as_they_were() -> None:
    rules = ruleset(element("include", event_id=3))
    assert keeps(rules, 1)
    assert not keeps(rules, 3)
    assert not keeps(rules, 11)


def test_what_no_configuration_can_filter_is_always_kept() -> None:
    unfiltered = EventFilter("", 4, "include", OR, (), "", BASH.place)
    assert keeps(ruleset(unfiltered), 4)


def test_an_empty_include_keeps_nothing_and_an_empty_exclude_keeps_all() -> None:
    assert not keeps(ruleset(element("include")))
    assert keeps(ruleset(element("exclude", event_id=11)), 11)
    assert not keeps(ruleset(element("include", relation=AND)))
    assert keeps(ruleset(element("exclude", relation=AND)))


def test_exclude_comes_before_include_wherever_it_stands() -> None:
    for rules in (
        ruleset(element("include", BASH), element("exclude", ROOT)),
        ruleset(element("exclude", ROOT), element("include", BASH)),
    ):
        assert keeps(rules, Image="bash", User="bob")
        assert not keeps(rules, Image="bash", User="root")
        assert not keeps(rules, Image="zsh", User="bob")


def test_two_includes_are_a_union() -> None:
    rules = ruleset(element("include", BASH), element("include", ROOT))
    assert keeps(rules, Image="bash")
    assert keeps(rules, User="root")
    assert not keeps(rules)


def test_two_excludes_and_no_include_keep_nothing() -> None:
    rules = ruleset(element("exclude", BASH), element("exclude", ROOT))
    assert not keeps(rules, Image="zsh", User="bob")


def test_or_takes_the_first_entry_that_matches() -> None:
    rules = ruleset(element("include", BASH, ROOT))
    assert keeps(rules, Image="bash")
    assert keeps(rules, User="root")
    assert not keeps(rules)


def test_and_asks_for_every_field_and_for_one_of_each() -> None:
    zsh = filter_("Image", "is", "zsh")
    rules = ruleset(element("include", BASH, ROOT, zsh, relation=AND))
    assert keeps(rules, Image="bash", User="root")
    assert keeps(rules, Image="zsh", User="root")
    assert not keeps(rules, Image="zsh")
    assert not keeps(rules, Image="sh", User="root")


def test_two_negatives_on_one_field_under_and_hold_always() -> None:
    rules = ruleset(element("include", filter_("Image", "is not", "a"), filter_("Image", "is not", "b"), relation=AND))
    assert all(keeps(rules, Image=image) for image in "abc")


def test_a_rule_with_and_asks_for_every_condition_also_on_one_field() -> None:
    both = rule(AND, filter_("Image", "contains", "a"), filter_("Image", "contains", "b"))
    rules = ruleset(element("include", both))
    assert keeps(rules, Image="ab")
    assert not keeps(rules, Image="a")


def test_a_rule_with_or_is_one_entry() -> None:
    either = rule(OR, BASH, filter_("User", "is", "bob"))
    rules = ruleset(element("include", either, LS, relation=AND))
    assert keeps(rules, User="bob", CommandLine="ls")
    assert not keeps(rules, User="bob")
    assert not keeps(rules, CommandLine="ls")


def test_every_rule_of_an_and_element_must_match() -> None:
    one, two = rule(AND, BASH), rule(AND, filter_("Image", "is", "zsh"))
    assert not keeps(ruleset(element("include", one, two, relation=AND)), Image="bash")
    assert keeps(ruleset(element("include", one, two, relation=OR)), Image="bash")


def test_a_field_within_a_rule_does_not_settle_it_outside() -> None:
    rules = ruleset(element("include", rule(AND, BASH), filter_("Image", "is", "zsh"), relation=AND))
    assert not keeps(rules, Image="bash")


def test_a_rule_without_conditions_counts_for_nothing() -> None:
    assert not keeps(ruleset(element("include", rule(AND))))
    assert keeps(ruleset(element("include", rule(OR), BASH, relation=AND)), Image="bash")


def test_the_rule_name_field_reads_unset_whatever_the_event_says() -> None:
    rules = ruleset(element("include", filter_("RuleName", "is", "-")))
    assert keeps(rules, RuleName="T1059")


def test_a_boolean_compares_as_its_word() -> None:
    rules = ruleset(element("include", filter_("Initiated", "is", "True"), event_id=3))
    assert [keeps(rules, 3, Initiated=value) for value in (True, False, None)] == [True, False, False]
    unset = ruleset(element("include", filter_("Initiated", "is", "-"), event_id=3))
    assert keeps(unset, 3, Initiated=None)


def test_an_element_gives_up_at_a_number_that_is_not_known() -> None:
    port = filter_("DestinationPort", "is not", "443", "port")
    image = filter_("Image", "is", "curl")
    assert not keeps(ruleset(element("include", port, image, event_id=3)), 3, DestinationPort=None, Image="curl")
    assert keeps(ruleset(element("include", image, port, event_id=3)), 3, DestinationPort=None, Image="curl")
    assert keeps(ruleset(element("exclude", rule(AND, port), image, event_id=3)), 3, DestinationPort=None, Image="curl")
    again = filter_("DestinationPort", "is", "80")
    rules = ruleset(element("include", port, again, image, event_id=3, relation=AND))
    assert not keeps(rules, 3, DestinationPort=None, Image="curl")
    assert keeps(rules, 3, DestinationPort=80, Image="curl")


# Registry, pipe and WMI events share a tag: an element is compiled against one event of the series.


def test_a_field_at_the_same_place_counts_for_all_events_of_the_series() -> None:
    rules = ruleset(element("include", filter_("TargetObject", "contains", "run"), event_id=12))
    assert all(keeps(rules, number, TargetObject="HKLM\\Run") for number in (12, 13, 14))


def test_a_field_at_another_place_matches_only_where_it_was_compiled() -> None:
    rules = ruleset(element("include", filter_("User", "is", "root"), event_id=12))
    assert [keeps(rules, number, User="root") for number in (12, 13, 14)] == [True, False, False]


def test_a_field_that_another_event_of_the_series_lacks_never_matches_there_also_if_negated() -> None:
    rules = ruleset(element("include", filter_("Details", "is not", "x"), event_id=13))
    assert [keeps(rules, number) for number in (12, 13, 14)] == [False, True, False]


def test_a_field_beyond_the_last_of_the_event_never_matches() -> None:
    rules = ruleset(element("include", filter_("Destination", "is", "-"), event_id=20))
    assert [keeps(rules, number) for number in (19, 20, 21)] == [False, True, False]


def test_a_field_that_the_event_does_not_have_is_told_with_its_place() -> None:
    with pytest.raises(MisuseError, match=r"test\.xml:1:1: event 1 .* no field 'Nothing'"):
        ruleset(element("include", filter_("Nothing", "is", "x")))


def test_the_tree_still_knows_its_elements_and_the_bits_count_in_evaluation_order() -> None:
    include, exclude = element("include", rule(AND, BASH, ROOT), LS), element("exclude", LS)
    tree = Ruleset.compile(configuration(include, exclude)).rules[1]
    assert [e.source for e in tree.elements] == [exclude, include]
    assert [check.source for check in tree.checks] == [LS, BASH, ROOT, LS]
    assert [check.mask for check in tree.checks] == [1, 2, 4, 8]
    assert tree.elements[1].mask == 14


def test_the_verdict_of_a_known_event_is_the_same_again() -> None:
    rules = ruleset(element("include", filter_("Image", "is", "bash", "shell")))
    once = [rules.decide(event(Image=image)) for image in ("bash", "zsh")]
    for _ in range(3):
        assert [rules.decide(event(Image=image)) for image in ("bash", "zsh")] == once
    assert once == [Verdict(True, "shell"), Verdict(False, "-")]


def test_values_alone_have_the_verdict_of_the_event_that_holds_them() -> None:
    rules = ruleset(element("include", rule(AND, filter_("Image", "image", "bash"), ROOT, name="shell")))
    names, decide = rules.by_values(1)
    assert names == ("Image", "User")  # in the order of the schema
    for image, user in (("/bin/bash", "root"), ("/bin/bash", "joe"), ("/bin/sh", "root")):
        assert decide((image, user)) == rules.decide(event(Image=image, User=user))
    assert ruleset().by_values(11)[0] == ()
