"""Tables of figures."""

from __future__ import annotations

import pytest
from bench.parts.table import table


def test_words_stand_to_the_left_and_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    table("us", ("now", "ratio"), [("one exec", "9.5", "x 1.00"), ("file", "12.25", "-")])
    assert capsys.readouterr().out == "us          now   ratio\none exec    9.5  x 1.00\nfile      12.25       -\n\n"


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises((ValueError, IndexError)):
        table("us", ("now", "ratio"), [("one exec", "9.5")])
