"""What conditions are said to say of each other is so, for every text that is not empty."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.rules.build import filter_

from pysmon.config.model import Condition, Filter
from pysmon.lint.logic import contradict, cover, implies, meaning
from pysmon.rules.conditions import holds

LETTERS = "aAb;\\/"
texts = st.text(LETTERS, max_size=4)
asked = st.text(LETTERS + "é", min_size=1, max_size=5)
filters = st.builds(lambda word, value: filter_("Image", word.value, value), st.sampled_from(list(Condition)), texts)
separators = st.sampled_from(["\\", "\\/"])


def _texts(one: Filter, two: Filter) -> list[str]:
    """Texts that are likely to tell two conditions apart: made of theirs."""
    parts = [part for each in (one, two) for part in (each.value, *each.value.split(";"))]
    made = [*parts, *(f"{a}{b}" for a in parts for b in parts), *(f"{a}\\{b}" for a in parts for b in parts)]
    return [text for text in dict.fromkeys(made) if text]


@given(one=filters, two=filters, text=asked, splits_on=separators)
@example(one=filter_("Image", "image", "a"), two=filter_("Image", "not end with", "b\\a"), text="b\\a", splits_on="\\")
@example(one=filter_("Image", "image", ""), two=filter_("Image", "not end with", "\\"), text="a\\", splits_on="\\")
@settings(max_examples=1500, deadline=None)
def test_what_is_said_of_two_conditions_holds_for_every_text(
    one: Filter, two: Filter, text: str, splits_on: str
) -> None:
    first, second = meaning(one, splits_on), meaning(two, splits_on)
    follows, never_both, always_one = implies(first, second), contradict(first, second), cover(first, second)
    for each in [text, *_texts(one, two)]:
        a, b = (holds(f.condition, f.value, each, splits_on) for f in (one, two))
        assert not (follows and a and not b)
        assert not (never_both and a and b)
        assert not (always_one and not (a or b))
        assert not (first.never and a)
        assert a or not first.always


def _all(relation: str, one: str, two: str) -> bool:
    made = []
    for text in (one, two):
        word = next(c for c in sorted((c.value for c in Condition), key=len, reverse=True) if text.startswith(c))
        made.append(meaning(filter_("Image", word, text[len(word) + 1 :]), "\\"))
    return {"implies": implies, "contradict": contradict, "cover": cover}[relation](*made)


@pytest.mark.parametrize(
    ("relation", "one", "two"),
    [
        ("implies", "is C:\\a\\b.exe", "image b.exe"),
        ("implies", "is any C:\\A;C:\\b", "begin with c:"),
        ("implies", "image b.exe", "end with .exe"),
        ("implies", "end with \\a\\b.exe", "image b.exe"),
        ("implies", "begin with C:\\a\\b", "contains \\a\\"),
        ("implies", "contains any xay;xaz", "contains xa"),
        ("implies", "contains all a;bcd", "contains c"),
        ("implies", "contains abc", "contains any x;b"),
        ("implies", "begin with C:", "not begin with D:"),
        ("implies", "image a.exe", "is not C:\\b.exe"),
        ("implies", "excludes b", "excludes abc"),
        ("implies", "less than a", "less than b"),
        ("contradict", "image a.exe", "image b.exe"),
        ("contradict", "is C:\\a.exe", "contains b"),
        ("contradict", "end with .exe", "not end with .exe"),
        ("contradict", "contains abc", "excludes b"),
        ("contradict", "less than b", "more than b"),
        ("cover", "is not a", "is not b"),
        ("cover", "excludes abc", "contains b"),
    ],
)
def test_what_follows_is_seen(relation: str, one: str, two: str) -> None:
    assert _all(relation, one, two)


@pytest.mark.parametrize(
    ("relation", "one", "two"),
    [
        ("implies", "end with b.exe", "image b.exe"),
        ("implies", "contains a", "begin with a"),
        ("contradict", "contains a", "contains b"),
        ("contradict", "end with .exe", "end with b.exe"),
        ("cover", "is not a", "contains b"),
    ],
)
def test_what_does_not_follow_is_not_claimed(relation: str, one: str, two: str) -> None:
    assert not _all(relation, one, two)
