"""The configuration in use: what is stored and what holds are the same, whatever goes wrong on the way."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pysmon.config.read import default_bytes
from pysmon.pipeline.policy import Policy
from pysmon.service.in_use import DEFAULTS, Configurations, RefusedError
from pysmon.service.paths import Paths
from pysmon.service.stored import load, save


def text(tag: str) -> bytes:
    return f'<Sysmon schemaversion="4.90"><EventFiltering><{tag} onmatch="exclude"/></EventFiltering></Sysmon>'.encode()


GOOD, OTHER, BAD = text("FileCreate"), text("FileDelete"), b"<Sysmon"


class Scene:
    """A run that takes every policy at once, and what was reported."""

    def __init__(self, root: Path) -> None:
        self.paths = Paths.under(root)
        self.reports: list[str] = []
        self.used: list[Policy] = []
        self.written: list[tuple[Path, ...]] = []
        self.own = self.again()

    def again(self) -> Configurations:
        """As the next run has them."""
        return Configurations(self.paths, lambda error, words: self.reports.append(f"{error}: {words}"))

    def use(self, policy: Policy) -> threading.Event:
        self.used.append(policy)
        holds = threading.Event()
        holds.set()
        return holds

    @contextmanager
    def changing(self, *paths: Path) -> Iterator[None]:
        self.written.append(paths)
        yield

    def give(self, data: bytes, name: str) -> int:
        """How many problems it has."""
        return len(self.own.reconfigure(data, name, self.use, self.changing))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_without_a_stored_one_the_defaults_hold(scene: Scene) -> None:
    now = scene.own.now
    assert (now.name, now.data, now.generation) == (DEFAULTS, default_bytes(), 1)
    assert scene.reports == []


def test_what_is_given_is_stored_holds_and_holds_in_the_next_run(scene: Scene) -> None:
    assert scene.give(GOOD, "good.xml") == 0
    (policy,) = scene.used
    assert policy.families == {"file create"}
    assert scene.own.now.policy is policy
    assert scene.own.now.generation == 2
    told = scene.own.in_use()
    assert (told.name, told.data, told.sha256) == ("good.xml", GOOD, hashlib.sha256(GOOD).hexdigest())
    assert scene.own.now.state.sha256 == told.sha256
    assert scene.written == [(scene.paths.configuration, scene.paths.about)]
    assert (scene.again().now.name, scene.again().now.data) == ("good.xml", GOOD)


def test_one_with_errors_changes_nothing_and_is_told(scene: Scene) -> None:
    scene.give(GOOD, "good.xml")
    assert scene.give(BAD, "bad.xml") > 0
    assert scene.own.now.name == "good.xml"
    assert scene.again().now.name == "good.xml"
    assert len(scene.used) == 1
    (report,) = scene.reports
    assert report.startswith("CONFIG: the configuration bad.xml was refused, 3 errors; the first: bad.xml:")


@pytest.mark.parametrize("reset", [False, True])
def test_one_that_cannot_be_stored_is_refused_and_told(scene: Scene, reset: bool) -> None:
    scene.give(GOOD, "good.xml")
    in_the_way = scene.paths.about.with_name(".config.json.new")
    in_the_way.mkdir()
    change = partial(scene.own.reset, scene.use, scene.changing) if reset else partial(scene.give, OTHER, "other.xml")
    with pytest.raises(RefusedError, match=f"cannot be stored in {scene.paths.state}: Is a directory") as caught:
        change()
    assert caught.value.hint
    assert scene.own.now.name == "good.xml"
    assert len(scene.used) == 1
    assert "the configuration before stays" in scene.reports[0]
    in_the_way.rmdir()
    assert scene.give(OTHER, "other.xml") == 0
    assert scene.own.now.name == "other.xml"


def test_a_reset_forgets_what_was_stored(scene: Scene) -> None:
    scene.give(GOOD, "good.xml")
    scene.own.reset(scene.use, scene.changing)
    assert (scene.own.now.name, scene.own.now.generation) == (DEFAULTS, 3)
    assert len(scene.used) == 2
    assert load(scene.paths) is None
    assert scene.written[1] == scene.written[0]


def test_a_reload_takes_what_is_stored_by_now_and_nothing_if_that_is_the_same(scene: Scene) -> None:
    scene.own.reload(scene.use)
    assert scene.used == []
    save(scene.paths, GOOD, "good.xml", 1)
    scene.own.reload(scene.use)
    assert (scene.own.now.name, scene.own.now.generation, len(scene.used)) == ("good.xml", 2, 1)
    scene.own.reload(scene.use)
    assert len(scene.used) == 1
    save(scene.paths, OTHER, "good.xml", 1)
    scene.own.reload(scene.use)
    assert scene.own.now.data == OTHER
    save(scene.paths, OTHER, "renamed.xml", 1)
    scene.own.reload(scene.use)
    assert scene.own.now.name == "renamed.xml"
    scene.paths.about.unlink()
    scene.own.reload(scene.use)
    assert scene.own.now.name == DEFAULTS


@pytest.mark.parametrize("data", [BAD, None])
def test_what_is_stored_and_no_good_is_told_and_changes_nothing(scene: Scene, data: bytes | None) -> None:
    scene.give(GOOD, "good.xml")
    if data is None:
        scene.paths.configuration.write_bytes(OTHER)
    else:
        save(scene.paths, data, "bad.xml", 1)
    scene.own.reload(scene.use)
    assert scene.own.now.name == "good.xml"
    assert len(scene.used) == 1
    assert scene.reports[0].startswith("CONFIG: the stored configuration cannot be used: ")
    assert scene.again().now.name == DEFAULTS


def test_one_that_holds_late_is_the_one_in_use_all_the_same(scene: Scene) -> None:
    own = Configurations(scene.paths, lambda error, words: None, patience=0.01)
    with pytest.raises(RefusedError, match=r"good.xml is stored, but did not come to hold within 0.01 s"):
        own.reconfigure(GOOD, "good.xml", lambda policy: threading.Event(), scene.changing)
    assert own.now.name == "good.xml"
    assert scene.again().now.name == "good.xml"


def test_changes_come_one_after_the_other_and_the_last_one_is_stored(scene: Scene) -> None:
    inside = threading.Semaphore(1)

    def use(policy: Policy) -> threading.Event:
        assert inside.acquire(blocking=False), "two at a time"
        try:
            assert load(scene.paths) is not None
            return scene.use(policy)
        finally:
            inside.release()

    def give(number: int) -> None:
        for _ in range(5):
            scene.own.reconfigure((GOOD, OTHER)[number % 2], f"{number}.xml", use, scene.changing)
            scene.own.reload(use)

    threads = [threading.Thread(target=give, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored, now = load(scene.paths), scene.own.now
    assert stored
    assert (stored.name, stored.data) == (now.name, now.data)
    assert now.generation == 1 + 20 == 1 + len(scene.used)
    assert now.policy is scene.used[-1]
    assert scene.reports == []
