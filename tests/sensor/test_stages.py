"""The start by stages: the lives of processes at once, what is asked for next, all else last; nothing is left out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from tests.sensor.provoke import PATIENCE, apart

from pysmon.errors import SensorError
from pysmon.sensor.capabilities import drop_capabilities, needed_once_attached
from pysmon.sensor.hooks import LIFECYCLE, Hooks
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.libbpf import Object
from pysmon.sensor.loader import OBJECT, load
from pysmon.sensor.providers import ABILITIES
from pysmon.sensor.records import MAP

pytestmark = pytest.mark.vm

FILES = {"file create"}
LIVES = {"on_fork", "on_exec", "on_exit"}


@pytest.fixture
def staged(kernel: Sensor) -> Iterator[Sensor]:
    """A sensor that is asked for files; it watches nobody."""
    with Sensor(by_stages=True) as sensor:
        sensor.go_on(FILES)
        yield sensor


def whole(sensor: Sensor) -> Sensor:
    give_up = time.monotonic() + PATIENCE
    while not sensor.whole:
        assert time.monotonic() < give_up
        time.sleep(0.01)
    return sensor


def test_what_tells_of_processes_is_served_at_once(staged: Sensor) -> None:
    assert {s.ability.name for s in staged.services if s.provider} >= {"processes", "running processes"}


def test_once_whole_all_that_was_asked_for_is_served_as_if_loaded_at_once(staged: Sensor, kernel: Sensor) -> None:
    whole(staged)
    asked = {s.ability.name: s.provider for s in kernel.services if s.ability.family in FILES | {"guard", *LIFECYCLE}}
    assert asked.items() <= {s.ability.name: s.provider for s in staged.services}.items()


def test_in_the_end_every_ability_is_served_as_if_loaded_at_once(staged: Sensor, kernel: Sensor) -> None:
    staged.want(FILES)
    assert staged.prepare({"network"}) == []
    assert staged.loading is None
    assert {s.ability.name: s.provider for s in staged.services} == {
        s.ability.name: s.provider for s in kernel.services
    }


def test_the_wait_for_records_ends_once_it_is_whole_and_not_again_and_again(staged: Sensor) -> None:
    give_up = time.monotonic() + PATIENCE
    while not staged.whole:
        staged.wait(PATIENCE)
        assert time.monotonic() < give_up
    assert not staged.wait(0.01)


def test_a_sensor_that_is_closed_while_it_loads_leaves_no_thread(kernel: Sensor) -> None:
    before = set(threading.enumerate())
    sensor = Sensor(by_stages=True)
    sensor.go_on(FILES)
    sensor.close()
    sensor.close()  # which does nothing more
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("trouble", [SensorError("refused"), ArithmeticError("a defect")])
def test_what_keeps_it_from_becoming_whole_is_raised_where_it_is_asked_for(
    kernel: Sensor, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise trouble

    monkeypatch.setattr(Hooks, "load", refuse)
    with Sensor(by_stages=True) as sensor:
        sensor.go_on(FILES)
        assert sensor.wait(PATIENCE)
        with pytest.raises(type(trouble), match=str(trouble)):
            _ = sensor.whole


def test_programs_that_are_added_work_with_the_maps_that_are_there(kernel: Sensor) -> None:
    made = Object(str(OBJECT))
    try:
        assert made.load(set(LIVES)) == ""
        maps = {number for kind, number in made.ids() if kind == MAP}
        assert made.load({"on_signal"}) == ""
        assert made.loaded == LIVES | {"on_signal"}
        assert made.attach("on_signal") == ""
        assert {number for kind, number in made.ids() if kind == MAP} == maps
        assert LIVES | {"on_signal"} <= made.verified().keys()
    finally:
        made.close()


def test_programs_that_cannot_be_added_are_told_with_the_reason_and_harm_nothing(kernel: Sensor) -> None:
    loaded = load(tuple(a for a in ABILITIES if a.family in LIFECYCLE), attach=LIFECYCLE)
    inside = {"on_sysctl_write"}  # fexit, which some kernels forbid
    trouble = loaded.object.load(inside)
    loaded_now = loaded.object.loaded
    attached = loaded.object.attached
    loaded.object.close()
    assert bool(trouble) != (inside <= loaded_now)
    assert attached == LIVES


def test_the_thread_that_loads_keeps_its_rights_and_no_other_does(kernel: Sensor) -> None:
    def act() -> tuple[bool, bool, set[str]]:
        with Sensor(by_stages=True) as sensor:
            sensor.go_on(FILES)
            drop_capabilities(needed_once_attached(), later=sensor.loading)
            whole(sensor)
            sensor.prepare({"network"})
            told = {s.ability.name for s in sensor.services if s.provider}
            return sensor.whole, sensor.loading is None, told

    is_whole, ended, told = apart(act)
    assert is_whole
    assert ended
    assert told == {s.ability.name for s in kernel.services if s.provider}
