"""Rows of pieces under each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pysmon.formats.describe import Piece
from pysmon.views.columns import columns


def laid(rows: list[list[str]], right: set[int]) -> list[str]:
    lines = columns([[Piece(text, "value") for text in row] for row in rows], right)
    return ["".join(piece.text for piece in line.pieces) for line in lines]


def test_words_stand_left_and_numbers_right() -> None:
    assert laid([["name", "count"], ["a", "12"], ["long name", "1,234,567"]], {1}) == [
        "name           count",
        "a                 12",
        "long name  1,234,567",
    ]


def test_what_ends_a_row_takes_no_room_from_others() -> None:
    assert laid([["a", "b", "c"], ["a long remark"], ["a", "another long remark"]], set()) == [
        "a  b  c",
        "a long remark",
        "a  another long remark",
    ]


def test_wide_characters_take_two_columns() -> None:
    assert laid([["日本", "x"], ["a", "y"]], set()) == ["日本  x", "a     y"]


def test_no_rows_are_no_lines() -> None:
    assert laid([], {1}) == []


@given(st.lists(st.lists(st.text("ab1 日"), min_size=3, max_size=3), min_size=1), st.sets(st.integers(0, 2)))
def test_every_text_is_there_and_what_is_right_ends_at_one_place(rows: list[list[str]], right: set[int]) -> None:
    lines = laid(rows, right | {2})
    assert len({cell_len(line) for line in lines}) == 1
    for row, line in zip(rows, lines, strict=True):
        assert line.replace(" ", "") == "".join(row).replace(" ", "")
