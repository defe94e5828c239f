"""Files that commands write."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pysmon.cli.deliver import deliver


def test_a_new_file_has_the_rights_that_the_user_wants(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        deliver(b"x", str(tmp_path / "a"))
    finally:
        os.umask(old)
    assert (tmp_path / "a").read_bytes() == b"x"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_an_old_file_keeps_its_rights_and_its_links(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"old")
    path.chmod(0o604)
    link.symlink_to(path)
    deliver(b"new", str(link))
    assert path.read_bytes() == b"new"
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_nothing_is_left_behind_where_it_fails(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        deliver(b"x", str(tmp_path / "folder"))
    with pytest.raises(OSError, match="nowhere/a'"):
        deliver(b"x", str(tmp_path / "nowhere" / "a"))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_device_is_written_to(tmp_path: Path) -> None:
    deliver(b"x", "/dev/null")
    assert not Path("/dev/null").is_file()
