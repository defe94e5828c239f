"""Openings of disks, memory and ports themselves, past the file system."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest
from tests.sensor.nobody import become_nobody
from tests.sensor.provoke import Stage, apart, error_of, extra, host_pid, one, run, sees_objects

from pysmon.schema.catalogue import FileCreate, ProcessTerminate, RawAccessRead
from pysmon.sensor.records import FAMILIES

pytestmark = pytest.mark.vm

# The devices that count, by kind and number; a machine has some of them.
DEVICES = {
    "disk": (stat.S_IFBLK, 254, 0),
    "loop": (stat.S_IFBLK, 7, 0),
    "memory": (stat.S_IFCHR, 1, 1),
    "ports": (stat.S_IFCHR, 1, 4),
}
KIND = {stat.S_IFBLK: "block", stat.S_IFCHR: "character"}
NOT_LOOPS = """<Sysmon schemaversion="4.90"><EventFiltering><RawAccessRead onmatch="exclude">
<Device condition="end with">/first</Device></RawAccessRead></EventFiltering></Sysmon>"""


def node(path: Path, device: str) -> Path:
    """A device file of our own, whatever the machine calls it; skips where the device is not there."""
    kind, major, minor = DEVICES[device]
    os.mknod(path, kind | 0o600, os.makedev(major, minor))
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except OSError as error:
        pytest.skip(f"the machine has no device {major}:{minor}: {error.strerror}")
    return path


def any_node(path: Path) -> Path:
    """The first device that the machine has."""
    for device in DEVICES:
        try:
            return node(path, device)
        except pytest.skip.Exception:
            path.unlink()
    pytest.skip("the machine has none of the devices")


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_opened_to_be_read_is_told(provoke: Stage, tmp_path: Path, device: str) -> None:
    path = node(tmp_path / "d", device)
    kind, major, minor = DEVICES[device]
    seen = provoke(lambda: os.close(os.open(path, os.O_RDONLY)))
    event, end = one(seen.of(RawAccessRead)), one(seen.of(ProcessTerminate))
    assert (event.ProcessId, event.ProcessGuid) == (seen.pid, end.ProcessGuid)
    assert (event.Image, event.Device, event.User) == (os.path.realpath(sys.executable), str(path), "root")
    assert event.RuleName == "-"
    assert event.UtcTime <= end.UtcTime
    facts = extra(event)
    assert (facts["DeviceType"], facts["DeviceNumber"]) == (KIND[kind], f"{major}:{minor}")


def test_the_kernel_s_memory_file_is_told(provoke: Stage) -> None:
    if error_of(lambda: os.close(os.open("/proc/kcore", os.O_RDONLY))):
        pytest.skip("no /proc/kcore can be opened here")
    event = one(provoke(lambda: os.close(os.open("/proc/kcore", os.O_RDONLY))).of(RawAccessRead))
    assert (event.Device, extra(event)["DeviceType"]) == ("/proc/kcore", "file")


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR, os.O_RDONLY | os.O_NONBLOCK])
def test_reading_counts_however_it_is_opened(provoke: Stage, tmp_path: Path, flags: int) -> None:
    path = any_node(tmp_path / "d")
    if stat.S_ISBLK(path.stat().st_mode) and flags == os.O_RDWR:
        flags |= os.O_NONBLOCK
    assert len(provoke(lambda: os.close(os.open(path, flags))).of(RawAccessRead)) == 1


def test_a_program_of_a_short_life_is_told(provoke: Stage, tmp_path: Path) -> None:
    path = any_node(tmp_path / "d")

    def act() -> int:
        return apart(lambda: (os.open(path, os.O_RDONLY), host_pid())[1])

    seen = provoke(act, read=False)
    assert one(seen.of(RawAccessRead)).ProcessId == seen.truth
    head = provoke(lambda: run("/usr/bin/head", "-c1", str(path)), read=False)
    assert one(head.of(RawAccessRead)).Image == os.path.realpath("/usr/bin/head")


def test_what_reads_no_device_past_the_file_system_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    path = any_node(tmp_path / "d")

    def act() -> None:
        os.close(os.open(path, os.O_PATH))
        path.stat()
        for name in ("/dev/null", "/dev/zero", "/dev/urandom", "/proc/meminfo", "/proc/self/mem"):
            os.close(os.open(name, os.O_RDONLY))
        for name in ("kcore", "mem", "sda"):
            (tmp_path / name).write_bytes(b"x")
            (tmp_path / name).read_bytes()
        os.mkfifo(tmp_path / "fifo")
        os.close(os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK))

    seen = provoke(act)
    assert seen.of(RawAccessRead) == []
    assert len(seen.of(FileCreate)) == 3


def test_what_is_refused_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    path = any_node(tmp_path / "d")
    tmp_path.chmod(0o755)

    def act() -> None:
        os.chdir(tmp_path)
        become_nobody()
        assert error_of(os.open, path.name, os.O_RDONLY) == errno.EACCES

    assert provoke(lambda: apart(act)).of(RawAccessRead) == []


def test_a_device_that_is_not_there_is_told_only_where_the_kernel_cannot_know(provoke: Stage, tmp_path: Path) -> None:
    os.mknod(tmp_path / "d", stat.S_IFBLK | 0o600, os.makedev(240, 77))  # for local use: nobody has it
    seen = provoke(lambda: error_of(os.open, tmp_path / "d", os.O_RDONLY))
    assert seen.truth == errno.ENXIO
    assert len(seen.of(RawAccessRead)) == sees_objects(provoke, "devices opened")


def test_rules_filter_it(provoke: Stage, tmp_path: Path) -> None:
    first = any_node(tmp_path / "first")
    os.mknod(tmp_path / "second", first.stat().st_mode, first.stat().st_rdev)

    def act() -> None:
        for name in ("first", "second"):
            os.close(os.open(tmp_path / name, os.O_RDONLY))

    seen = provoke(act, NOT_LOOPS)
    assert one(seen.of(RawAccessRead)).Device == str(tmp_path / "second")
    count = seen.families["raw access"]
    assert (count.seen, count.kept, count.filtered, count.lost) == (2, 1, 1, 0)


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage, tmp_path: Path) -> None:
    path = any_node(tmp_path / "d")
    provoke.sensor.want({"file create"})
    try:
        seen = provoke(lambda: os.close(os.open(path, os.O_RDONLY)))
    finally:
        provoke.sensor.want(FAMILIES)
    assert seen.families["raw access"].seen == 0
