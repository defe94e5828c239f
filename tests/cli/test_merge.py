"""`pysmon merge`, `pysmon convert` and `pysmon split`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.calls import GOOD, Caller, spawned

OTHER = GOOD.replace("ProcessCreate", "FileCreate")
INCLUDE = GOOD.replace("exclude", "include")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.xml"
    path.write_text(OTHER)
    return path


def test_configurations_are_merged(pysmon: Caller, good: Path, other: Path, tmp_path: Path) -> None:
    answer = pysmon("merge", good, other)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.count("onmatch") == 2
    assert pysmon("merge", good, other, "-o", tmp_path / "both.xml") == (0, "", "")
    assert (tmp_path / "both.xml").read_text() == answer.out


def test_one_of_them_can_come_from_standard_input(good: Path) -> None:
    answer = spawned("merge", good, "-", stdin=OTHER.encode())
    assert answer.out.count("onmatch") == 2
    assert spawned("merge", "-", "-", stdin=OTHER.encode()).code == 2


def test_what_is_lost_is_told_and_is_a_finding(pysmon: Caller, good: Path, other: Path) -> None:
    other.write_text(INCLUDE)
    answer = pysmon("merge", good, other)
    assert answer.code == 1
    assert answer.err.startswith(f"pysmon: {good}:1:46: lost: alone it keeps every ProcessCreate")
    found = json.loads(pysmon("merge", good, other, "--json").out)
    assert [(note["file"], note["line"], note["column"], note["lost"]) for note in found["notes"]] == [
        (str(good), 1, 46, True)
    ]
    assert found["xml"] == answer.out


def test_json_leaves_the_text_to_its_file(pysmon: Caller, good: Path, tmp_path: Path) -> None:
    answer = pysmon("merge", good, "--json", "-o", tmp_path / "x.xml")
    assert json.loads(answer.out) == {"notes": []}
    assert "<ProcessCreate" in (tmp_path / "x.xml").read_text()


def test_a_configuration_with_errors_is_not_merged(pysmon: Caller, good: Path, bad: Path) -> None:
    answer = pysmon("merge", good, bad)
    assert (answer.code, answer.out) == (2, "")
    assert f"{bad} cannot be used" in answer.err


def test_a_configuration_is_converted(pysmon: Caller, good: Path) -> None:
    answer = pysmon("convert", good, "--to-version", "4.5")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith('<Sysmon schemaversion="4.50">')


def test_what_a_version_does_not_know_is_told(pysmon: Caller, good: Path) -> None:
    good.write_text(GOOD.replace("ProcessCreate", "FileBlockShredding"))
    answer = pysmon("convert", good, "--to-version", "4.82")
    assert answer.code == 1
    assert answer.err == f"pysmon: {good}:1:46: lost: the event FileBlockShredding came with 4.83 and is left out\n"


@pytest.mark.parametrize("version", ["x", "4.1", "9.9"])
def test_a_version_that_does_not_exist_is_refused(pysmon: Caller, good: Path, version: str) -> None:
    assert pysmon("convert", good, "--to-version", version).code == 2


def test_a_configuration_is_split_and_merged_again(pysmon: Caller, good: Path, other: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.xml"
    pysmon("merge", good, other, "-o", both)
    folder = tmp_path / "new" / "modules"
    answer = pysmon("split", both, "-o", folder)
    names = [str(folder / "01-ProcessCreate.xml"), str(folder / "11-FileCreate.xml")]
    assert (answer.code, answer.out.splitlines()) == (0, names)
    assert pysmon("merge", *names).out == both.read_text()


def test_files_that_are_there_already_are_not_written_over(pysmon: Caller, good: Path, tmp_path: Path) -> None:
    there = tmp_path / "01-ProcessCreate.xml"
    there.write_text("mine")
    answer = pysmon("split", good, "-o", tmp_path)
    assert answer.code == 2
    assert "is there already" in answer.err
    assert there.read_text() == "mine"
    assert pysmon("split", good, "-o", tmp_path, "--force").code == 0
    assert "<ProcessCreate" in there.read_text()


def test_json_names_the_files(pysmon: Caller, good: Path, tmp_path: Path) -> None:
    answer = pysmon("split", good, "-o", tmp_path / "m", "--json")
    assert json.loads(answer.out) == {"files": [str(tmp_path / "m" / "01-ProcessCreate.xml")]}
