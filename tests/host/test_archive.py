"""The archive of deleted files: names, quota, refusals, and what a run that was cut short leaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pysmon.errors import MisuseError
from pysmon.host.archive import LARGEST, Archive

HASHES = "SHA1=aa,SHA256=BB"


def put(path: Path, content: bytes = b"x") -> str:
    path.write_bytes(content)
    return str(path)


def test_a_copy_is_named_by_its_hashes_and_the_extension(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "a", free=0)
    assert archive.keep(put(tmp_path / "f", b"secret"), HASHES, "/home/joe/x.tar.gz") == "true"
    kept = tmp_path / "a" / "aaBB.gz"
    assert kept.read_bytes() == b"secret"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("name", "kept"), [("/x", "aaBB"), ("/x.", "aaBB"), ("/x.a/../b", "aaBB"), ("/x.é\n!z", "aaBB.z")]
)
def test_an_extension_cannot_lead_anywhere(tmp_path: Path, name: str, kept: str) -> None:
    archive = Archive(tmp_path / "a", free=0)
    assert archive.keep(put(tmp_path / "f"), HASHES, name) == "true"
    assert os.listdir(tmp_path / "a") == [kept]


def test_the_same_content_is_there_once_and_new_again(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "a", quota=10, free=0)
    for name, content in (("1", b"aaaa"), ("2", b"bbbb"), ("1", b"aaaa"), ("3", b"cccc")):
        assert archive.keep(put(tmp_path / "f", content), f"MD5={name}", "x") == "true"
    assert sorted(os.listdir(tmp_path / "a")) == ["1", "3"]


def test_the_oldest_make_way_also_those_of_an_earlier_run(tmp_path: Path) -> None:
    first = Archive(tmp_path / "a", quota=10, free=0)
    for name in "12":
        first.keep(put(tmp_path / "f", b"aaaa"), f"MD5={name}", "x")
        os.utime(tmp_path / "a" / name, (int(name), int(name)))
    again = Archive(tmp_path / "a", quota=10, free=0)
    assert again.keep(put(tmp_path / "f", b"aaaa"), "MD5=3", "x") == "true"
    assert sorted(os.listdir(tmp_path / "a")) == ["2", "3"]


def test_what_a_run_that_was_cut_short_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".1.new").touch()
    Archive(tmp_path / "a")
    assert os.listdir(tmp_path / "a") == []


def test_why_there_is_no_copy_is_said(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "a", quota=3, free=0)
    assert archive.keep(put(tmp_path / "f", b"four"), HASHES, "x") == "false - it is larger than 3 bytes"
    assert archive.keep(str(tmp_path / "none"), HASHES, "x") == "false - No such file or directory"
    assert archive.keep(put(tmp_path / "f"), "-", "x") == "false - it has no hash to be named by"
    assert (
        Archive(tmp_path / "b", free=1 << 60).keep(str(tmp_path / "f"), HASHES, "x")
        == "false - insufficient disk space"
    )
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(LARGEST + 1)
    assert Archive(tmp_path / "c", free=0).keep(str(large), HASHES, "x") == f"false - it is larger than {LARGEST} bytes"
    assert os.listdir(tmp_path / "a") == os.listdir(tmp_path / "c") == []


def test_a_link_that_somebody_laid_is_not_followed(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "a", free=0)
    (tmp_path / "a" / ".aaBB.new").symlink_to(tmp_path / "victim")
    assert archive.keep(put(tmp_path / "f"), HASHES, "x") == "true"
    assert not (tmp_path / "victim").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MisuseError, match=r"the archive .*/file/a cannot be used: Not a directory"):
        Archive(tmp_path / "file" / "a")
