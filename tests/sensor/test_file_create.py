"""Files that come to a name: by open, by rename, by link, and symbolic links themselves."""

from __future__ import annotations

import errno
import os
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
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

from pysmon.schema.catalogue import FileCreate, ProcessTerminate
from pysmon.sensor.records import FileCreateRecord

pytestmark = pytest.mark.vm

NEW = os.O_CREAT | os.O_WRONLY
AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400
OPENAT2 = 437
OPEN = {"x86_64": 2}.get(os.uname().machine)  # arm64 has openat alone
RENAMEAT2 = {"x86_64": 316}.get(os.uname().machine, 276)


def make(path: str | bytes | Path, flags: int = NEW) -> None:
    os.close(os.open(path, flags, 0o640))


def names(seen: list[FileCreate]) -> list[bytes]:
    return [os.fsencode(e.TargetFilename) for e in seen]


def with_open(path: bytes) -> None:
    call("syscall", OPEN, path, NEW | os.O_EXCL, 0o640)


def with_creat(path: bytes) -> None:
    call("creat", path, 0o640)


def with_openat2(path: bytes) -> None:
    how = struct.pack("<QQQ", NEW, 0o640, 0)
    call("syscall", OPENAT2, AT_FDCWD, path, how, len(how))


WAYS: dict[str, Callable[[bytes], None]] = {"openat": make, "creat": with_creat, "openat2": with_openat2}
if OPEN is not None:
    WAYS["open"] = with_open


@pytest.mark.parametrize("way", WAYS)
def test_a_new_file_is_told(provoke: Stage, tmp_path: Path, way: str) -> None:
    path = tmp_path / "new"
    seen = provoke(lambda: WAYS[way](bytes(path)))
    created = one(seen.of(FileCreate))
    assert created.TargetFilename == str(path)
    assert created.CreationUtcTime == created.UtcTime
    assert (created.Image, created.User) == (os.path.realpath(sys.executable), "root")
    assert (created.ProcessId, created.ProcessGuid) == (seen.pid, one(seen.of(ProcessTerminate)).ProcessGuid)
    assert extra(created) == {"How": "created", "Mode": "0640"}
    found, record = path.stat(), one(seen.records_of(FileCreateRecord))
    assert (record.inode, record.mode) == (found.st_ino, found.st_mode)


def test_a_file_is_told_as_made_by_the_user_who_makes_it(provoke: Stage, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)

    def as_nobody() -> None:
        os.chdir(tmp_path)
        os.setuid(65534)
        make("new")

    seen = provoke(lambda: forked(as_nobody))
    created = one(seen.of(FileCreate))
    assert (created.User, created.TargetFilename) == ("nobody", f"{tmp_path}/new")
    assert created.ProcessGuid == seen.of(ProcessTerminate)[0].ProcessGuid


def test_a_file_that_was_there_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_text("x")

    def act() -> None:
        for flags in (os.O_RDONLY, os.O_RDWR, NEW, NEW | os.O_TRUNC, NEW | os.O_APPEND):
            make(path, flags)
        path.write_text("y")

    assert provoke(act).of(FileCreate) == []


def test_what_fails_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    (tmp_path / "old").touch()

    def act() -> list[int | None]:
        return [
            error_of(make, tmp_path / "old", NEW | os.O_EXCL),
            error_of(make, tmp_path / "absent" / "new"),
            error_of(make, tmp_path),
            error_of(os.rename, tmp_path / "absent", tmp_path / "new"),
            error_of(os.link, tmp_path / "absent", tmp_path / "new"),
            error_of(os.link, tmp_path / "old", tmp_path / "old"),
            error_of(os.symlink, "x", tmp_path / "old"),
        ]

    seen = provoke(act)
    assert seen.truth == [errno.EEXIST, errno.ENOENT, errno.EISDIR, errno.ENOENT, errno.ENOENT, *[errno.EEXIST] * 2]
    assert seen.of(FileCreate) == []


def test_what_is_no_file_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    def act() -> None:
        os.mkdir(tmp_path / "directory")
        os.mkfifo(tmp_path / "pipe")
        os.close(os.memfd_create("memory"))

    assert provoke(act).of(FileCreate) == []


def test_a_file_without_a_name_is_told_when_it_gets_one(provoke: Stage, tmp_path: Path) -> None:
    def act(*, named: bool) -> None:
        own_mounts()
        mount("tmpfs", str(tmp_path), "tmpfs")  # not every file system can do it
        fd = os.open(tmp_path, os.O_TMPFILE | os.O_RDWR)
        if named:
            way = b"/proc/self/fd/%d" % fd
            call("linkat", AT_FDCWD, way, AT_FDCWD, bytes(tmp_path / "named"), AT_SYMLINK_FOLLOW)

    assert provoke(lambda: act(named=False)).of(FileCreate) == []
    created = one(provoke(lambda: act(named=True)).of(FileCreate))
    assert (created.TargetFilename, extra(created)["How"]) == (f"{tmp_path}/named", "linked")


