"""The canary: what it does is seen, or the sensor is said to be blind for it."""

from __future__ import annotations

import os
import resource
import threading
import time
from pathlib import Path

import pytest
from tests.sensor.provoke import EVERYTHING, PATIENCE

from pysmon.config.read import read_configuration
from pysmon.errors import SensorError
from pysmon.pipeline.canary import BEHIND, PROVES, WITHIN, Canary, Sight
from pysmon.pipeline.live import Session
from pysmon.pipeline.policy import Policy
from pysmon.schema.catalogue import ErrorReport
from pysmon.schema.event import Event
from pysmon.sensor.providers import ABILITIES
from pysmon.sensor.records import ExecRecord, ExitRecord
from pysmon.sensor.rights import check_rights
from pysmon.sensor.scope import Scope


@pytest.fixture
def kernel() -> None:
    """The right to use the sensor."""
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")


def everything() -> Policy:
    return Policy.of(read_configuration(EVERYTHING.encode(), "test.xml").configuration)


def patient(policy: Policy | None, folder: Path) -> Session:
    """A session that gives its canaries all the time that they need on a slow machine."""
    session = Session(policy, Scope.of_tree(1 << 22), canary=folder)
    session.canaries.patience = PATIENCE
    return session


def reports(events: list[Event]) -> list[ErrorReport]:
    """What was reported of the sensor; not what this kernel cannot give, nor that files or users were slow to ask."""
    return [e for e in events if isinstance(e, ErrorReport) and e.ID not in ("CAPABILITY", "HOST")]


def watched(session: Session, *, blindfold: bool = False) -> list[Event]:
    """What a session gives until its canary is back."""
    stop, events, give_up = threading.Event(), list[Event](), time.monotonic() + PATIENCE
    for batch in session.batches(stop):
        if blindfold and not events:
            session.sensor.watch(Scope("nobody"))
        events += [entry.event for entry in batch]
        if session.sight or time.monotonic() > give_up:
            stop.set()
    return events


def test_it_proves_abilities_that_there_are() -> None:
    assert {a.name for a in ABILITIES} >= PROVES


@pytest.mark.vm
def test_everything_that_it_does_is_seen_and_nothing_of_it_is_logged(kernel: None, tmp_path: Path) -> None:
    session = patient(everything(), tmp_path)
    events = watched(session)
    assert session.sight
    assert (session.sight.ended, session.sight.blind) == (True, frozenset())
    served = {s.ability.name for s in session.sensor.services if s.provider}
    assert session.sight.seen >= PROVES & served
    assert [e.type.id for e in events if not isinstance(e, ErrorReport)] == [16, 4, 4], events
    assert reports(events) == []
    assert sum(isinstance(e, ErrorReport) and e.ID == "CAPABILITY" for e in events) == len(session.lacks)
    assert list(tmp_path.iterdir()) == []
    assert session.outcome
    counts = session.outcome.families
    assert all(count.exact and count.kept == 0 for count in counts.values())
    assert min(count.filtered for name, count in counts.items() if name in ("process", "network")) > 1


@pytest.mark.vm
def test_only_what_the_rules_can_keep_must_be_seen(kernel: None, tmp_path: Path) -> None:
    session = patient(None, tmp_path)
    watched(session)
    assert session.sight
    assert session.sight.seen == {"processes"}
    assert session.sight.blind == frozenset()


@pytest.mark.vm
def test_a_sensor_that_sees_nothing_is_called_blind(kernel: None, tmp_path: Path) -> None:
    session = patient(everything(), tmp_path)
    told = reports(watched(session, blindfold=True))
    assert session.sight
    assert session.sight.blind >= {"processes", "files deleted", "TCP connected"}
    assert [e.ID for e in told] == ["CANARY"]
    assert "files deleted" in told[0].Description


@pytest.mark.vm
def test_what_was_proved_once_needs_no_canary_at_the_next_change(kernel: None, tmp_path: Path) -> None:
    session = patient(everything(), tmp_path)
    stop, give_up = threading.Event(), time.monotonic() + PATIENCE
    first: Sight | None = None
    changed: threading.Event | None = None
    for _ in session.batches(stop):
        if session.sight and changed is None:
            first, changed = session.sight, session.reconfigure(everything())
        if (changed and changed.is_set()) or time.monotonic() > give_up:
            stop.set()
            flying = session.canaries.fly
    assert changed
    assert changed.is_set()
    assert first
    assert first.ended
    assert session.sight is first
    assert not flying


