"""Findings in the forms of build servers."""

from __future__ import annotations

from typing import Any

from pysmon.config.problems import Problem
from pysmon.errors import Place
from pysmon.lint.report import github, sarif

ONE = Problem("L105", "error", Place("a b.xml", 3, 7), "it is 100% wrong", "true", "a, b: c")
TWO = Problem("C101", "error", Place("<stdin>"), "cannot read\nit", "a file")
NOTE = Problem("L404", "note", Place("a b.xml", 9), "any folder", "a path")


def run(*problems: Problem) -> Any:
    log = sarif(problems)
    assert log["version"] == "2.1.0"
    assert str(log["$schema"]).endswith("sarif-2.1.0.json")
    (only,) = log["runs"]
    return only


def test_a_result_names_its_rule_and_its_place() -> None:
    made = run(ONE, NOTE, ONE)
    rules = made["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["L105", "L404"]
    assert all(rule["shortDescription"]["text"] and rule["fullDescription"]["text"] for rule in rules)
    assert [result["ruleIndex"] for result in made["results"]] == [0, 1, 0]
    first, second, _ = made["results"]
    assert (first["ruleId"], first["level"]) == ("L105", "error")
    assert first["message"]["text"] == "it is 100% wrong; expected: true (a, b: c)"
    (location,) = first["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b.xml"},
        "region": {"startLine": 3, "startColumn": 7},
    }
    assert second["level"] == "note"
    assert second["locations"][0]["physicalLocation"]["region"] == {"startLine": 9}


def test_a_problem_of_the_whole_file_has_no_region() -> None:
    (result,) = run(TWO)["results"]
    assert result["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "%3Cstdin%3E"}}


def test_nothing_found_is_a_valid_log() -> None:
    made = run()
    assert (made["results"], made["tool"]["driver"]["rules"]) == ([], [])


def test_annotations_are_escaped_as_github_wants_them() -> None:
    assert list(github([ONE, TWO, NOTE])) == [
        "::error file=a b.xml,line=3,col=7,title=L105::it is 100%25 wrong; expected: true (a, b: c)",
        "::error file=<stdin>,title=C101::cannot read%0Ait; expected: a file",
        "::notice file=a b.xml,line=9,title=L404::any folder; expected: a path",
    ]
