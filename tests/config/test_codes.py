"""Every kind of problem is real: its example has it and nothing else, and the code that reads speaks of no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pysmon.config
from pysmon.config.codes import CODES, Code
from pysmon.config.read import read_configuration

# No short text shows them: test_read.py, test_decode.py and test_hostile.py do.
WITHOUT_EXAMPLE = {"C101", "C107", "C108"}
SOURCES = sorted(Path(pysmon.config.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("code", [c for c in CODES.values() if c.code not in WITHOUT_EXAMPLE], ids=lambda c: c.code)
def test_an_example_has_exactly_its_problem(code: Code) -> None:
    reading = read_configuration(code.example.encode(), "example.xml")
    assert [problem.code for problem in reading.problems] == [code.code]
    assert [problem.severity for problem in reading.problems] == [code.severity]
    assert (reading.configuration is None) == (code.severity == "error")


@pytest.mark.parametrize("code", CODES.values(), ids=lambda c: c.code)
def test_a_problem_says_what_was_expected(code: Code) -> None:
    for problem in read_configuration(code.example.encode(), "example.xml").problems:
        assert problem.message
        assert problem.expected


def test_only_the_named_codes_have_no_example() -> None:
    assert {code.code for code in CODES.values() if not code.example} == WITHOUT_EXAMPLE


def test_codes_are_grouped_and_in_order() -> None:
    assert list(CODES) == sorted(CODES)
    assert all(re.fullmatch("C[1-5][0-9]{2}", code) for code in CODES)


def test_every_code_is_used_and_every_used_code_is_known() -> None:
    told = "".join(path.read_text() for path in SOURCES if path.name != "codes.py")
    assert set(re.findall(r'"(C[0-9]{3})"', told)) == set(CODES)


@pytest.mark.parametrize("code", CODES.values(), ids=lambda c: c.code)
def test_a_code_is_explained_in_whole_sentences(code: Code) -> None:
    assert code.title
    assert not code.title.endswith(".")
    assert code.doc.endswith(".")
