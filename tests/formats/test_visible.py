"""The spelling of what does not print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.formats.visible import encodable, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本", "plain é 日本"),
        ("\x1b]0;pwned\x07", "\\x1b]0;pwned\\x07"),
        ("a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\x9b2J", "\\u009b2J"),
        ("\udc80\udcff\ud83d", "\\x80\\xff\\ud83d"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_does_not_print_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_only_surrogates_keep_a_text_from_being_encoded() -> None:
    assert encodable("\x1b\n\udcff\ud800") == "\x1b\n\\xff\\ud800"


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_prints_and_encodes_once_it_is_visible(text: str) -> None:
    assert visible(text).isprintable()
    encodable(text).encode()  # raises where it cannot
