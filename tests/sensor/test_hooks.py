"""Hooks: those that are asked for are attached, the others are not, and a change of mind leaves no gap."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sensor.provoke import PATIENCE, apart

from pysmon.sensor.hooks import LIFECYCLE, Hooks
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.libbpf import Object
from pysmon.sensor.loader import Loaded, load
from pysmon.sensor.providers import ABILITIES
from pysmon.sensor.records import FAMILIES
from pysmon.sensor.scope import Scope

pytestmark = pytest.mark.vm

FILES = {"file create"}
NETWORK = {"network"}


@pytest.fixture
def loaded(kernel: Sensor) -> Iterator[Loaded]:
    """All programs, none but those of the process table attached."""
    found = load(attach=LIFECYCLE)
    yield found
    found.object.close()


def serving(hooks: Hooks, families: set[str]) -> set[str]:
    """The programs that serve these families here."""
    services = [s for s in hooks.services if s.ability.family in families and s.provider]
    return {p for s in services if s.provider for p in s.provider.programs}


def attached(loaded: Loaded) -> set[str]:
    return set(loaded.object.attached)


def settled(hooks: Hooks) -> None:
    hooks.close()


def test_nothing_is_attached_that_no_family_asks_for(loaded: Loaded) -> None:
    hooks = Hooks(loaded, LIFECYCLE)
    assert attached(loaded) == {"on_fork", "on_exec", "on_exit"}
    assert hooks.prepare(LIFECYCLE | FILES) == []
    new = attached(loaded) - {"on_fork", "on_exec", "on_exit"}
    assert new
    assert new <= serving(hooks, FILES)


def test_what_is_not_asked_for_any_more_is_let_go_and_stays_loaded(loaded: Loaded) -> None:
    hooks = Hooks(loaded, LIFECYCLE)
    hooks.prepare(LIFECYCLE | FILES)
    hooks.settle(LIFECYCLE | FILES)
    before = attached(loaded)
    hooks.prepare(LIFECYCLE | NETWORK)
    assert attached(loaded) > before
    hooks.settle(LIFECYCLE | NETWORK)
    settled(hooks)
    assert attached(loaded) == {"on_fork", "on_exec", "on_exit"} | (attached(loaded) & serving(hooks, NETWORK))
    hooks.settle(LIFECYCLE | FILES)
    assert attached(loaded) >= before


def test_families_that_are_awaited_are_not_let_go(loaded: Loaded) -> None:
    hooks = Hooks(loaded, LIFECYCLE)
    hooks.prepare(LIFECYCLE | FILES)
    hooks.prepare(LIFECYCLE | NETWORK)
    both = attached(loaded)
    hooks.settle(LIFECYCLE | FILES)
    settled(hooks)
    assert attached(loaded) == both
    hooks.settle(LIFECYCLE | NETWORK)
    settled(hooks)
    assert attached(loaded) < both


def test_a_program_that_serves_another_family_too_stays(loaded: Loaded) -> None:
    hooks = Hooks(loaded, LIFECYCLE)
    hooks.prepare(LIFECYCLE | FILES | {"raw access"})
    hooks.settle(LIFECYCLE | FILES | {"raw access"})
    hooks.settle(LIFECYCLE | {"raw access"})
    settled(hooks)
    left = attached(loaded) - {"on_fork", "on_exec", "on_exit"}
    assert left
    assert left <= serving(hooks, {"raw access"})


def test_what_is_always_attached_stays(loaded: Loaded) -> None:
    hooks = Hooks(loaded, LIFECYCLE)
    hooks.always("guard")
    hooks.settle(LIFECYCLE)
    settled(hooks)
    assert "on_signal" in attached(loaded)


def test_a_hook_that_fails_when_it_is_asked_for_later_is_told_and_blind_from_then_on(loaded: Loaded) -> None:
    def act() -> tuple[list[str], list[str], list[str]]:
        """With no room for another descriptor."""
        import resource

        hooks = Hooks(loaded, LIFECYCLE)
        free = os.dup(0)
        os.close(free)
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
        failed = hooks.prepare(LIFECYCLE | NETWORK)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        blind = [s.ability.name for s in hooks.services if s.provider is None and s.ability.family in NETWORK]
        again = hooks.prepare(LIFECYCLE | NETWORK)
        return [s.ability.name for s in failed], [str(s) for s in again], blind

    failed, again, blind = apart(act)
    assert failed == blind == [a.name for a in ABILITIES if a.family == "network"]
    assert again == []


def test_a_sensor_sees_a_family_from_the_moment_it_wants_it(kernel: Sensor, tmp_path: Path) -> None:
    def act() -> dict[str, list[int]]:
        with Sensor(()) as sensor:
            sensor.watch(Scope.of_tree(os.getpid()))
            seen: dict[str, list[int]] = {"off": [], "on": []}
            for i in range(4):
                wanted = "on" if i % 2 else "off"
                families = FILES if i % 2 else set()
                assert sensor.prepare(families) == []
                sensor.want(families)
                before = sensor.counts()["file create"].due
                (tmp_path / str(i)).touch()
                seen[wanted].append(sensor.counts()["file create"].due - before)
            return seen

    assert apart(act) == {"off": [0, 0], "on": [1, 1]}


def test_changes_from_several_threads_end_with_what_is_in_force(loaded: Loaded) -> None:
    hooks = Hooks(loaded, LIFECYCLE)
    wishes = [LIFECYCLE | FILES, LIFECYCLE | NETWORK, LIFECYCLE, LIFECYCLE | {"bpf"}]

    def change(wish: frozenset[str]) -> None:
        for _ in range(5):
            hooks.prepare(wish)
            hooks.settle(wish)

    threads = [threading.Thread(target=change, args=(wish,)) for wish in wishes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hooks.settle(frozenset(FAMILIES) - {"guard"})
    settled(hooks)
    expected = serving(hooks, set(FAMILIES) - {"guard"})
    give_up = time.monotonic() + PATIENCE
    while attached(loaded) - expected and time.monotonic() < give_up:
        time.sleep(0.01)
    assert {"on_fork", "on_tcp_state"} <= attached(loaded) <= expected


def test_attaching_what_is_attached_does_nothing(loaded: Loaded) -> None:
    made: Object = loaded.object
    before = made.attached
    assert made.attach("on_fork") == ""
    assert made.attached == before
