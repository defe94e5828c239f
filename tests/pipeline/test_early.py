"""What is seen before there is a session: nothing is missed, and who has ended by then still has a name."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sensor.provoke import EVERYTHING

from pysmon.config.read import read_configuration
from pysmon.errors import SensorError
from pysmon.pipeline.early import Early
from pysmon.pipeline.live import Session
from pysmon.pipeline.policy import Policy
from pysmon.schema.catalogue import ConfigurationChange, ProcessCreate, ProcessTerminate, ServiceStateChange
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sensor.rights import check_rights
from pysmon.sensor.scope import Scope

pytestmark = pytest.mark.vm

PATIENCE = 60.0  # s


@pytest.fixture(autouse=True)
def kernel() -> None:
    """The right to use the sensor."""
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")


@pytest.fixture
def shell() -> Iterator[subprocess.Popen[str]]:
    """A shell that runs what it reads."""
    with subprocess.Popen(["/bin/sh"], stdin=subprocess.PIPE, text=True) as made:
        yield made


def entries_of(session: Session, enough: type[Event], number: int) -> list[Entry[Event]]:
    """All up to so many of these, and what ends the run."""
    stop, found, give_up = threading.Event(), list[Entry[Event]](), time.monotonic() + PATIENCE
    for batch in session.batches(stop):
        found += batch
        assert time.monotonic() < give_up
        if not session.starting and sum(isinstance(e.event, enough) for e in found) >= number:
            stop.set()
    return found


def test_what_happens_before_there_is_a_session_is_in_its_log_with_all_names(shell: subprocess.Popen[str]) -> None:
    early = Early(Scope.of_tree(shell.pid))
    shell.communicate("/bin/true one\nexec /bin/sh -c '/bin/true two; exit'\n", timeout=PATIENCE)
    program = os.path.realpath("/bin/sh")
    session = Session(Policy.of(read_configuration(EVERYTHING.encode(), "all.xml").configuration), early=early)
    entries = entries_of(session, ProcessTerminate, 3)
    made = [e.event for e in entries if isinstance(e.event, ProcessCreate) and e.event.ProcessId != shell.pid]
    assert [e.CommandLine for e in made] == ["/bin/true one", "/bin/true two"]
    assert [e.ParentImage for e in made] == [program, program]
    ended = [e.event.Image for e in entries if isinstance(e.event, ProcessTerminate) and e.event.ProcessId == shell.pid]
    assert ended == [program]
    assert session.outcome
    assert session.outcome.lost == 0
    assert all(count.exact for count in session.outcome.families.values())


def test_a_process_that_has_ended_by_then_without_running_anything_has_its_name(shell: subprocess.Popen[str]) -> None:
    early = Early(Scope.of_tree(shell.pid))
    shell.communicate("exit\n", timeout=PATIENCE)
    session = Session(Policy.of(read_configuration(EVERYTHING.encode(), "all.xml").configuration), early=early)
    entries = entries_of(session, ProcessTerminate, 1)
    assert [e.event.Image for e in entries if isinstance(e.event, ProcessTerminate)] == [os.path.realpath("/bin/sh")]


def test_the_log_begins_with_the_time_from_which_on_processes_are_seen(shell: subprocess.Popen[str]) -> None:
    before = time.time_ns()
    early = Early(Scope.of_tree(shell.pid))
    after = time.time_ns()
    shell.communicate("/bin/true\n", timeout=PATIENCE)
    session = Session(Policy.of(read_configuration(EVERYTHING.encode(), "all.xml").configuration), early=early)
    entries = entries_of(session, ProcessTerminate, 2)
    kinds = [type(e.event) for e in entries]
    assert kinds[0] is ServiceStateChange
    assert before < entries[0].time < after
    assert [e.record_id for e in entries] == list(range(len(entries)))
    assert entries[1].time > entries[0].time
    assert kinds.count(ConfigurationChange) == 1
    assert kinds.index(ConfigurationChange) > kinds.index(ProcessCreate)  # what it asks for besides comes later


def test_what_is_not_gone_on_with_leaves_neither_process_nor_program(tmp_path: Path) -> None:
    early = Early(Scope.of_tree(1 << 22), [tmp_path])
    assert early.files.watch or early.files.refused
    child = early.files.watch.pid if early.files.watch else 0
    early.close()
    early.close()
    assert not child or not Path(f"/proc/{child}").exists()
    assert early.sensor.loading is None


def test_nothing_keeps_rights_that_the_session_is_to_give_up() -> None:
    before = threading.active_count()
    early = Early(Scope("nobody"))
    assert threading.active_count() == before
    assert not early.sensor.whole
    early.close()
