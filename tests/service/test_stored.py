"""The stored configuration is what was given, or an error says that it is not."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.service import stored
from pysmon.service.paths import Paths
from pysmon.service.stored import Stored, StoredError

OLD, NEW = b"<Sysmon/>", b"\xff\xfe<\0S\0"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path)


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0)
    yield os.umask
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nothing_is_stored_at_first(paths: Paths) -> None:
    assert stored.load(paths) is None


def test_what_was_saved_is_loaded_byte_for_byte(paths: Paths) -> None:
    saved = stored.save(paths, NEW, "../my \udcff.xml", 7)
    assert saved == Stored(NEW, "../my \udcff.xml", hashlib.sha256(NEW).hexdigest(), 7)
    assert stored.load(paths) == saved
    assert paths.configuration.read_bytes() == NEW


@given(data=st.binary(max_size=200), name=st.text(max_size=20), when=st.integers(0, 2**63))
def test_anything_can_be_stored(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str, when: int) -> None:
    paths = Paths.under(tmp_path_factory.mktemp("stored"))
    assert stored.load(paths) is None or stored.save(paths, data, name, when)
    saved = stored.save(paths, data, name, when)
    assert stored.load(paths) == saved


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_nobody_else_can_read_it_whatever_the_umask(paths: Paths, umask: Callable[[int], int], mask: int) -> None:
    paths.state.mkdir(parents=True)
    umask(mask)
    stored.save(paths, OLD, "old.xml", 1)
    assert [mode(p) for p in (paths.state, paths.configuration, paths.about)] == [0o700, 0o600, 0o600]


def test_only_the_two_files_are_left_behind(paths: Paths) -> None:
    stored.save(paths, OLD, "old.xml", 1)
    stored.save(paths, NEW, "new.xml", 2)
    assert sorted(p.name for p in paths.state.iterdir()) == ["config.json", "config.xml"]


def test_a_file_that_was_changed_is_told_with_both_hashes(paths: Paths) -> None:
    stored.save(paths, OLD, "old.xml", 1)
    paths.configuration.write_bytes(NEW)
    with pytest.raises(StoredError, match="is not what was stored there") as error:
        stored.load(paths)
    assert hashlib.sha256(NEW).hexdigest() in str(error.value)
    assert hashlib.sha256(OLD).hexdigest() in str(error.value)
    assert "pysmon -c" in error.value.hint


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x", "sha256": "", "when": "soon"}', "\udcff"])
def test_a_damaged_description_is_told(paths: Paths, text: str) -> None:
    stored.save(paths, OLD, "old.xml", 1)
    paths.about.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(StoredError, match=r"config\.json is damaged"):
        stored.load(paths)


def test_a_missing_configuration_is_told(paths: Paths) -> None:
    stored.save(paths, OLD, "old.xml", 1)
    paths.configuration.unlink()
    with pytest.raises(StoredError, match=r"config\.xml is missing"):
        stored.load(paths)


def test_a_configuration_that_nothing_describes_is_told(paths: Paths) -> None:
    stored.save(paths, OLD, "old.xml", 1)
    paths.about.unlink()
    with pytest.raises(StoredError, match=r"config\.json is missing"):
        stored.load(paths)


def test_what_was_forgotten_is_gone(paths: Paths) -> None:
    stored.save(paths, OLD, "old.xml", 1)
    stored.forget(paths)
    assert stored.load(paths) is None
    assert list(paths.state.iterdir()) == []


def test_forgetting_nothing_makes_nothing(paths: Paths) -> None:
    stored.forget(paths)
    assert not paths.state.exists()


def halts(paths: Paths, act: Callable[[], object], tmp_path: Path) -> Iterator[Paths]:
    """The state as a machine that stops would leave it: before each change that `act` makes to a name there."""
    copies: list[Path] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if active and event in {"os.rename", "os.remove"} and str(paths.state) in str(arguments[0]):
            copy = tmp_path / f"halt{len(copies)}"
            copies.append(copy)
            active.clear()
            shutil.copytree(paths.root, copy)
            active.append(True)

    active = [True]
    sys.addaudithook(hook)
    act()
    active.clear()
    yield from map(Paths.under, copies)


def test_a_save_that_is_cut_short_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path / "now")
    old = stored.save(paths, OLD, "old.xml", 1)
    found = [stored.load(p) for p in halts(paths, lambda: stored.save(paths, NEW, "new.xml", 2), tmp_path)]
    new = stored.load(paths)
    assert new is not None
    assert new.data == NEW
    assert set(found) == {old, new}


def test_a_forgetting_that_is_cut_short_leaves_the_old_or_nothing(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path / "now")
    old = stored.save(paths, OLD, "old.xml", 1)
    found = [stored.load(p) for p in halts(paths, lambda: stored.forget(paths), tmp_path)]
    assert set(found) == {old, None}


def test_what_a_save_left_that_was_cut_short_does_not_hinder_the_next(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path / "now")
    stored.save(paths, OLD, "old.xml", 1)
    for halted in halts(paths, lambda: stored.save(paths, NEW, "new.xml", 2), tmp_path):
        saved = stored.save(halted, b"third", "third.xml", 3)
        assert stored.load(halted) == saved


def test_a_disk_that_cannot_be_written_leaves_the_old_one_in_use(paths: Paths) -> None:
    old = stored.save(paths, OLD, "old.xml", 1)
    paths.configuration.with_name(".config.xml.new.new").mkdir()
    with pytest.raises(OSError, match="config"):
        stored.save(paths, NEW, "new.xml", 2)
    assert stored.load(paths) == old
