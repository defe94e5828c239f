"""Files that are held open: found by inode or by name, read after they are gone, let go when there are too many."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pysmon.sensor.filewatch.held import HeldFiles, is_program, kernel_device
from pysmon.sensor.filewatch.magic import KINDS, kind_of

SECOND = 1_000_000_000


def opened(path: Path, content: bytes = b"text") -> tuple[int, os.stat_result, str]:
    path.write_bytes(content)
    file = os.open(path, os.O_RDONLY)
    return file, os.fstat(file), str(path)


def test_what_is_in_a_file_outlives_its_name(tmp_path: Path) -> None:
    held = HeldFiles()
    file, found, name = opened(tmp_path / "f", b"secret")
    held.hold(file, found, name, 0)
    (tmp_path / "f").unlink()
    for path in (held.find(kernel_device(found.st_dev), found.st_ino, "/other"), held.find(0, 0, name)):
        assert Path(path).read_bytes() == b"secret"
    assert held.find(kernel_device(found.st_dev), found.st_ino + 1, name) == ""
    assert held.find(0, 0, "/other") == ""
    held.close()


def test_a_device_that_the_kernel_numbers_otherwise_is_made_up_for_by_the_name(tmp_path: Path) -> None:
    held = HeldFiles()
    file, found, name = opened(tmp_path / "f")
    held.hold(file, found, name, 0)
    assert held.find(12345, found.st_ino, name)
    held.close()


def test_the_oldest_make_way_and_are_closed(tmp_path: Path) -> None:
    held = HeldFiles(limit=2)
    files = [opened(tmp_path / str(i)) for i in range(3)]
    for file, found, name in files:
        held.hold(file, found, name, 0)
    assert len(held) == 2
    assert held.find(0, 0, files[0][2]) == ""
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(files[0][0])
    held.close()


def test_a_file_is_let_go_when_it_was_held_for_long(tmp_path: Path) -> None:
    held = HeldFiles(age=SECOND)
    held.hold(*opened(tmp_path / "old"), 0)
    held.hold(*opened(tmp_path / "new"), 2 * SECOND)
    assert len(held) == 1
    held.close()


def test_a_file_that_is_written_again_is_held_once(tmp_path: Path) -> None:
    held = HeldFiles()
    first = opened(tmp_path / "f")
    held.hold(*first, 0)
    held.hold(*opened(tmp_path / "f"), 0)
    assert len(held) == 1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(first[0])
    held.close()
    assert len(held) == 0


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x7fELF\2", "ELF"),
        (b"#!/bin/sh", "script"),
        (b"MZ\x90\0", "PE"),
        (b"\0asm\1", "WebAssembly"),
        (b"# !/bin", ""),
        (b"\x7fEL", ""),
        (b"", ""),
    ],
)
def test_a_program_is_told_by_its_first_bytes(tmp_path: Path, head: bytes, kind: str) -> None:
    assert KINDS[kind_of(head)] == kind
    (tmp_path / "f").write_bytes(head)
    assert is_program(str(tmp_path / "f")) is bool(kind)


def test_what_cannot_be_read_is_neither(tmp_path: Path) -> None:
    assert is_program(str(tmp_path / "none")) is None
    assert is_program(str(tmp_path)) is None
