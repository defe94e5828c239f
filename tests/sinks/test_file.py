"""The file sink: whole lines, rotation, and what it does when the world changes under it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.formats.entries import create
from tests.sinks.full_disk import files_limited_to
from tests.sinks.sinks_of import FULL

from pysmon.errors import SinkError
from pysmon.formats.table import FORMATS
from pysmon.sinks.file import FileSink
from pysmon.sinks.sink import WriteError

JSON = FORMATS["json"].render
LINE = len(JSON(create(CommandLine="0000"))) + 1


def commands(path: Path) -> list[str]:
    return [json.loads(line)["CommandLine"] for line in path.read_text().splitlines()]


def test_a_file_is_appended_to(tmp_path: Path) -> None:
    for number in ("0001", "0002"):
        sink = FileSink(tmp_path / "log", JSON)
        sink.write([create(CommandLine=number)])
        sink.close()
    assert commands(tmp_path / "log") == ["0001", "0002"]


def test_a_file_is_not_for_everybody_to_read(tmp_path: Path) -> None:
    FileSink(tmp_path / "log", JSON).close()
    assert (tmp_path / "log").stat().st_mode & 0o007 == 0


def test_a_line_that_a_crash_cut_short_does_not_swallow_the_next(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b'{"EventID":1,"Provi')
    sink = FileSink(tmp_path / "log", JSON)
    sink.write([create(CommandLine="0001")])
    sink.close()
    assert json.loads((tmp_path / "log").read_text().splitlines()[1])["CommandLine"] == "0001"


def test_no_file_grows_beyond_the_size_and_the_newest_older_files_stay(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "log", JSON, rotate=2 * LINE, keep=2)
    for number in range(9):
        sink.write([create(CommandLine=f"{number:04}")])
    sink.close()
    assert commands(tmp_path / "log") == ["0008"]
    assert commands(tmp_path / "log.1") == ["0006", "0007"]
    assert commands(tmp_path / "log.2") == ["0004", "0005"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log", "log.1", "log.2"]


def test_one_large_batch_is_spread_over_files(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "log", JSON, rotate=2 * LINE, keep=5)
    sink.write([create(CommandLine=f"{number:04}") for number in range(5)])
    sink.close()
    assert [commands(tmp_path / name) for name in ("log.2", "log.1", "log")] == [
        ["0000", "0001"],
        ["0002", "0003"],
        ["0004"],
    ]


def test_a_line_larger_than_the_size_has_a_file_of_its_own(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "log", JSON, rotate=LINE, keep=5)
    sink.write([create(CommandLine="0001"), create(CommandLine="x" * 5000), create(CommandLine="0002")])
    sink.close()
    assert commands(tmp_path / "log.1") == ["x" * 5000]


def test_a_file_that_was_large_when_opened_is_turned_over(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * LINE + b"\n")
    sink = FileSink(tmp_path / "log", JSON, rotate=LINE, keep=1)
    sink.write([create(CommandLine="0001")])
    sink.close()
    assert commands(tmp_path / "log") == ["0001"]


def test_without_older_files_to_keep_the_file_begins_anew(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "log", JSON, rotate=LINE, keep=0)
    sink.write([create(CommandLine="0001"), create(CommandLine="0002")])
    sink.close()
    assert [p.name for p in tmp_path.iterdir()] == ["log"]
    assert commands(tmp_path / "log") == ["0002"]


def test_a_rotation_that_fails_is_told_and_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "log.1").mkdir()  # a file cannot take the name of a folder
    sink = FileSink(tmp_path / "log", JSON, rotate=2 * LINE, keep=1)
    with pytest.raises(WriteError, match=r"cannot rotate .*/log: Is a directory") as told:
        sink.write([create(CommandLine=f"{number:04}") for number in range(3)])
    assert told.value.written == 3
    sink.write([create(CommandLine="0003")])  # no second complaint before it has grown by as much again
    sink.close()
    assert commands(tmp_path / "log") == ["0000", "0001", "0002", "0003"]


def test_a_file_that_logrotate_moved_is_opened_anew_at_the_next_flush(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "log", JSON)
    sink.write([create(CommandLine="0001")])
    (tmp_path / "log").rename(tmp_path / "log-yesterday")
    sink.write([create(CommandLine="0002")])
    sink.flush()
    sink.write([create(CommandLine="0003")])
    sink.close()
    assert commands(tmp_path / "log-yesterday") == ["0001", "0002"]
    assert commands(tmp_path / "log") == ["0003"]


def test_a_flush_leaves_a_file_alone_that_is_where_it_was(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "log", JSON)
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        sink.flush()
    assert len(os.listdir("/proc/self/fd")) == descriptors
    sink.close()


def test_a_full_disk_leaves_whole_lines_and_tells_how_many(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "log", JSON)
    batch = [create(CommandLine=f"{number:04}") for number in range(4)]
    with files_limited_to(2 * LINE + 10), pytest.raises(WriteError, match=r"cannot write to .*/log: File too") as told:
        sink.write(batch)
    assert told.value.written == 2
    assert "--rotate" in told.value.hint
    sink.write(batch[told.value.written :])
    sink.close()
    assert commands(tmp_path / "log") == ["0000", "0001", "0002", "0003"]


def test_a_device_without_room_is_told_by_name() -> None:
    sink = FileSink(FULL, JSON)
    with pytest.raises(WriteError, match="cannot write to /dev/full: No space left on device") as told:
        sink.write([create()])
    assert told.value.written == 0
    assert "free some space" in told.value.hint


def test_a_folder_that_vanished_is_told_and_its_return_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = FileSink(folder / "log", JSON)
    (folder / "log").unlink()
    folder.rmdir()
    with pytest.raises(SinkError, match="No such file"):
        sink.flush()
    with pytest.raises(WriteError, match="No such file") as told:
        sink.write([create()])
    assert told.value.written == 0
    folder.mkdir()
    sink.write([create(CommandLine="0001")])
    sink.close()
    assert commands(folder / "log") == ["0001"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("absent/log", "cannot open .*/absent/log: No such file"), (".", "cannot open .*: Is a directory")],
)
def test_a_file_that_cannot_be_opened_is_told_by_name_and_cause(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(SinkError, match=words) as told:
        FileSink(tmp_path / name, JSON)
    assert told.value.hint


def test_what_is_no_regular_file_cannot_be_rotated() -> None:
    with pytest.raises(SinkError, match="cannot rotate /dev/null"):
        FileSink(Path("/dev/null"), JSON, rotate=1000)


def test_rotation_reopening_and_closing_leave_no_descriptor_behind(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    sink = FileSink(tmp_path / "log", JSON, rotate=LINE, keep=2)
    for number in range(4):
        sink.write([create(CommandLine=f"{number:04}")])
        (tmp_path / "log").unlink()
        sink.flush()
    with pytest.raises(SinkError):
        FileSink(Path("/dev/null"), JSON, rotate=1)
    sink.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_after_a_full_disk_the_size_still_counts(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "log", JSON, rotate=3 * LINE, keep=1)
    with files_limited_to(2 * LINE + 10), pytest.raises(WriteError):
        sink.write([create(CommandLine=f"{number:04}") for number in range(3)])
    sink.write([create(CommandLine="0002"), create(CommandLine="0003")])
    sink.close()
    assert commands(tmp_path / "log.1") == ["0000", "0001", "0002"]
    assert commands(tmp_path / "log") == ["0003"]
