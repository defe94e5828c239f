"""`pysmon tree`, on a file and on a store."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.calls import Caller
from tests.cli.logs import KINDS, written
from tests.views.cast import Cast, guid, intrusion
from tests.views.test_tree import DRAWN

Given = tuple[str, Path]


@pytest.fixture(params=KINDS)
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Given:
    return written(request.param, tmp_path, intrusion().entries)


def test_all_processes_are_drawn(pysmon: Caller, given: Given) -> None:
    assert pysmon("tree", *given) == (0, f"{DRAWN}\n", "")


@pytest.mark.parametrize("who", [102, guid(102)])
def test_one_process_is_drawn_with_what_it_started(pysmon: Caller, given: Given, who: object) -> None:
    answer = pysmon("tree", *given, who)
    assert answer.out.splitlines() == [
        "2026-11-21",
        "08:15:00.800  x [102]  joe  exit 1 after 0.4 s  files 1  /tmp/x --install",
        "08:15:01.000  `- id [103]  joe  exit 0 after 0.1 s  id -un",
    ]


def test_ancestors_are_drawn_on_demand_without_other_branches(pysmon: Caller, given: Given) -> None:
    lines = pysmon("tree", *given, "--ancestors", 102).out.splitlines()
    assert [line.strip(" `-0123456789:.").split(" ")[0] for line in lines] == ["init", "", "bash", "x", "id"]


def test_a_process_that_is_only_known_as_a_parent_can_be_asked_for(pysmon: Caller, given: Given) -> None:
    lines = pysmon("tree", *given, 1).out.splitlines()
    assert (lines[0].strip(), len(lines)) == ("init [1]  joe  began earlier", 7)
    assert pysmon("tree", *given, guid(1)).out.splitlines() == lines


def test_the_last_processes_are_drawn_if_so_many_are_asked_for(pysmon: Caller, given: Given) -> None:
    lines = pysmon("tree", *given, "--last", 1).out.splitlines()
    assert [line.split(" [")[0].split(" ")[-1] for line in lines if "[" in line] == ["x", "id"]


def test_a_time_bounds_the_tree(pysmon: Caller, given: Given) -> None:
    out = pysmon("tree", *given, "--since", "2026-11-21 08:15:00.5").out
    assert "curl" not in out
    assert "`- x [102]" in out


def test_nobody_is_nothing_found(pysmon: Caller, given: Given) -> None:
    assert pysmon("tree", *given, 4711) == (1, "", "pysmon: no process 4711 in this log\n")
    answer = pysmon("tree", *given, "--since", "2030-01-01")
    assert answer == (1, "", "pysmon: no process begins in what was asked for\n")
    assert pysmon("tree", *given, "--since", "2027-01-01").code == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["bash"], "'bash' is neither a process id nor a guid"),
        (["--ancestors"], "--ancestors needs a process"),
        (["--last", "3", "100"], "--last goes without"),
    ],
)
def test_what_makes_no_sense_is_misuse(pysmon: Caller, given: Given, options: list[str], words: str) -> None:
    answer = pysmon("tree", *given, *options)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err


def test_a_file_that_is_not_there_is_not_looked_for_in_the_event_log(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("tree", tmp_path / "absent.evtx")
    assert answer.code == 2
    assert "absent.evtx' is neither a process id nor a guid (no file has that name" in answer.err


def test_alike_siblings_are_folded_unless_all_are_asked_for(pysmon: Caller, tmp_path: Path) -> None:
    cast = Cast()
    for pid in range(10, 20):
        cast.run(pid, "cc")
    log = written("--from", tmp_path, cast.entries)
    assert "cc [10]  joe  10 times, until [19]" in pysmon("tree", *log).out
    assert len(pysmon("tree", *log, "--all").out.splitlines()) == 12
