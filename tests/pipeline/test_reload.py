"""Changing the policy of a run: between two records, while many more come, and without losing one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sensor.provoke import one

from pysmon.config.model import Configuration
from pysmon.config.read import read_configuration
from pysmon.errors import SensorError
from pysmon.pipeline.accounting import FamilyCount
from pysmon.pipeline.live import Session
from pysmon.pipeline.policy import Policy
from pysmon.schema.catalogue import ConfigurationChange, ErrorReport, FileCreate, ProcessCreate, ServiceStateChange
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sensor.rights import check_rights
from pysmon.sensor.scope import Scope

pytestmark = pytest.mark.vm

RELOADS = 100
LOAD = 'i=0; while [ ! -e "$1/enough" ]; do /bin/true $i; : >"$1/$i"; i=$((i+1)); done; echo $i >"$1/made"'


@pytest.fixture(scope="module", autouse=True)
def kernel() -> None:
    """The right to use the sensor."""
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")


def named(name: str, *, files: bool = True) -> Configuration:
    """A configuration that keeps the deeds of the load and signs each, in as many places as it has rules."""
    rules = (
        f'<RuleGroup><ProcessCreate onmatch="include"><Image name="{name}" condition="end with">/true</Image>'
        '</ProcessCreate></RuleGroup><RuleGroup><ProcessTerminate onmatch="include"/></RuleGroup>'
    )
    if files:
        rules += (
            '<RuleGroup groupRelation="or"><FileCreate onmatch="include">'
            f'<TargetFilename name="{name}" condition="contains">/</TargetFilename></FileCreate></RuleGroup>'
        )
    text = f'<Sysmon schemaversion="4.90"><EventFiltering>{rules}</EventFiltering></Sysmon>'
    reading = read_configuration(text.encode(), f"{name}.xml")
    assert reading.configuration, reading.problems
    return reading.configuration


def under_load(session: Session, folder: Path, policies: Iterator[Policy]) -> tuple[list[Entry[Event]], int]:
    """Everything that a session gives while it is reconfigured, and how often the load went round."""

    def reload() -> None:
        for policy in policies:
            session.reconfigure(policy)
            time.sleep(0.02)
        (folder / "enough").touch()

    entries: list[Entry[Event]] = []
    other = threading.Thread(target=reload)
    for batch in session.batches(threading.Event()):
        if not entries:
            other.start()
        entries += batch
    other.join()
    return entries, int((folder / "made").read_text())


def test_a_hundred_reloads_under_load_lose_no_event_and_no_event_is_judged_by_half_a_configuration(
    tmp_path: Path,
) -> None:
    both = [Policy.of(named("a")), Policy.of(named("b"))]
    session = Session(named("first"), command=["/bin/sh", "-c", LOAD, "load", str(tmp_path)])
    entries, made = under_load(session, tmp_path, (both[i % 2] for i in range(RELOADS)))

    numbers = [str(i) for i in range(made)]
    kept = [e.event for e in entries]
    assert [e.CommandLine.split()[-1] for e in kept if isinstance(e, ProcessCreate)] == numbers
    files = [Path(e.TargetFilename).name for e in kept if isinstance(e, FileCreate)]
    assert [f for f in files if f not in ("enough", "made")] == numbers
    judged = signed_by_what_was_in_force(kept)
    assert judged >= {"a", "b"}
    changes = [e for e in kept if isinstance(e, ConfigurationChange)]
    assert [e.Configuration for e in changes] == ["first.xml", *(f"{'ab'[i % 2]}.xml" for i in range(RELOADS))]
    hashes = {p.configuration.file: f"SHA256={p.configuration.sha256}" for p in both if p.configuration}
    assert all(e.ConfigurationFileHash == hashes[e.Configuration] for e in changes[1:])
    assert [e.record_id for e in entries] == list(range(len(entries)))
    assert_exact(session)


def test_a_family_that_comes_and_goes_takes_none_of_the_others_with_it(tmp_path: Path) -> None:
    with_files, without = Policy.of(named("a")), Policy.of(named("b", files=False))
    session = Session(without, command=["/bin/sh", "-c", LOAD, "load", str(tmp_path)])
    entries, made = under_load(session, tmp_path, (with_files if i % 2 else without for i in range(RELOADS)))
    kept = [e.event for e in entries]
    commands = [e.CommandLine.split()[-1] for e in kept if isinstance(e, ProcessCreate)]
    assert commands == [str(i) for i in range(made)]
    assert signed_by_what_was_in_force(kept) == {"a", "b"}
    assert any(isinstance(e, FileCreate) for e in kept)
    assert_exact(session)


def test_an_event_of_our_own_takes_its_place_in_the_log(tmp_path: Path) -> None:
    session, stop = Session(None, Scope("nobody")), threading.Event()
    batches = session.batches(stop)
    entries = next(batches)
    session.report("OUTPUT", "syslog is away")
    for batch in batches:
        entries += batch
        if any(isinstance(e.event, ErrorReport) for e in batch):
            stop.set()
    told = one([e.event for e in entries if isinstance(e.event, ErrorReport)])
    assert (told.ID, told.Description) == ("OUTPUT", "syslog is away")
    assert isinstance(entries[-1].event, ServiceStateChange)
    assert [e.record_id for e in entries] == [0, 1, 2, 3]


def test_the_books_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    session, stop = Session(named("a"), command=["/bin/sh", "-c", LOAD, "load", str(tmp_path)]), threading.Event()
    looks: list[FamilyCount] = []
    for _ in session.batches(stop):
        books = session.books.families["process"]
        if not looks or looks[-1].seen != books.seen:
            looks.append(books)
        if len(looks) == 4:
            (tmp_path / "enough").touch()
    assert all(0 <= look.done <= look.seen for look in looks)
    assert looks[-1].seen > looks[1].seen > 0
    assert session.unbalanced == []


def signed_by_what_was_in_force(kept: list[Event]) -> set[str]:
    """The names of the configurations that judged anything; each event must be signed by the last one before it."""
    in_force, judged = "", set[str]()
    for event in kept:
        if isinstance(event, ConfigurationChange):
            in_force = event.Configuration.removesuffix(".xml")
        elif isinstance(event, (ProcessCreate, FileCreate)):
            assert event.RuleName == in_force
            judged.add(in_force)
    return judged


def assert_exact(session: Session) -> None:
    assert session.outcome
    assert session.outcome.lost == 0
    assert all(count.exact for count in session.outcome.families.values())


def test_who_asks_for_a_change_when_the_run_is_over_does_not_wait_for_it() -> None:
    session = Session(named("early"), Scope("nobody"))
    before = session.reconfigure(Policy.of(named("late")))
    session.close()
    assert before.is_set()
    assert session.reconfigure(Policy.of(named("later"))).is_set()
