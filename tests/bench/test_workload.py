"""The workloads of the benchmarks: they wait, work, tell, wait; and what must be in a log of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from bench.parts.watched import EVERYTHING, alone, logged
from bench.parts.workload import Workload, Workshop

from pysmon.config.read import read_file
from pysmon.formats.table import FORMATS
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import FileCreate, ProcessTerminate
from pysmon.schema.entry import Entry, Origin

GUID = "{00000000-0000-0000-0000-000000000001}"


@pytest.fixture(params=["compiled", "stand-in"])
def workshop(request: pytest.FixtureRequest, tmp_path: Path) -> Workshop:
    if request.param == "stand-in":
        return Workshop(tmp_path, None)
    made = Workshop.at(tmp_path)
    return made if made.compiler else pytest.skip("no C compiler here")


def traced(workload: Workload) -> list[str]:
    """What it says when nobody holds it."""
    return subprocess.run(workload.command, input="xx", capture_output=True, text=True, check=True).stdout.split()


def test_a_workload_waits_and_tells_what_it_took(workshop: Workshop) -> None:
    ready, done, *took = traced(workshop.execs(2))
    assert (ready, done) == ("ready", "done")
    assert len(list(map(int, took))) == 3


def test_workers_run_at_once_and_are_all_waited_for(workshop: Workshop) -> None:
    assert alone(workshop.execs(2, 3)).cpu > 0


def test_files_are_gone_when_it_is_done(workshop: Workshop) -> None:
    before = set(workshop.folder.iterdir())
    alone(workshop.files(3))
    assert set(workshop.folder.iterdir()) == before


def test_a_workload_that_nobody_lets_go_ends(workshop: Workshop) -> None:
    ended = subprocess.run(workshop.execs(1).command, input="", capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (1, "ready\n")


def test_a_worker_that_does_not_exec_has_an_end_but_no_beginning(workshop: Workshop) -> None:
    assert workshop.execs(2, 1).expected == {1: 3, 5: 3}
    assert workshop.execs(2, 3).expected == {1: 7, 5: 10}


def test_the_configuration_keeps_every_event_that_is_expected(workshop: Workshop) -> None:
    ruleset = Ruleset.compile(read_file(EVERYTHING).configuration)
    assert all(map(ruleset.wants, workshop.files(1).expected))


@pytest.mark.parametrize("form", FORMATS)
def test_events_of_a_log_are_counted_by_id(form: str, tmp_path: Path) -> None:
    origin = Origin("host", 1, 1, 0)
    end = ProcessTerminate(UtcTime="-", ProcessGuid=GUID, ProcessId=5, Image="/EventID>11<", User="root")
    file = FileCreate(
        UtcTime="-", ProcessGuid=GUID, ProcessId=5, Image="/x", User="root", TargetFilename="/y", CreationUtcTime="-"
    )
    log = tmp_path / "log"
    log.write_bytes(b"".join(FORMATS[form].render(Entry(0, 0, event, origin)) + b"\n" for event in (end, file, end)))
    assert logged(log, form, {1: 0, 5: 0, 11: 0, 23: 0}) == {1: 0, 5: 2, 11: 1, 23: 0}
