"""Modification times that a process sets: what was set, what stood there, and what is no change."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sensor.nobody import become_nobody
from tests.sensor.provoke import Stage, apart, call, error_of, host_pid, mount, one, own_mounts, run

from pysmon.assemble.utc import utc_text
from pysmon.schema.catalogue import FileCreateTime, ProcessTerminate
from pysmon.sensor.records import FAMILIES

pytestmark = pytest.mark.vm

SECOND = 1_000_000_000
BEFORE, AFTER = 1_000_000_000 * SECOND + 123_000_000, 978_307_200 * SECOND + 250_000_000
CALLS = {"utime": 132, "utimes": 235, "futimesat": 261} if os.uname().machine == "x86_64" else {}
ONLY_SECRETS = """<Sysmon schemaversion="4.90"><EventFiltering><FileCreateTime onmatch="include">
<TargetFilename condition="end with">/secret</TargetFilename></FileCreateTime></EventFiltering></Sysmon>"""


def made(path: Path) -> Path:
    path.touch()
    os.utime(path, ns=(BEFORE, BEFORE))
    return path


def by_number(name: str, *arguments: object) -> None:
    if name not in CALLS:
        pytest.skip(f"this architecture has no {name}")
    call("syscall", CALLS[name], *arguments)


def timevals() -> ctypes.Array[ctypes.c_char]:
    pair = struct.pack("<qq", AFTER // SECOND, AFTER % SECOND // 1000)
    return ctypes.create_string_buffer(pair * 2)


WAYS: dict[str, Callable[[Path], object]] = {
    "utimensat": lambda p: os.utime(p, ns=(1, AFTER)),
    "relative": lambda p: os.utime(p.name, ns=(1, AFTER), dir_fd=os.open(p.parent, os.O_RDONLY)),
    "descriptor": lambda p: os.utime(os.open(p, os.O_RDONLY), ns=(1, AFTER)),
    "futimesat": lambda p: by_number("futimesat", -100, bytes(p), timevals()),
    "utimes": lambda p: by_number("utimes", bytes(p), timevals()),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_time_that_is_set_is_told_with_the_one_before(provoke: Stage, tmp_path: Path, way: str) -> None:
    path = made(tmp_path / "f")
    if way not in CALLS and way in ("futimesat", "utimes"):
        pytest.skip(f"this architecture has no {way}")
    seen = provoke(lambda: WAYS[way](path) and None)
    event, end = one(seen.of(FileCreateTime)), one(seen.of(ProcessTerminate))
    assert path.stat().st_mtime_ns == AFTER
    assert (event.CreationUtcTime, event.PreviousCreationUtcTime) == (utc_text(AFTER), utc_text(BEFORE))
    assert event.TargetFilename == str(path)
    assert (event.ProcessId, event.ProcessGuid) == (seen.pid, end.ProcessGuid)
    assert (event.Image, event.User, event.RuleName) == (os.path.realpath(sys.executable), "root", "-")
    assert event.UtcTime <= end.UtcTime


def test_whole_seconds_are_told_too(provoke: Stage, tmp_path: Path) -> None:
    path = made(tmp_path / "f")
    if "utime" not in CALLS:
        pytest.skip("this architecture has no utime")
    times = ctypes.create_string_buffer(struct.pack("<qq", 1, AFTER // SECOND))
    event = one(provoke(lambda: by_number("utime", bytes(path), times)).of(FileCreateTime))
    assert event.CreationUtcTime == utc_text(AFTER // SECOND * SECOND)
    assert event.PreviousCreationUtcTime == utc_text(BEFORE)


@pytest.mark.parametrize("when", [-1_000_000_000, 2_000_000_000, 4_102_444_800])
def test_the_past_and_the_future_are_told_as_they_are(provoke: Stage, tmp_path: Path, when: int) -> None:
    path = made(tmp_path / "f")
    event = one(provoke(lambda: os.utime(path, (when, when))).of(FileCreateTime))
    assert event.CreationUtcTime == utc_text(path.stat().st_mtime_ns)


def test_a_program_of_a_short_life_is_told(provoke: Stage, tmp_path: Path) -> None:
    path = made(tmp_path / "f")

    def act() -> int:
        os.utime(path, ns=(AFTER, AFTER))
        return host_pid()

    seen = provoke(lambda: apart(act), read=False)
    assert one(seen.of(FileCreateTime)).ProcessId == seen.truth
    touch = provoke(lambda: run("/usr/bin/touch", "-r", "/etc/passwd", str(path)), read=False)
    event = one(touch.of(FileCreateTime))
    assert (event.Image, event.TargetFilename) == (os.path.realpath("/usr/bin/touch"), str(path))


def test_a_folder_and_a_file_in_memory_are_told(provoke: Stage, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()

    def act() -> None:
        own_mounts()
        mount("tmpfs", str(tmp_path / "m"), "tmpfs")
        made(tmp_path / "m" / "f")
        os.utime(tmp_path / "m", ns=(AFTER, AFTER))

    first, second = provoke(act).of(FileCreateTime)
    assert (first.TargetFilename, first.CreationUtcTime) == (f"{tmp_path}/m/f", utc_text(BEFORE))
    assert (second.TargetFilename, second.CreationUtcTime) == (f"{tmp_path}/m", utc_text(AFTER))


def test_what_sets_no_other_time_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    path = made(tmp_path / "f")

    def act() -> None:
        os.utime(path, ns=(AFTER, BEFORE))  # the access time alone
        path.touch()
        os.utime(path)
        path.write_bytes(b"x")
        path.chmod(0o600)
        path.read_bytes()
        time.sleep(0.01)
        os.utime(path, ns=(1, path.stat().st_mtime_ns))

    assert provoke(act).of(FileCreateTime) == []


def test_what_fails_is_not_told_and_leaves_nothing_behind(provoke: Stage, tmp_path: Path) -> None:
    path = made(tmp_path / "f")
    tmp_path.chmod(0o755)

    def as_nobody() -> None:
        os.chdir(tmp_path)
        become_nobody()
        assert error_of(lambda: os.utime("f", ns=(AFTER, AFTER))) == errno.EPERM

    def act() -> None:
        apart(as_nobody)
        assert error_of(lambda: os.utime(tmp_path / "absent", ns=(AFTER, AFTER))) == errno.ENOENT
        path.write_bytes(b"x")

    assert provoke(act).of(FileCreateTime) == []


def test_rules_filter_it(provoke: Stage, tmp_path: Path) -> None:
    for name in ("open", "secret"):
        made(tmp_path / name)

    def act() -> None:
        for name in ("open", "secret"):
            os.utime(tmp_path / name, ns=(AFTER, AFTER))

    seen = provoke(act, ONLY_SECRETS)
    assert one(seen.of(FileCreateTime)).TargetFilename == str(tmp_path / "secret")
    count = seen.families["file time"]
    assert (count.seen, count.kept, count.filtered, count.lost) == (2, 1, 1, 0)


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage, tmp_path: Path) -> None:
    path = made(tmp_path / "f")
    provoke.sensor.want({"file create"})
    try:
        seen = provoke(lambda: os.utime(path, ns=(AFTER, AFTER)))
    finally:
        provoke.sensor.want(FAMILIES)
    assert seen.families["file time"].seen == 0
