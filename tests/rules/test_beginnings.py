"""The longest text that a value begins with tells all: the outcome is that of asking for each."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pysmon.rules.beginnings import Beginnings

TEXTS = st.text("ab\U0001f600\ufb01", max_size=5)


@given(st.lists(TEXTS, min_size=1, max_size=8, unique=True), TEXTS)
@settings(deadline=None, max_examples=500)
def test_all_beginnings_of_a_value_are_found(texts: list[str], value: str) -> None:
    table = {text: 1 << n for n, text in enumerate(texts)}
    if value.startswith(tuple(texts)):
        assert Beginnings(table).hits(value) == sum(mask for text, mask in table.items() if value.startswith(text))


def test_what_stands_between_a_beginning_and_the_value_is_passed_over() -> None:
    made = Beginnings({"/etc/": 1, "/etc/cron": 2, "/etc/a": 4, "/etc/cron.d/": 8})
    assert [made.hits(value) for value in ("/etc/b", "/etc/crontab", "/etc/cron.d/x", "/etc/z")] == [1, 3, 11, 1]
