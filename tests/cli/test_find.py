"""`pysmon find`: the events in which a text stands, and where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.calls import Caller
from tests.cli.logs import KINDS, written
from tests.sources.shapes import FILES, REGISTRY, lines, security_datasets
from tests.views.cast import intrusion

Given = tuple[str, Path]


@pytest.fixture(params=KINDS)
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Given:
    return written(request.param, tmp_path, intrusion().entries)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.json"
    path.write_bytes(FILES["security-datasets"][1])
    return path


def test_events_are_shown_with_the_fields_in_which_the_text_stands(pysmon: Caller, given: Given) -> None:
    answer = pysmon("find", "EVIL.example", *given)
    assert (answer.code, answer.err) == (0, "")
    *_, event, hit = answer.out.splitlines()
    assert event.startswith("2026-11-21 08:15:00.400   22  DnsQuery            curl[101] ")
    assert hit == "    QueryName: evil.example"
    assert pysmon("find", "nowhere", *given) == (1, "", "")


def test_a_text_is_sought_in_named_fields_only(pysmon: Caller, log: Path) -> None:
    found = pysmon("find", "x.exe", log, "--field", "image", "--format", "json").out.splitlines()
    assert [json.loads(line)["EventID"] for line in found] == [3, 13]
    assert pysmon("find", "x.exe", log, "--field", "CommandLine").code == 1
    answer = pysmon("find", "x", log, "--field", "Imige")
    assert (answer.code, "did you mean Image" in answer.err) == (2, True)


def test_a_doubled_percent_sign_is_found_as_it_was_meant_and_as_it_stands(pysmon: Caller, log: Path) -> None:
    for text in ("%TEMP%", "%%TEMP%%"):
        assert "    CommandLine: " in pysmon("find", text, log).out
    assert pysmon("find", "%%%", log).code == 1


def test_regular_expressions_are_asked_for(pysmon: Caller, log: Path) -> None:
    assert pysmon("find", "--regex", r"^hklm\\.*\d{3}v$", log).out.splitlines()[1:] == [
        f"    TargetObject: {REGISTRY.fields['TargetObject']}"
    ]
    assert pysmon("find", r"^hklm", log).code == 1
    answer = pysmon("find", "--regex", "(", log)
    assert (answer.code, "no regular expression" in answer.err) == (2, True)


def test_hits_are_counted_by_event_and_field(pysmon: Caller, log: Path) -> None:
    assert pysmon("find", "--count", "365abb72", log).out == (
        "       1  1 ProcessCreate  LogonGuid\n"
        "       1  1 ProcessCreate  ParentProcessGuid\n"
        "       1  1 ProcessCreate  ProcessGuid\n"
        "       1  3 NetworkConnect  ProcessGuid\n"
        "       1  13 RegistryValueSet  ProcessGuid\n"
    )


def test_it_stops_after_the_first(pysmon: Caller, log: Path) -> None:
    assert len(pysmon("find", "365abb72", log, "-n", 2, "--format", "json").out.splitlines()) == 2


def test_long_values_are_cut_around_what_was_found(pysmon: Caller, tmp_path: Path) -> None:
    def long(sample: object) -> object:
        row = security_datasets(REGISTRY)
        return {**row, "Details": f"{'a' * 200}needle{'b' * 200}"}

    path = tmp_path / "long.json"
    path.write_bytes(lines(long))
    assert pysmon("find", "needle", path).out.splitlines()[1] == f"    Details: ...{'a' * 60}needle{'b' * 60}..."


def test_what_makes_no_sense_is_told(pysmon: Caller, log: Path) -> None:
    assert pysmon("find", "", log).code == 2
    answer = pysmon("find", log)
    assert (answer.code, "pysmon find TEXT FILE" in answer.err) == (2, True)


def test_controls_in_values_do_not_reach_the_terminal(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(lines(lambda s: {**security_datasets(REGISTRY), "Details": "\x1b[31mneedle\x07"}))
    out = pysmon("find", "needle", path).out
    assert "\x1b" not in out
    assert "\\x1b[31mneedle\\x07" in out
