"""Names of files that go: by unlink, and by nothing else."""

from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest
from tests.sensor.landlock import has_landlock, remove_only_in
from tests.sensor.provoke import (
    Stage,
    bind,
    call,
    error_of,
    extra,
    forked,
    mount,
    one,
    own_mounts,
    run,
    sees_objects,
)

from pysmon.schema.catalogue import FileDelete, FileDeleteDetected, ProcessTerminate
from pysmon.sensor.records import FileDeleteRecord

pytestmark = pytest.mark.vm

UNLINK = {"x86_64": 87}.get(os.uname().machine)  # arm64 has unlinkat alone


def names(seen: list[FileDelete]) -> list[bytes]:
    return [os.fsencode(e.TargetFilename) for e in seen]


@pytest.mark.parametrize("way", ["unlink", "unlinkat", "remove"])
def test_a_removed_file_is_told(provoke: Stage, tmp_path: Path, way: str) -> None:
    path = tmp_path / "old"
    path.touch()

    def act() -> None:
        if way == "unlink" and UNLINK is not None:
            call("syscall", UNLINK, bytes(path))
        elif way == "unlinkat":
            os.unlink("old", dir_fd=os.open(tmp_path, os.O_RDONLY))
        else:
            call("remove", bytes(path))

    seen = provoke(act)
    removed, detected = one(seen.of(FileDelete)), one(seen.of(FileDeleteDetected))
    end = one(seen.of(ProcessTerminate))
    for event in (removed, detected):
        assert event.TargetFilename == str(path)
        assert (event.Image, event.User) == (os.path.realpath(sys.executable), "root")
        assert (event.ProcessId, event.ProcessGuid) == (seen.pid, end.ProcessGuid)
        assert event.UtcTime <= end.UtcTime
    assert not path.exists()


def test_the_kernel_tells_which_file_it_was_where_it_can_be_watched_inside(provoke: Stage, tmp_path: Path) -> None:
    if not sees_objects(provoke, "files deleted"):
        pytest.skip("removals are seen at the ends of system calls here: the file is gone by then")
    path = tmp_path / "old"
    path.touch()
    truth = path.stat()
    found = one(provoke(path.unlink).records_of(FileDeleteRecord))
    assert (found.inode, found.mode, found.links) == (truth.st_ino, truth.st_mode, 1)


def test_one_name_of_several_leaves_the_others(provoke: Stage, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        if name == "a":
            (tmp_path / "a").touch()
        else:
            os.link(tmp_path / "a", tmp_path / name)

    def act() -> None:
        for name in ("b", "a", "c"):
            os.unlink(tmp_path / name)

    seen = provoke(act).of(FileDelete)
    assert names(seen) == [bytes(tmp_path / n) for n in "bac"]
    if sees_objects(provoke, "files deleted"):
        assert [extra(e) for e in seen] == [{"LinksLeft": 2}, {"LinksLeft": 1}, {"LinksLeft": 0}]


def test_what_is_no_removal_of_a_file_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "e").mkdir()
    for name in ("a", "b"):
        (tmp_path / name).touch()

    def act() -> list[int | None]:
        os.rmdir(tmp_path / "d")
        call("remove", bytes(tmp_path / "e"))
        os.rename(tmp_path / "a", tmp_path / "b")
        os.truncate(tmp_path / "b", 0)
        return [
            error_of(os.unlink, tmp_path / "absent"),
            error_of(os.unlink, tmp_path),
            error_of(os.rmdir, tmp_path / "b"),
        ]

    seen = provoke(act)
    assert seen.truth == [errno.ENOENT, errno.EISDIR, errno.ENOTDIR]
    assert seen.of(FileDelete) == []


def test_a_removal_that_is_not_allowed_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "mine").touch()

    def as_nobody() -> None:
        os.chdir(tmp_path)
        os.setuid(65534)
        assert error_of(os.unlink, "mine") == errno.EACCES

    assert provoke(lambda: forked(as_nobody)).of(FileDelete) == []


