"""`pysmon lint` and `pysmon explain-problem`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.calls import BAD, Caller, spawned

from pysmon.config.codes import CODES
from pysmon.lint.check import exclude, include
from pysmon.lint.checks import CHECKS

TWO = include("NetworkConnect", "<Initiated>yes</Initiated>\n<Protocol>TCP/IP</Protocol>")
NOTE = exclude("ProcessCreate", '<Image condition="image">updater.exe</Image>')


@pytest.fixture
def two(tmp_path: Path) -> Path:
    path = tmp_path / "two.xml"
    path.write_text(TWO)
    return path


def test_a_configuration_that_means_what_it_says_is_fine(pysmon: Caller, good: Path) -> None:
    assert pysmon("lint", good) == (0, "0 errors, 0 warnings\n", "")


def test_findings_are_shown_with_their_lines(pysmon: Caller, two: Path) -> None:
    answer = pysmon("lint", two)
    assert answer.code == 1
    assert f"{two}:5:1: error L105: Initiated is 'yes' never holds" in answer.out
    assert "  6 | <Protocol>TCP/IP</Protocol>\n" in answer.out
    assert answer.out.endswith("\n2 errors, 0 warnings\n")


def test_notes_are_counted_and_can_be_left_away(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "note.xml"
    path.write_text(NOTE)
    assert pysmon("lint", path).out.endswith("\n0 errors, 0 warnings, 1 note\n")
    assert pysmon("lint", "--least", "warning", path) == (0, "0 errors, 0 warnings\n", "")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--select", "L105"], {"L105"}),
        (["--select", "l105,L110"], {"L105", "L110"}),
        (["--select", "L1", "--ignore", "L105"], {"L110"}),
        (["--ignore", "L1"], set()),
    ],
)
def test_codes_are_selected_and_ignored(pysmon: Caller, two: Path, options: list[str], told: set[str]) -> None:
    answer = pysmon("lint", "--json", *options, two)
    (file,) = json.loads(answer.out)["files"]
    assert {problem["code"] for problem in file["problems"]} == told
    assert answer.code == bool(told)


def test_a_code_that_there_is_not_is_misuse(pysmon: Caller, two: Path) -> None:
    answer = pysmon("lint", "--ignore", "L999", two)
    assert answer.code == 2
    assert "no finding has the code 'L999'" in answer.err


def test_what_comments_silence_is_counted(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "silent.xml"
    path.write_text(TWO.replace("</Initiated>", "</Initiated> <!-- pysmon: ignore L105 -->"))
    assert pysmon("lint", path).out.endswith("\n1 error, 0 warnings (1 silenced)\n")


def test_the_platform_can_be_given(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "linux.xml"
    path.write_text(include("ProcessCreate", "<Image>/usr/bin/curl</Image>"))
    (file,) = json.loads(pysmon("lint", "--json", path).out)["files"]
    assert (file["platform"], file["problems"]) == ("linux", [])
    (file,) = json.loads(pysmon("lint", "--json", "--platform", "windows", path).out)["files"]
    assert [problem["code"] for problem in file["problems"]] == ["L121", "L503"]


def test_a_file_with_errors_is_only_checked(pysmon: Caller, bad: Path) -> None:
    answer = pysmon("lint", bad)
    assert answer.code == 1
    assert ": error C401: " in answer.out


def test_a_file_that_cannot_be_read_is_misuse(pysmon: Caller, tmp_path: Path, two: Path) -> None:
    answer = pysmon("lint", tmp_path / "absent.xml", two)
    assert answer.code == 2
    assert "cannot read the file: No such file or directory" in answer.out
    assert "L105" in answer.out


def test_standard_input_can_be_judged() -> None:
    answer = spawned("lint", "-", stdin=TWO.encode())
    assert answer.code == 1
    assert answer.out.startswith("<stdin>:5:")


@pytest.mark.parametrize(("command", "text", "code"), [("lint", TWO, "L105"), ("check", BAD, "C401")])
def test_build_servers_get_their_forms(pysmon: Caller, tmp_path: Path, command: str, text: str, code: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(text)
    answer = pysmon(command, "--format", "sarif", path)
    assert answer.code == 1
    assert json.loads(answer.out)["runs"][0]["results"][0]["ruleId"] == code
    answer = pysmon(command, "--format", "github", path)
    assert answer.out.startswith(f"::error file={path},line=")
    assert f"title={code}::" in answer.out


def test_every_code_is_explained_with_its_example(pysmon: Caller) -> None:
    for code in [*CODES, *CHECKS]:
        told = json.loads(pysmon("explain-problem", "--json", code).out)
        assert (told["code"], bool(told["title"]), bool(told["doc"])) == (code, True, True)
    answer = pysmon("explain-problem", "l103")
    assert answer.code == 0
    assert answer.out.startswith("L103 (error): A list where the condition takes one text\n\n")
    assert '  <CommandLine condition="contains">unload;detach</CommandLine>\n' in answer.out.partition("Put right:")[0]
    assert (
        '  <CommandLine condition="contains any">unload;detach</CommandLine>\n' in answer.out.partition("Put right:")[2]
    )


def test_a_problem_without_an_example_is_explained_as_well(pysmon: Caller) -> None:
    answer = pysmon("explain-problem", "C101")
    assert answer.code == 0
    assert "example" not in answer.out


def test_a_code_that_nobody_knows_is_misuse(pysmon: Caller) -> None:
    answer = pysmon("explain-problem", "C40")
    assert answer.code == 2
    assert "did you mean" in answer.err
