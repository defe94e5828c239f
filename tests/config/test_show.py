"""How a problem looks: place, line, caret, and nothing that a terminal would obey."""

from __future__ import annotations

import pytest
from tests.config.make import create, problem

from pysmon.config.problems import Problem
from pysmon.config.read import read_configuration
from pysmon.config.show import show_problem
from pysmon.errors import Place


def test_a_problem_shows_place_line_caret_expectation_and_hint() -> None:
    shown = show_problem(problem(create('  <Image condition="ends with">/ls</Image>')))
    assert shown.splitlines()[:3] == [
        "a.xml:4:21: error C404: the condition 'ends with' is not known",
        '  4 |   <Image condition="ends with">/ls</Image>',
        "    |                     ^",
    ]
    assert shown.splitlines()[3].startswith("  expected: one of is, is not, ")
    assert shown.splitlines()[4:] == ["  hint: did you mean 'end with'?"]


def test_a_problem_of_a_whole_file_shows_no_line() -> None:
    (found,) = read_configuration(b"", "a.xml").problems
    assert show_problem(found) == "a.xml: error C103: the file is empty\n  expected: a <Sysmon> element"


def caret_under(source: str, column: int) -> str:
    """The character above the caret, counting the columns of a terminal."""
    shown = show_problem(Problem("C000", "error", Place("a", 1, column), "m", "e", "", source)).splitlines()
    line, caret = shown[1].split(" | ", 1)[1], shown[2].split(" | ", 1)[1]
    assert caret.endswith("^")
    return line[len(caret) - 1 :][:1]


@pytest.mark.parametrize("source", ["abX", "\tX", "\t\taX"])
def test_the_caret_stands_under_the_column(source: str) -> None:
    assert caret_under(source, len(source)) == "X"


def test_wide_characters_and_accents_do_not_move_the_caret() -> None:
    shown = show_problem(Problem("C000", "error", Place("a", 1, 4), "m", "e", "", "\u6f22e\u0301X"))
    assert shown.splitlines()[2] == "    |    ^"


@pytest.mark.parametrize("before", [0, 5, 500, 899, 900, 901, 5000])
@pytest.mark.parametrize("after", [0, 50, 5000])
def test_of_a_long_line_the_part_around_the_column_is_shown(before: int, after: int) -> None:
    text = create(f"<!--{'x' * before}--><Imag/><!--{'x' * after}-->")
    found = problem(text)
    shown = show_problem(found).splitlines()
    assert found.place.column == before + 8
    assert len(found.source) <= 1001
    caret = shown[2].split(" | ", 1)[1]
    assert shown[1].split(" | ", 1)[1][len(caret) - 1 :].startswith("<Imag/>")


def test_the_end_of_a_line_can_be_shown() -> None:
    assert caret_under("abc", 4) == ""


@pytest.mark.parametrize("evil", ["\x1b[2J", "\x9b2J", "\r", "\u202e", "\u200b", "\x7f"])
def test_nothing_reaches_a_terminal_that_it_would_obey(evil: str) -> None:
    place = Place(f"a{evil}.xml", 1, 1)
    shown = show_problem(Problem("C000", "error", place, f"m{evil}", f"e{evil}", f"h{evil}", f"s{evil}"))
    assert evil not in shown


def test_a_hostile_name_does_not_reach_a_terminal() -> None:
    assert "\x1b" not in "".join(map(show_problem, read_configuration(b"<Sysmon>\x1b[2J</Sysmon>", "a").problems))
