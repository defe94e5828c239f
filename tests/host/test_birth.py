"""Birth times of files."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from pysmon.host.birth import birth_time


def test_a_file_keeps_its_birth_time_through_a_rename(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    if subprocess.run(["stat", "--format=%W", path], capture_output=True, check=True).stdout.strip() in (b"0", b"-"):
        pytest.skip(f"the file system of {tmp_path} has no birth times")
    born = birth_time(str(path))
    assert born is not None
    assert abs(born - time.time_ns()) < 60_000_000_000
    os.utime(path, ns=(1, 1))
    path.rename(tmp_path / "b")
    assert birth_time(str(tmp_path / "b")) == born


def test_another_inode_is_not_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    inode = path.stat().st_ino
    assert birth_time(str(path), inode) == birth_time(str(path))
    assert birth_time(str(path), inode + 1) is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "b"
    path.write_text("x")
    link.symlink_to(path)
    assert birth_time(str(link), path.stat().st_ino) is None


def test_what_is_not_there_has_no_birth_time(tmp_path: Path) -> None:
    assert birth_time(str(tmp_path / "absent")) is None
    assert birth_time("/a\0b") is None
