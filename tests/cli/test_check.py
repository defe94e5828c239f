"""`pysmon check`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.calls import BAD, GOOD, Caller, spawned

WARNED = GOOD.replace("4.90", "4.99")


def test_a_configuration_without_problems_is_fine(pysmon: Caller, good: Path) -> None:
    assert pysmon("check", good) == (0, "0 errors, 0 warnings\n", "")


def test_problems_are_shown_with_place_line_and_what_was_expected(pysmon: Caller, bad: Path) -> None:
    answer = pysmon("check", bad)
    assert answer.code == 1
    assert f"{bad}:1:" in answer.out
    assert ": error C401: " in answer.out
    assert "^" in answer.out
    assert "expected: one of RuleName, UtcTime," in answer.out
    assert answer.out.endswith("\n1 error, 0 warnings\n")


def test_all_files_are_checked_and_counted_together(pysmon: Caller, good: Path, bad: Path) -> None:
    second = bad.with_name("second.xml")
    second.write_text(BAD)
    answer = pysmon("check", bad, good, second)
    assert answer.code == 1
    assert answer.out.endswith("\n2 errors, 0 warnings\n")


def test_a_warning_is_a_finding_unless_only_errors_are_asked_for(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "newer.xml"
    path.write_text(WARNED)
    answer = pysmon("check", path)
    assert answer.code == 1
    assert answer.out.endswith("\n0 errors, 1 warning\n")
    answer = pysmon("check", "--errors-only", path)
    assert (answer.code, answer.out) == (0, "0 errors, 0 warnings\n")


def test_a_file_that_cannot_be_read_is_misuse(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("check", tmp_path / "absent.xml")
    assert answer.code == 2
    assert "cannot read the file: No such file or directory" in answer.out


def test_standard_input_can_be_checked() -> None:
    answer = spawned("check", "-", stdin=BAD.encode())
    assert answer.code == 1
    assert answer.out.startswith("<stdin>:1:")


def test_standard_input_can_be_read_only_once(pysmon: Caller) -> None:
    answer = pysmon("check", "-", "-")
    assert answer.code == 2
    assert "only once" in answer.err


def test_json_has_every_problem_with_its_place(pysmon: Caller, good: Path, bad: Path) -> None:
    answer = pysmon("check", "--json", good, bad)
    assert answer.code == 1
    first, second = json.loads(answer.out)["files"]
    assert (first["file"], first["usable"], first["schema_version"], first["problems"]) == (str(good), True, "4.90", [])
    assert (second["usable"], second["sha256"]) == (False, None)
    (problem,) = second["problems"]
    assert (problem["code"], problem["severity"], problem["line"]) == ("C401", "error", 1)
    assert problem["column"] > 1
    assert problem["source"] == BAD.rstrip()
    assert problem["hint"] == "did you mean 'Image'?"


def test_without_a_configuration_the_way_to_help_is_shown(pysmon: Caller) -> None:
    answer = pysmon("check")
    assert answer.code == 2
    assert "pysmon check --help" in answer.err


def test_a_file_name_cannot_steer_the_terminal(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("check", tmp_path / "\x1b[2J.xml")
    assert "\x1b" not in answer.out + answer.err