@pytest.mark.parametrize("way", ["rename", "renameat", "renameat2"])
def test_a_renamed_file_is_told_by_its_new_name(provoke: Stage, tmp_path: Path, way: str) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch()

    def act() -> None:
        directory = os.open(tmp_path, os.O_RDONLY)
        match way:
            case "rename":
                os.rename(old, new)
            case "renameat":
                os.rename("old", "new", src_dir_fd=directory, dst_dir_fd=directory)
            case _:
                call("syscall", RENAMEAT2, AT_FDCWD, bytes(old), directory, b"new", 1)

    seen = provoke(act)
    created = one(seen.of(FileCreate))
    assert (created.TargetFilename, extra(created)["How"]) == (str(new), "renamed")
    assert (created.ProcessId, created.ProcessGuid) == (seen.pid, one(seen.of(ProcessTerminate)).ProcessGuid)


def test_a_file_renamed_over_another_or_to_another_directory_is_told_once(provoke: Stage, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in ("a", "b", "d/b"):
        (tmp_path / name).touch()

    def act() -> None:
        os.rename(tmp_path / "a", tmp_path / "b")
        os.rename(tmp_path / "b", tmp_path / "d" / "b")

    assert names(provoke(act).of(FileCreate)) == [bytes(tmp_path / "b"), bytes(tmp_path / "d" / "b")]


def test_two_files_that_change_their_names_are_both_told(provoke: Stage, tmp_path: Path) -> None:
    exchange = 2  # RENAME_EXCHANGE
    (tmp_path / "d").mkdir()
    for name in ("a", "d/b"):
        (tmp_path / name).touch()

    def act() -> None:
        call("syscall", RENAMEAT2, AT_FDCWD, bytes(tmp_path / "a"), AT_FDCWD, bytes(tmp_path / "d" / "b"), exchange)

    seen = provoke(act).of(FileCreate)
    assert names(seen) == [bytes(tmp_path / "d" / "b"), bytes(tmp_path / "a")]
    assert {extra(e)["How"] for e in seen} == {"renamed"}


def test_a_renamed_directory_is_no_new_file(provoke: Stage, tmp_path: Path) -> None:
    if not sees_objects(provoke, "files renamed"):
        pytest.skip("renames are seen at the ends of system calls here, which do not say what was renamed")
    (tmp_path / "old").mkdir()
    assert provoke(lambda: os.rename(tmp_path / "old", tmp_path / "new")).of(FileCreate) == []


@pytest.mark.parametrize("way", ["symlink", "symlinkat"])
def test_a_symbolic_link_is_told_by_its_name_whatever_it_leads_to(provoke: Stage, tmp_path: Path, way: str) -> None:
    def act() -> None:
        if way == "symlink":
            call("symlink", b"/nowhere", bytes(tmp_path / "new"))
        else:
            call("symlinkat", b"/nowhere", os.open(tmp_path, os.O_RDONLY), b"new")

    created = one(provoke(act).of(FileCreate))
    assert created.TargetFilename == str(tmp_path / "new")
    assert extra(created)["How"] == "symbolic link"


@pytest.mark.parametrize("way", ["link", "linkat"])
def test_a_linked_file_is_told_by_its_new_name(provoke: Stage, tmp_path: Path, way: str) -> None:
    (tmp_path / "old").touch()

    def act() -> None:
        if way == "link":
            call("link", bytes(tmp_path / "old"), bytes(tmp_path / "new"))
        else:
            directory = os.open(tmp_path, os.O_RDONLY)
            os.link("old", "new", src_dir_fd=directory, dst_dir_fd=directory)

    created = one(provoke(act).of(FileCreate))
    assert (created.TargetFilename, extra(created)["How"]) == (f"{tmp_path}/new", "linked")


ODD = [b"new\nline", "zażółć \U0001f980".encode(), b"\xff\xfe\x80", b"tab\tand space ", b"..a", b"n" * 255]


@pytest.mark.parametrize("name", ODD, ids=["new line", "UTF-8", "no UTF-8", "white space", "dots", "longest"])
def test_a_name_has_every_byte(provoke: Stage, tmp_path: Path, name: bytes) -> None:
    here = bytes(tmp_path)

    def act() -> None:
        os.chdir(here)
        make(name)
        os.rename(name, b"other")
        os.rename(b"other", name)
        os.link(name, b"other")

    assert names(provoke(act).of(FileCreate)) == [here + b"/" + n for n in (name, b"other", name, b"other")]


def test_a_relative_name_begins_where_the_process_stands(provoke: Stage, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)

    def act() -> None:
        os.chdir(tmp_path / "a")
        make("1")
        make("b/../../2")
        make("./b//./3")
        os.rename("1", "./b/../b/4")
        os.link("b/4", "b/../../5")
        os.chdir("b")
        make("6")
        os.rename("6", "../../7")

    expected = ["a/1", "2", "a/b/3", "a/b/4", "5", "a/b/6", "7"]
    assert names(provoke(act).of(FileCreate)) == [bytes(tmp_path / each) for each in expected]


def test_a_name_may_begin_at_any_open_directory(provoke: Stage, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)

    def act() -> None:
        os.chdir("/")
        directory = os.open(tmp_path / "a", os.O_RDONLY)
        os.close(os.open("1", NEW, dir_fd=directory))
        os.close(os.open("../2", NEW, dir_fd=directory))
        os.close(os.open(tmp_path / "3", NEW, dir_fd=directory))
        os.rename(tmp_path / "3", "b/4", dst_dir_fd=directory)
        os.link(tmp_path / "2", "5", dst_dir_fd=directory)

    expected = ["a/1", "2", "3", "a/b/4", "a/5"]
    assert names(provoke(act).of(FileCreate)) == [bytes(tmp_path / each) for each in expected]


def test_a_way_through_links_is_told_as_it_leads_where_the_kernel_tells(provoke: Stage, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "way").symlink_to("real")

    def act() -> None:
        make(tmp_path / "way" / "1")
        os.rename(tmp_path / "way" / "1", tmp_path / "way" / "2")
        os.link(tmp_path / "real" / "2", tmp_path / "way" / "3")

    renamed = "real" if sees_objects(provoke, "files renamed") else "way"
    linked = "real" if sees_objects(provoke, "files linked") else "way"
    expected = ["real/1", f"{renamed}/2", f"{linked}/3"]
    assert names(provoke(act).of(FileCreate)) == [bytes(tmp_path / each) for each in expected]


def test_a_deep_name_is_whole(provoke: Stage, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 30] * 60)
    deep.mkdir(parents=True)

    def act() -> None:
        make(deep / "a")
        os.rename(deep / "a", deep / "b")

    assert names(provoke(act).of(FileCreate)) == [bytes(deep / "a"), bytes(deep / "b")]


