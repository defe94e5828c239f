"""Every check is real: its bad example has it and nothing else, its good example has nothing."""

from __future__ import annotations

import re

import pytest

from pysmon.config.read import read_configuration
from pysmon.lint.check import Check
from pysmon.lint.checks import CHECKS
from pysmon.lint.judge import judge

each = pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.code)


@each
def test_the_bad_example_has_exactly_this_finding(check: Check) -> None:
    found = judge(check.bad.encode(), "example.xml").problems
    assert {problem.code for problem in found} == {check.code}
    assert {problem.severity for problem in found} == {check.severity}
    assert all(problem.message and problem.expected and problem.source for problem in found)


@each
def test_the_good_example_has_nothing(check: Check) -> None:
    assert judge(check.good.encode(), "example.xml").problems == ()


@each
def test_the_examples_have_no_problem_that_check_tells(check: Check) -> None:
    allowed = {"C305"} if check.code == "L504" else set()
    for text in (check.bad, check.good):
        assert {problem.code for problem in read_configuration(text.encode(), "example.xml").problems} <= allowed


@each
def test_a_check_is_explained_in_whole_sentences(check: Check) -> None:
    assert not check.title.endswith(".")
    assert check.doc.endswith((".", "`."))


def test_codes_are_in_order_and_of_seven_families() -> None:
    assert list(CHECKS) == sorted(CHECKS)
    assert all(re.fullmatch("L[1-7][0-9]{2}", code) for code in CHECKS)


def test_a_file_with_errors_is_told_of_these_only() -> None:
    found = judge(b'<Sysmon schemaversion="5.0"/>', "example.xml")
    assert (found.platform, [problem.code for problem in found.problems]) == (None, ["C304"])
