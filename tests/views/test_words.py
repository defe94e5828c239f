"""Spans of time, and lines cut to a width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pysmon.formats.describe import Piece
from pysmon.views.words import Screen, cut, moment, named, size, span

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("ns", "words"),
    [
        (0, "0.000 s"),
        (-5, "0.000 s"),
        (12_000_000, "0.012 s"),
        (300_000_000, "0.3 s"),
        (59 * SECOND, "59.0 s"),
        (59_990_000_000, "1 min"),
        (125 * SECOND, "2 min 5 s"),
        (3 * 3600 * SECOND + 600 * SECOND, "3 h 10 min"),
        (86_400 * SECOND, "1 d"),
        (4 * 86_400 * SECOND + 7200 * SECOND, "4 d 2 h"),
    ],
)
def test_a_span_is_told_in_the_units_that_fit(ns: int, words: str) -> None:
    assert span(ns) == words


def test_a_program_of_no_known_file_goes_by_its_command() -> None:
    assert [named("-", "sshd: joe"), named("-"), named("/bin/sh", "x")] == ["sshd:", "an unknown program", "sh"]


@given(st.lists(st.text(st.characters(categories=["L", "P", "Zs"])), max_size=5), st.integers(3, 30))
def test_what_is_cut_fits_and_tells_that_it_was_cut(texts: list[str], columns: int) -> None:
    pieces = [Piece(text, "value") for text in texts]
    whole = "".join(texts)
    shown = "".join(piece.text for piece in cut(pieces, Screen(columns)))
    if cell_len(whole) <= columns:
        assert shown == whole
    else:
        assert cell_len(shown) <= columns
        assert shown.endswith("...")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (1 << 20, "1.0 MB"), (1_047_553, "1.0 MB"), (3 << 50, "3072.0 TB")],
)
def test_sizes_are_told_in_a_unit_that_fits(count: int, text: str) -> None:
    assert size(count) == text


@given(st.integers(0, 1 << 50))
def test_no_size_takes_more_than_nine_columns(count: int) -> None:
    assert len(size(count)) <= 9


def test_a_moment_is_told_to_the_second() -> None:
    assert moment(1_795_241_433_999_999_999) == "2026-11-21 06:10:33"
