"""Kinds of values: to text and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.schema import kinds


@given(st.integers(0, 2**64 - 1))
def test_a_number_reads_back_from_its_text(value: int) -> None:
    for kind in (kinds.UINT16, kinds.UINT32, kinds.UINT64, kinds.PID):
        assert kind.parse(kind.text(value)) == value


@given(st.text())
def test_a_text_is_its_own_text(value: str) -> None:
    for kind in (kinds.TEXT, kinds.TIME, kinds.GUID, kinds.HEX_INT32, kinds.HEX_INT64):
        assert kind.text(value) == value
        assert kind.parse(value) == value


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (None, "-")])
def test_a_boolean_is_true_false_or_not_known(value: bool | None, text: str) -> None:
    assert kinds.BOOLEAN.text(value) == text
    assert kinds.BOOLEAN.parse(text) is value


def test_a_number_that_is_not_known_is_a_dash_in_both_directions() -> None:
    assert kinds.UINT32.text(None) == "-"
    assert kinds.UINT32.parse("-") is None


@pytest.mark.parametrize("text", ["yes", "1", ""])
def test_what_is_no_boolean_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected true or false"):
        kinds.BOOLEAN.parse(text)


def test_a_number_in_hex_is_read_too_and_a_word_is_refused() -> None:
    assert kinds.UINT32.parse("0x10") == 16
    with pytest.raises(ValueError, match="invalid literal"):
        kinds.UINT32.parse("ten")