def test_removals_that_a_security_module_forbids_hide_no_others(provoke: Stage, tmp_path: Path) -> None:
    """They begin and do not end: for the thread's next one, and for others, which may share what that is noted in."""
    if not has_landlock():
        pytest.skip("nothing forbids a removal where it has begun: this kernel has no Landlock")
    forbidden, allowed, threads = tmp_path / "forbidden", tmp_path / "allowed", 1100
    allowed.mkdir()
    forbidden.touch()
    paths = [allowed / str(number) for number in range(30)]
    for path in paths:
        path.touch()

    def act() -> set[int | None]:
        remove_only_in(allowed)
        errors = {error_of(os.unlink, forbidden)}
        paths[0].unlink()
        for path in [forbidden] * threads + paths[1:]:
            thread = threading.Thread(target=lambda path=path: errors.add(error_of(os.unlink, path)))
            thread.start()
            thread.join()
        return errors

    seen = provoke(act)
    assert seen.truth == {errno.EACCES, None}
    assert names(seen.of(FileDelete)) == [bytes(path) for path in paths]


@pytest.mark.parametrize(
    "name",
    [b"new\nline", "zażółć \U0001f980".encode(), b"\xff\xfe\x80", b"n" * 255],
    ids=["new line", "UTF-8", "no UTF-8", "longest"],
)
def test_a_name_has_every_byte(provoke: Stage, tmp_path: Path, name: bytes) -> None:
    path = bytes(tmp_path) + b"/" + name
    os.close(os.open(path, os.O_CREAT))
    assert names(provoke(lambda: os.unlink(path)).of(FileDelete)) == [path]


def test_a_name_begins_where_the_process_stands_or_at_an_open_directory(provoke: Stage, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    expected = ["a/1", "2", "a/b/3", "a/b/4", "5"]
    for each in expected:
        (tmp_path / each).touch()

    def act() -> None:
        os.chdir(tmp_path / "a")
        os.unlink("1")
        os.unlink("b/../../2")
        directory = os.open("b", os.O_RDONLY)
        os.chdir("/")
        os.unlink("./3", dir_fd=directory)
        os.unlink("../b/4", dir_fd=directory)
        os.unlink(tmp_path / "5", dir_fd=directory)

    assert names(provoke(act).of(FileDelete)) == [bytes(tmp_path / each) for each in expected]


def test_a_way_through_links_is_told_as_it_leads_where_the_kernel_tells(provoke: Stage, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "way").symlink_to("real")
    (tmp_path / "real" / "1").touch()
    (tmp_path / "real" / "2").symlink_to("/etc/passwd")

    def act() -> None:
        os.unlink(tmp_path / "way" / "1")
        os.unlink(tmp_path / "way" / "2")  # the link, not what it leads to

    where = "real" if sees_objects(provoke, "files deleted") else "way"
    assert names(provoke(act).of(FileDelete)) == [bytes(tmp_path / where / n) for n in "12"]


def test_a_file_on_a_mount_or_in_a_chroot_has_its_path_outside(provoke: Stage, tmp_path: Path) -> None:
    for name in ("memory", "source", "place"):
        (tmp_path / name).mkdir()

    def act() -> None:
        own_mounts()
        mount("tmpfs", str(tmp_path / "memory"), "tmpfs")
        bind(str(tmp_path / "source"), str(tmp_path / "place"))
        for folder in ("memory", "place"):
            (tmp_path / folder / "1").touch()
            os.unlink(tmp_path / folder / "1")
        (tmp_path / "source" / "2").touch()
        os.chroot(tmp_path / "source")
        os.unlink("/2")

    expected = [bytes(tmp_path / each) for each in ("memory/1", "place/1", "source/2")]
    assert names(provoke(act).of(FileDelete)) == expected


def test_a_deep_name_is_whole(provoke: Stage, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 30] * 60)
    deep.mkdir(parents=True)
    (deep / "a").touch()
    assert names(provoke((deep / "a").unlink).of(FileDelete)) == [bytes(deep / "a")]


def test_a_tree_is_removed_file_by_file(provoke: Stage, tmp_path: Path) -> None:
    made = []
    for folder in ("a", "a/b", "a/b/c"):
        (tmp_path / folder).mkdir()
        for n in range(5):
            made.append(bytes(tmp_path / folder / str(n)))
            (tmp_path / folder / str(n)).touch()
    seen = provoke(lambda: run("/bin/rm", "-rf", str(tmp_path / "a")))
    assert sorted(names(seen.of(FileDelete))) == sorted(made)
    assert {e.Image for e in seen.of(FileDelete)} == {os.path.realpath("/bin/rm")}
