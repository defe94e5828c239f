"""Where an open file lies, when its mount is ours and when it is another's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pysmon.sensor.filewatch.place import Places

PID = 77


def proc(tmp_path: Path, *, ours: str, its: str) -> Path:
    for name, table in (("self", ours), (str(PID), its)):
        (tmp_path / name / "fd").mkdir(parents=True)
        (tmp_path / name / "fdinfo").mkdir()
        (tmp_path / name / "mountinfo").write_text(table)
    return tmp_path


def test_a_file_of_this_machine_is_told_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "with blank"
    path.write_bytes(b"")
    file = os.open(path, os.O_RDONLY)
    places = Places()
    assert places.of(file, 1, os.getpid()) == str(path)
    path.unlink()
    assert places.of(file, 0, os.getpid()) == str(path)
    os.close(file)
    assert places.of(file, 1, os.getpid()) == "-"
    places.close()
    places.close()


def test_on_a_mount_of_another_process_its_table_tells_the_rest(tmp_path: Path) -> None:
    file = os.open(tmp_path, os.O_RDONLY)
    made = proc(tmp_path, ours="30 1 8:1 / / rw - ext4 a rw\n", its="44 30 8:1 /p /tmp rw - ext4 a rw\n")
    (made / "self" / "fd" / str(file)).symlink_to("/x")
    (made / "self" / "fdinfo" / str(file)).write_text("pos:\t0\nflags:\t02\nmnt_id:\t44\nino:\t7\n")
    places = Places(made)
    assert places.of(file, 1, PID) == "/tmp/x"
    (made / "self" / "fdinfo" / str(file)).write_text("mnt_id:\t45\n")
    assert places.of(file, 1, PID) == "/x"
    places.close()
    os.close(file)


def test_a_mount_that_appears_is_known_as_ours_at_once(disk: Path) -> None:
    places = Places()
    for name in ("first", "second"):
        file = os.open(disk, os.O_RDONLY)
        assert places.of(file, 1, PID) == str(disk)
        os.close(file)
        inner = disk / name
        inner.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "none", inner], check=True)
        try:
            (inner / "f").touch()
            file = os.open(inner / "f", os.O_RDONLY)
            assert places.of(file, 1, os.getpid()) == str(inner / "f")
            os.close(file)
        finally:
            subprocess.run(["umount", inner], check=True)
    places.close()
