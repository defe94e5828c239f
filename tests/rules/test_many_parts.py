"""Many parts are looked up by the pieces of a text: the outcome is that of looking for one after the other."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.build import element, event, filter_, ruleset

from pysmon.config.model import Condition
from pysmon.rules.conditions import holds
from pysmon.rules.verdict import Verdict

OTHERS = [f"{a}{b}xyz-{n}" for n, (a, b) in enumerate(zip(string.ascii_lowercase * 2, "qz" * 26, strict=True))]
FILLING = [filter_("CommandLine", "contains", other, f"other {other}") for other in OTHERS]
KINDS = ("contains", "excludes", "contains any", "contains all", "excludes any", "excludes all")
LETTERS = "abA\\;É\U0001f600"
texts = st.text(LETTERS, max_size=14)


def verdict(condition: str, value: str, text: str) -> Verdict:
    rules = ruleset(element("include", *FILLING, filter_("CommandLine", condition, value, "it")))
    return rules.decide(event(1, CommandLine=text))


@pytest.mark.parametrize("before", range(7))
@pytest.mark.parametrize("part", ["abcde", "abcdef", "abcdefg", "ab", "abcd", "aaaaaaaa"])
def test_a_part_is_found_wherever_it_stands(part: str, before: int) -> None:
    assert verdict("contains", part, "-" * before + part) == Verdict(True, "it")
    assert verdict("contains", part, "-" * before + part + "--") == Verdict(True, "it")
    assert verdict("contains", part, "-" * before + part[:-1]) == Verdict(False, "-")


def test_of_parts_that_share_a_piece_each_is_found() -> None:
    rules = ruleset(element("include", *FILLING, filter_("CommandLine", "contains", "one-two", "it")))
    assert rules.decide(event(1, CommandLine=f"one-two {OTHERS[7]}")).rule_name == f"other {OTHERS[7]}"
    assert rules.decide(event(1, CommandLine="xone-two")).rule_name == "it"


@given(st.sampled_from(KINDS), texts, texts)
@settings(deadline=None, max_examples=300)
def test_many_parts_give_what_one_gives(condition: str, value: str, text: str) -> None:
    assert verdict(condition, value, text).keep == holds(Condition(condition), value, text)