@pytest.mark.vm
def test_what_comes_to_be_wanted_while_a_canary_flies_gets_one_after_it(kernel: None, tmp_path: Path) -> None:
    session = patient(None, tmp_path)
    stop, give_up = threading.Event(), time.monotonic() + PATIENCE
    changed: threading.Event | None = None
    sights: list[Sight] = []
    for _ in session.batches(stop):
        if changed is None:
            changed = session.reconfigure(everything())  # the first one is sent before this is heeded
        if session.sight and not any(session.sight is sight for sight in sights):
            sights.append(session.sight)
        if len(sights) > 1 or time.monotonic() > give_up:
            stop.set()
    first, second = sights
    assert second.seen >= {"processes", "files created", "TCP connected"}
    assert (second.ended, second.blind) == (True, frozenset())
    assert first.ended


@pytest.mark.vm
def test_a_machine_that_has_no_room_for_a_canary_is_watched_all_the_same(kernel: None, tmp_path: Path) -> None:
    session = patient(None, tmp_path)
    stop, told, give_up = threading.Event(), list[Event](), time.monotonic() + PATIENCE
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    changed: threading.Event | None = None
    try:
        for batch in session.batches(stop):
            told += [entry.event for entry in batch]
            if session.sight and changed is None:
                free = os.dup(0)
                os.close(free)
                resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
                changed = session.reconfigure(everything())
            if any(isinstance(e, ErrorReport) and e.ID == "CANARY" for e in told) or time.monotonic() > give_up:
                stop.set()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert changed
    assert changed.is_set()
    assert session.sight
    assert not session.sight.ended
    (report,) = reports(told)
    assert report.ID == "CANARY"
    assert "what the sensor sees is not proved: [Errno 24] Too many open files" in report.Description


def wait_for_end(canary: Canary) -> None:
    give_up = time.monotonic() + PATIENCE
    while not canary._command.poll() and time.monotonic() < give_up:
        time.sleep(0.01)


def test_it_is_not_over_before_the_record_of_its_end_has_come(tmp_path: Path) -> None:
    canary = Canary(tmp_path, {"processes"})
    canary.release(0.0)
    wait_for_end(canary)
    assert canary.owns(ExecRecord.make(tgid=canary.pid))
    assert canary.result(5.0) is None
    assert canary.owns(ExitRecord.make(tgid=canary.pid))
    sight = canary.result(5.0)
    assert sight
    assert str(sight) == "sees its own canary"


def test_one_that_cannot_do_its_deeds_proves_nothing(tmp_path: Path) -> None:
    canary = Canary(tmp_path / "absent", PROVES)
    canary.release(0.0)
    give_up = time.monotonic() + PATIENCE
    while (sight := canary.result(0.0)) is None and time.monotonic() < give_up:
        time.sleep(0.01)
    canary.stop()
    assert sight
    assert not sight.ended
    assert str(sight) == "the canary failed: what the sensor sees is not proved"


def test_it_has_its_time_to_come_back(tmp_path: Path) -> None:
    canary = Canary(tmp_path, {"processes"})
    canary.release(0.0)
    wait_for_end(canary)
    assert canary.result(5.0) is None
    assert canary.result(5.0 + WITHIN / 2) is None
    sight = canary.result(5.0 + WITHIN)
    assert sight
    assert str(sight) == "blind for: processes"


def test_what_may_still_stand_in_the_rings_is_not_called_unseen(tmp_path: Path) -> None:
    canary = Canary(tmp_path, {"processes"})
    canary.release(0.0)
    wait_for_end(canary)
    assert canary.result(5.0, behind=True) is None
    assert canary.result(60.0, behind=True) is None
    assert canary.result(60.0 + WITHIN / 2) is None
    sight = canary.result(60.0 + WITHIN)
    assert sight
    assert str(sight) == "blind for: processes"


def test_a_reader_that_stays_behind_proves_nothing(tmp_path: Path) -> None:
    canary = Canary(tmp_path, {"processes"})
    canary.release(0.0)
    wait_for_end(canary)
    assert canary.result(5.0, behind=True) is None
    assert canary.result(4.9 + BEHIND, behind=True) is None
    sight = canary.result(5.0 + BEHIND, behind=True)
    assert sight
    assert str(sight) == "the canary failed: what the sensor sees is not proved"


def test_one_that_does_not_end_proves_nothing_once_patience_is_over(tmp_path: Path) -> None:
    canary = Canary(tmp_path, {"processes"}, patience=20.0)  # it is never released
    try:
        assert canary.result(19.9) is None
        sight = canary.result(20.0)
    finally:
        canary.stop()
    assert sight
    assert not sight.ended