def test_a_file_on_a_mount_has_the_path_of_that_mount(provoke: Stage, tmp_path: Path) -> None:
    for name in ("memory", "source", "place"):
        (tmp_path / name).mkdir()
    (tmp_path / "source" / "inner").mkdir()

    def act() -> None:
        own_mounts()
        mount("tmpfs", str(tmp_path / "memory"), "tmpfs")
        bind(str(tmp_path / "source" / "inner"), str(tmp_path / "place"))
        for folder in ("memory", "place"):
            make(tmp_path / folder / "1")
            os.rename(tmp_path / folder / "1", tmp_path / folder / "2")
            os.chdir(tmp_path / folder)
            os.link("2", "3")

    expected = [f"{folder}/{n}" for folder in ("memory", "place") for n in (1, 2, 3)]
    assert names(provoke(act).of(FileCreate)) == [bytes(tmp_path / each) for each in expected]


def test_a_file_made_in_a_chroot_has_its_path_outside(provoke: Stage, tmp_path: Path) -> None:
    def act() -> None:
        os.chroot(tmp_path)
        os.chdir("/")
        make("/1")
        os.rename("/1", "/2")
        os.rename("2", "3")

    assert names(provoke(act).of(FileCreate)) == [bytes(tmp_path / n) for n in "123"]


def test_a_program_makes_files_under_its_own_name(provoke: Stage, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")

    def act() -> None:
        run("/bin/sh", "-c", f"echo x >{tmp_path}/shell; exec /bin/cp {tmp_path}/a {tmp_path}/copy")

    told = {e.TargetFilename: os.path.basename(e.Image) for e in provoke(act).of(FileCreate)}
    assert told == {f"{tmp_path}/shell": os.path.basename(os.path.realpath("/bin/sh")), f"{tmp_path}/copy": "cp"}


def test_files_made_by_a_thread_belong_to_its_process(provoke: Stage, tmp_path: Path) -> None:
    def act() -> None:
        thread = threading.Thread(target=make, args=(tmp_path / "new",))
        thread.start()
        thread.join()

    seen = provoke(act)
    record = one(seen.records_of(FileCreateRecord))
    assert record.tgid == one(seen.of(FileCreate)).ProcessId == seen.pid
    assert record.tid != record.tgid
