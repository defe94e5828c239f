"""Conditions in the words of the rule language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.entries import create

from pysmon.cli.file_log import matches
from pysmon.cli.where import clause, clauses
from pysmon.config.model import Condition as Word
from pysmon.errors import MisuseError
from pysmon.rules.conditions import holds
from pysmon.store.query import Condition, Query


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Image is /usr/bin/curl", ("Image", Word.IS, "/usr/bin/curl")),
        ("image IS NOT x", ("Image", Word.IS_NOT, "x")),
        ("CommandLine contains all a;b c", ("CommandLine", Word.CONTAINS_ALL, "a;b c")),
        ("CommandLine contains allure", ("CommandLine", Word.CONTAINS, "allure")),
        ("  Image   end with   sh  ", ("Image", Word.END_WITH, "sh")),
        ("User is", ("User", Word.IS, "")),
        ("sourceprocessguid is x", ("SourceProcessGuid", Word.IS, "x")),
    ],
)
def test_a_condition_is_a_field_a_word_and_a_value(text: str, read: tuple[str, Word, str]) -> None:
    asked = clause(text)
    assert (asked.field, asked.word, asked.value) == read


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("Imagine is x", "no event has a field 'Imagine'", "did you mean Image"),
        ("Zzzz is x", "no event has a field 'Zzzz'", "pysmon schema"),
        (
            "Image /usr/bin/curl",
            "has no condition (expected for example 'Image contains /usr/bin/curl')",
            "not begin with",
        ),
        ("Image ends with sh", "has no condition", "end with"),
    ],
)
def test_what_is_not_understood_is_told_with_what_would_be(text: str, message: str, hint: str) -> None:
    with pytest.raises(MisuseError) as raised:
        clause(text)
    assert message in str(raised.value)
    assert hint in raised.value.hint


@given(
    st.sampled_from([word for word in Word if word not in (Word.LESS_THAN, Word.MORE_THAN)]),
    st.text("ab;/.", min_size=1, max_size=6),
    st.text("ab;/.", min_size=1, max_size=8),
)
def test_what_a_log_looks_for_is_what_the_rules_mean(word: Word, value: str, text: str) -> None:
    """The order of texts is left out: of numbers a log compares the value, where the rules compare digits."""
    made = create(CommandLine=text)
    for any_of in ((), [Condition("Image", "is", "/usr/bin/python3.11")]):
        asked = clauses([f"CommandLine {word.value} {value}"], any_of=any_of)
        found = matches(Query(conditions=tuple(asked.conditions), any_of=tuple(asked.any_of)), made)
        found = found and all(one.holds(made.event) for one in asked.rest)
        assert found == holds(word, value, text)


def test_several_conditions_must_all_hold() -> None:
    asked = clauses(["Image image python3.11;x", "CommandLine is any a;b", "User is root"])
    assert (len(asked.conditions), len(asked.any_of), [one.word for one in asked.rest]) == (1, 3, [Word.IS_ANY])


def test_an_event_without_the_field_meets_no_condition() -> None:
    assert not clause("QueryName is not x").holds(create().event)
