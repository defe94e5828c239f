"""Extended attributes of the namespace `user` that files are given, and what is none."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sensor.nobody import become_nobody
from tests.sensor.provoke import Stage, apart, call, error_of, extra, host_pid, mount, one, own_mounts, run

from pysmon.assemble.utc import utc_text
from pysmon.host.birth import birth_time
from pysmon.schema.catalogue import FileCreateStreamHash, ProcessTerminate
from pysmon.sensor.records import FAMILIES, AttributeRecord

pytestmark = pytest.mark.vm

ORIGIN, URL = "user.xdg.origin.url", b"https://example.org/tool.sh"
_SETXATTRAT, _EMPTY_PATH = 463, 0x1000
ONLY_ORIGINS = """<Sysmon schemaversion="4.90"><EventFiltering><FileCreateStreamHash onmatch="include">
<TargetFilename condition="end with">:user.xdg.origin.url</TargetFilename>
</FileCreateStreamHash></EventFiltering></Sysmon>"""


def digest(value: bytes) -> str:
    return f"SHA256={hashlib.sha256(value).hexdigest()}"


@pytest.fixture
def file(attribute_folder: Path) -> Path:
    path = attribute_folder / "tool.sh"
    path.write_bytes(b"#!/bin/sh\n")
    return path


def set_at(directory: int, name: bytes, flags: int = 0) -> None:
    """setxattrat(2), of Linux 6.13."""
    value = ctypes.create_string_buffer(URL)
    arguments = struct.pack("<QII", ctypes.addressof(value), len(URL), 0)
    try:
        call("syscall", _SETXATTRAT, directory, name, flags, ORIGIN.encode(), arguments, ctypes.c_size_t(16))
    except OSError as error:
        if error.errno == errno.ENOSYS:
            pytest.skip("this kernel has no setxattrat")
        raise


WAYS: dict[str, Callable[[Path], object]] = {
    "setxattr": lambda p: os.setxattr(p, ORIGIN, URL),
    "lsetxattr": lambda p: os.setxattr(p, ORIGIN, URL, follow_symlinks=False),
    "fsetxattr": lambda p: os.setxattr(os.open(p, os.O_RDONLY), ORIGIN, URL),
}
WAYS_OF_6_13: dict[str, Callable[[Path], object]] = {
    "setxattrat": lambda p: set_at(os.open(p.parent, os.O_RDONLY), bytes(p.name, "utf-8")),
    "setxattrat of a descriptor": lambda p: set_at(os.open(p, os.O_RDONLY), b"", _EMPTY_PATH),
}


def check(provoke: Stage, file: Path, way: Callable[[Path], object]) -> None:
    seen = provoke(lambda: way(file) and None)
    assert os.getxattr(file, ORIGIN) == URL
    event, end = one(seen.of(FileCreateStreamHash)), one(seen.of(ProcessTerminate))
    assert event.TargetFilename == f"{file}:{ORIGIN}"
    assert event.Hash == digest(URL)
    assert event.Contents == URL.decode()
    # A name alone holds only where the process lives, and that one has ended when this is read.
    birth = birth_time(str(file)) if one(seen.records_of(AttributeRecord)).inode else None
    assert event.CreationUtcTime == (event.UtcTime if birth is None else utc_text(birth))
    assert (event.ProcessId, event.ProcessGuid) == (seen.pid, end.ProcessGuid)
    assert (event.Image, event.User, event.RuleName) == (os.path.realpath(sys.executable), "root", "-")
    assert event.UtcTime <= end.UtcTime
    assert extra(event)["StreamSize"] == len(URL)


@pytest.mark.parametrize("way", WAYS)
def test_an_attribute_is_told_with_its_hash_and_contents(provoke: Stage, file: Path, way: str) -> None:
    check(provoke, file, WAYS[way])


@pytest.mark.parametrize("way", WAYS_OF_6_13)
def test_the_newest_call_is_no_way_round(provoke: Stage, file: Path, way: str) -> None:
    probe = file.with_name("probe")
    probe.touch()
    set_at(os.open(probe.parent, os.O_RDONLY), b"probe")
    check(provoke, file, WAYS_OF_6_13[way])


def test_a_program_of_a_short_life_is_told(provoke: Stage, file: Path) -> None:
    def act() -> int:
        os.setxattr(file, ORIGIN, URL)
        return host_pid()

    seen = provoke(lambda: apart(act), read=False)
    assert one(seen.of(FileCreateStreamHash)).ProcessId == seen.truth
    copied = provoke(lambda: run("/bin/cp", "--preserve=xattr", str(file), f"{file}.copy"), read=False)
    event = one(copied.of(FileCreateStreamHash))
    assert (event.Image, event.TargetFilename) == (os.path.realpath("/bin/cp"), f"{file}.copy:{ORIGIN}")


def test_a_folder_a_relative_name_and_a_new_value_are_told(provoke: Stage, file: Path) -> None:
    def act() -> None:
        os.chdir(file.parent)
        os.setxattr(".", "user.a", b"1")
        os.setxattr(file.name, "user.a", b"1", os.XATTR_CREATE)
        os.setxattr(file.name, "user.a", b"2", os.XATTR_REPLACE)

    told = [(e.TargetFilename, e.Contents) for e in provoke(act).of(FileCreateStreamHash)]
    assert told == [(f"{file.parent}:user.a", "1"), (f"{file}:user.a", "1"), (f"{file}:user.a", "2")]


def test_values_without_a_text_or_an_end_are_told_by_what_is_known(provoke: Stage, file: Path) -> None:
    long = os.urandom(3000)

    def act() -> int | None:
        os.setxattr(file, "user.empty", b"")
        os.setxattr(file, "user.bytes", b"\xff\0\xfe")
        os.setxattr(file, "user.bytes", long)
        return error_of(os.setxattr, file, "user.longest", bytes(4097))

    seen = provoke(act)
    empty, short, longer, *longest = seen.of(FileCreateStreamHash)
    assert (empty.Hash, empty.Contents) == (digest(b""), "-")
    assert (short.Hash, short.Contents) == (digest(b"\xff\0\xfe"), "-")
    assert (longer.Hash, longer.Contents) == (digest(long), "-")
    assert extra(longer)["StreamSize"] == 3000
    assert [(e.Hash, extra(e)["StreamSize"]) for e in longest] == ([] if seen.truth else [("Unknown", 4097)])


def test_a_file_in_memory_is_told_where_it_keeps_attributes(provoke: Stage, tmp_path: Path) -> None:
    def act() -> int | None:
        own_mounts()
        mount("tmpfs", str(tmp_path), "tmpfs")
        path = tmp_path / "f"
        path.touch()
        return error_of(os.setxattr, path, ORIGIN, URL)

    seen = provoke(act)
    told = [e.TargetFilename for e in seen.of(FileCreateStreamHash)]
    assert told == ([] if seen.truth else [f"{tmp_path}/f:{ORIGIN}"])  # since 6.6


def test_attributes_of_others_and_what_sets_none_are_not_told(provoke: Stage, file: Path) -> None:
    os.setxattr(file, "user.there", b"1")

    def act() -> list[int | None]:
        os.setxattr(file, "trusted.x", b"1")
        os.setxattr(file, "security.x", b"1")
        os.getxattr(file, "user.there")
        os.listxattr(file)
        os.removexattr(file, "user.there")
        return [
            error_of(os.setxattr, file, ORIGIN, URL, os.XATTR_REPLACE),
            error_of(os.setxattr, f"{file}.absent", ORIGIN, URL),
            error_of(os.setxattr, file, "users.x", b"1"),
            error_of(os.setxattr, "/dev/null", ORIGIN, URL),
        ]

    seen = provoke(act)
    assert seen.truth == [errno.ENODATA, errno.ENOENT, errno.EOPNOTSUPP, errno.EPERM]
    assert (seen.of(FileCreateStreamHash), seen.families["xattr"].seen) == ([], 0)


def test_what_is_refused_is_not_told(provoke: Stage, file: Path) -> None:
    file.parent.chmod(0o755)

    def act() -> int | None:
        os.chdir(file.parent)
        become_nobody()
        return error_of(os.setxattr, file.name, ORIGIN, URL)

    seen = provoke(lambda: apart(act))
    assert (seen.truth, seen.of(FileCreateStreamHash)) == (errno.EACCES, [])


def test_many_are_told_each_with_its_own_value(provoke: Stage, file: Path) -> None:
    def act() -> None:
        for i in range(1000):
            os.setxattr(file, f"user.{i % 10}", b"%d" % i)

    told = [(e.TargetFilename, e.Contents) for e in provoke(act).of(FileCreateStreamHash)]
    assert told == [(f"{file}:user.{i % 10}", str(i)) for i in range(1000)]


def test_rules_filter_it(provoke: Stage, file: Path) -> None:
    def act() -> None:
        os.setxattr(file, "user.other", URL)
        os.setxattr(file, ORIGIN, URL)

    seen = provoke(act, ONLY_ORIGINS)
    assert one(seen.of(FileCreateStreamHash)).TargetFilename == f"{file}:{ORIGIN}"
    count = seen.families["xattr"]
    assert (count.seen, count.kept, count.filtered, count.lost) == (2, 1, 1, 0)


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage, file: Path) -> None:
    provoke.sensor.want({"file create"})
    try:
        seen = provoke(lambda: os.setxattr(file, ORIGIN, URL))
    finally:
        provoke.sensor.want(FAMILIES)
    assert seen.families["xattr"].seen == 0
