"""Hashes: the right bytes of the right file, or none with a reason."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.host.gate import Gate

from pysmon.host.errands import Errands
from pysmon.host.hashes import ALGORITHMS, Expected, Hashes
from pysmon.host.imphash import NEEDS, imphash


def expected_of(path: Path) -> Expected:
    found = path.stat()
    device = os.major(found.st_dev) << 20 | os.minor(found.st_dev)
    return Expected(device, found.st_ino, found.st_size, found.st_ctime_ns)


def settled() -> int:
    """A clock that shows a time long after any change."""
    return 1 << 62


def program(folder: Path, content: bytes = b"\x7fELF content", name: str = "program") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_the_order_is_sysmons_and_only_what_is_chosen_is_written(tmp_path: Path) -> None:
    path, content = program(tmp_path), b"\x7fELF content"
    md5, sha1, sha256 = (hashlib.new(n, content).hexdigest() for n in ("md5", "sha1", "sha256"))
    assert Hashes(["SHA256", "MD5", "SHA1"]).of(str(path)).text == f"SHA1={sha1},MD5={md5},SHA256={sha256}"
    assert Hashes(["SHA256"]).of(str(path)).text == f"SHA256={sha256}"
    assert Hashes([]).of(str(path)).text == "-"


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(ValueError, match="CRC32"):
        Hashes(["SHA1", "CRC32"])


def test_a_file_of_many_chunks_is_read_to_its_end(tmp_path: Path) -> None:
    content = os.urandom(1 << 20)
    assert Hashes(["SHA1"]).of(str(program(tmp_path, content))).text == f"SHA1={hashlib.sha1(content).hexdigest()}"


def test_a_file_that_is_too_long_is_left_alone_and_that_is_said(tmp_path: Path) -> None:
    path = program(tmp_path, b"12345")
    assert Hashes(["MD5"], limit=5).of(str(path)).text != "-"
    made = Hashes(["MD5"], limit=4).of(str(path))
    assert (made.text, made.skipped) == ("-", "larger than 4 bytes")


def test_a_file_that_says_it_is_short_is_not_read_for_ever() -> None:
    made = Hashes(["MD5"], limit=4).of("/proc/self/status")  # its size is 0 to stat
    assert (made.text, made.skipped) == ("-", "the file changed while it was read")


def test_an_empty_file_has_hashes(tmp_path: Path) -> None:
    assert Hashes(["MD5", "IMPHASH"]).of(str(program(tmp_path, b""))).text == f"MD5={hashlib.md5(b'').hexdigest()}"


def test_no_file_stays_open(tmp_path: Path) -> None:
    path = program(tmp_path)
    before = set(os.listdir("/proc/self/fd"))
    for limit in (0, 1000):
        Hashes(["MD5"], limit=limit).of(str(path))
    assert set(os.listdir("/proc/self/fd")) == before


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, Path("/dev/zero"), tmp_path / "absent", Path("/a\0b")):
        made = Hashes(["MD5"]).of(str(path))
        assert (made.text, made.skipped) == ("-", "the file is no longer there")


def test_another_file_at_the_path_is_not_taken(tmp_path: Path) -> None:
    path = program(tmp_path)
    meant = expected_of(path)
    assert Hashes(["MD5"]).of(str(path), expected=meant).text != "-"
    for other in (meant._replace(inode=meant.inode + 1), meant._replace(size=meant.size + 1)):
        assert Hashes(["MD5"]).of(str(path), expected=other).text == "-"


def test_a_device_is_compared_where_both_sides_have_one(tmp_path: Path) -> None:
    path = program(tmp_path)
    meant = expected_of(path)
    without = meant._replace(device=5)  # major 0: what btrfs and overlay show inside the kernel
    assert Hashes(["MD5"]).of(str(path), expected=without).text != "-"
    if meant.device >> 20:
        assert Hashes(["MD5"]).of(str(path), expected=meant._replace(device=meant.device + 1)).text == "-"


def test_the_first_path_that_leads_to_the_file_is_taken(tmp_path: Path) -> None:
    path, other = program(tmp_path), program(tmp_path, b"other", "other")
    made = Hashes(["MD5"]).of(str(tmp_path / "absent"), str(other), str(path), expected=expected_of(path))
    assert made.text == Hashes(["MD5"]).of(str(path)).text


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    hashes, path = Hashes(["MD5"], clock=settled), program(tmp_path, b"one")
    first = hashes.of(str(path)).text
    replaced = program(tmp_path, b"two", "new")
    replaced.rename(path)
    assert hashes.of(str(path)).text == f"MD5={hashlib.md5(b'two').hexdigest()}" != first


def test_an_unchanged_file_is_read_once_until_too_many_came_after_it(tmp_path: Path) -> None:
    read: list[bytes] = []

    def count(data: bytes) -> str:
        read.append(data)
        return "0" * 32

    hashes = Hashes(["IMPHASH"], remembered=2, imports=count, clock=settled)
    a, b, c = (str(program(tmp_path, b"MZ" + n, n.decode())) for n in (b"a", b"b", b"c"))
    for path in (a, a, b, a, c, a, b):  # c pushes b out, not a, which was used later
        hashes.of(path)
    assert read == [b"MZa", b"MZb", b"MZc", b"MZb"]


@pytest.mark.parametrize(("since", "times"), [(1_000_000_000, 2), (1_000_000_001, 1)])
def test_a_file_that_changed_just_now_is_not_remembered(tmp_path: Path, since: int, times: int) -> None:
    path = program(tmp_path, b"MZ")
    read: list[bytes] = []

    def count(data: bytes) -> str:
        read.append(data)
        return "x"

    hashes = Hashes(["IMPHASH"], imports=count, clock=lambda: path.stat().st_ctime_ns + since)
    assert [hashes.of(str(path)).text for _ in range(2)] == ["IMPHASH=x"] * 2
    assert len(read) == times


def test_a_known_file_is_not_looked_at_again(tmp_path: Path) -> None:
    hashes, path = Hashes(["MD5"], clock=settled), program(tmp_path)
    meant = expected_of(path)
    first = hashes.of(str(path), expected=meant)
    path.unlink()
    assert hashes.of(str(path), expected=meant) == hashes.known(*meant) == first
    assert hashes.of(str(path), expected=meant._replace(change_time=meant.change_time + 1)).text == "-"
    assert hashes.of(str(path), expected=meant._replace(change_time=0)).text == "-"
    assert hashes.known(*meant._replace(change_time=0)) is None


def test_a_file_whose_inode_changed_since_is_hashed_but_not_taken_for_what_it_was(tmp_path: Path) -> None:
    hashes, path = Hashes(["MD5"], clock=settled), program(tmp_path)
    before = expected_of(path)._replace(change_time=1)
    assert hashes.of(str(path), expected=before).text != "-"
    path.unlink()
    assert hashes.of(str(path), expected=before).text == "-"


def test_a_windows_program_has_an_imphash_and_nothing_else_has(tmp_path: Path) -> None:
    hashes = Hashes(ALGORITHMS, imports=lambda data: f"of {len(data)}")
    windows, linux = program(tmp_path, b"MZ...", "a.exe"), program(tmp_path)
    assert hashes.of(str(windows)).text.endswith(",IMPHASH=of 5")
    assert "IMPHASH" not in hashes.of(str(linux)).text
    assert Hashes(["IMPHASH"], imports=lambda data: "x").of(str(linux)).text == "-"


def test_a_windows_program_without_the_package_for_it_is_said_to_lack_its_imphash(tmp_path: Path) -> None:
    made = Hashes(["MD5", "IMPHASH"], imports=lambda data: None).of(str(program(tmp_path, b"MZ...")))
    assert (made.text[:4], made.skipped) == ("MD5=", NEEDS)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_windows_program_have_no_imphash(data: bytes) -> None:
    pytest.importorskip("pefile", reason="the package pefile (extra `pe`) is not installed")
    assert imphash(b"MZ" + data) == ""


def test_a_file_system_that_does_not_answer_holds_up_nobody_and_costs_only_its_own_files(tmp_path: Path) -> None:
    gate = Gate()
    errands = Errands(patience=0.01)
    hung = Hashes(["IMPHASH"], imports=gate, clock=settled, errands=errands)
    path = program(tmp_path, b"MZ")
    meant = expected_of(path)
    for _ in range(3):
        made = hung.of(str(path), expected=meant)
        assert (made.text, made.skipped) == ("-", "its file system does not answer in time")
    gate.wait_for_one()
    assert gate.came == 1
    (told,) = errands.reports()
    assert told.startswith(f"the file system {meant.device >> 20}:{meant.device & 0xFFFFF} did not answer")
    gate.open()


def test_what_came_too_late_is_known_the_next_time(tmp_path: Path) -> None:
    gate = Gate()
    hashes = Hashes(["IMPHASH"], imports=gate, clock=settled, errands=Errands(patience=0.01))
    path = program(tmp_path, b"MZ")
    assert hashes.of(str(path), expected=expected_of(path)).text == "-"
    gate.open()
    give_up = time.monotonic() + 60
    while hashes.of(str(path), expected=expected_of(path)).text != "IMPHASH=here":
        assert time.monotonic() < give_up
    assert gate.came == 1
