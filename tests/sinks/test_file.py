"""The file sink: whole lines, rotation, and what it does when the world changes under it."""

from __future__ import annotations

import gzip
import json
import os
import threading
from pathlib import Path

import pytest
from tests.formats.entries import create
from tests.sinks.full_disk import files_limited_to
from tests.sinks.sinks_of import FULL

from pysmon.errors import SinkError
from pysmon.formats.table import FORMATS
from pysmon.sinks.file import FileSink
from pysmon.sinks.packing import STEP
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


def test_a_pipe_that_nobody_reads_holds_up_nobody(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(SinkError, match="pipe: No such device or address") as told:
        FileSink(pipe, JSON)
    assert "read it first" in told.value.hint


def test_a_slow_reader_of_a_pipe_gets_everything_and_one_that_left_is_told(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    sink = FileSink(pipe, JSON)
    entries = [create(CommandLine=f"{n:04}" * 1000) for n in range(100)]  # more than the pipe holds
    writing = threading.Thread(target=sink.write, args=(entries,))
    writing.start()
    data = b""
    while data.count(b"\n") < len(entries):
        data += os.read(reader, 5000)
    writing.join(60)
    assert [json.loads(line)["CommandLine"][:4] for line in data.splitlines()] == [f"{n:04}" for n in range(100)]
    os.close(reader)
    with pytest.raises(WriteError, match="Broken pipe"):
        sink.write(entries[:1])
    sink.close()


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


class Day:
    """The time of day, which passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 10 * 86_400 + 5

    def __call__(self) -> int:
        return self.seconds * 1_000_000_000


def packed(path: Path) -> list[str]:
    return [json.loads(line)["CommandLine"] for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_a_new_file_begins_with_the_first_entry_of_a_new_day(tmp_path: Path) -> None:
    day = Day()
    sink = FileSink(tmp_path / "log", JSON, age=86_400, keep=3, now=day)
    sink.write([create(CommandLine="0001")])
    day.seconds += 86_000
    sink.write([create(CommandLine="0002")])
    day.seconds += 500
    sink.write([create(CommandLine="0003"), create(CommandLine="0004")])
    sink.close()
    assert commands(tmp_path / "log.1") == ["0001", "0002"]
    assert commands(tmp_path / "log") == ["0003", "0004"]


def test_a_new_day_is_seen_without_entries_and_an_empty_file_stays(tmp_path: Path) -> None:
    day = Day()
    sink = FileSink(tmp_path / "log", JSON, age=86_400, keep=3, now=day)
    sink.write([create(CommandLine="0001")])
    day.seconds += 86_400
    sink.flush()
    assert commands(tmp_path / "log.1") == ["0001"]
    for _ in range(3):
        day.seconds += 86_400
        sink.flush()
    sink.close()
    assert not (tmp_path / "log.2").exists()


def test_a_file_of_yesterday_is_moved_aside_by_the_run_of_today(tmp_path: Path) -> None:
    day = Day()
    (tmp_path / "log").write_bytes(b'{"CommandLine":"0001"}\n')
    os.utime(tmp_path / "log", (day.seconds - 86_400, day.seconds - 86_400))
    sink = FileSink(tmp_path / "log", JSON, age=86_400, now=day)
    sink.write([create(CommandLine="0002")])
    sink.close()
    assert commands(tmp_path / "log.1") == ["0001"]
    assert commands(tmp_path / "log") == ["0002"]


def test_a_rotation_by_age_that_fails_is_told_once_and_loses_nothing(tmp_path: Path) -> None:
    day = Day()
    (tmp_path / "log.1").mkdir()
    sink = FileSink(tmp_path / "log", JSON, age=86_400, keep=1, now=day)
    sink.write([create(CommandLine="0001")])
    day.seconds += 86_400
    with pytest.raises(WriteError, match="cannot rotate") as told:
        sink.write([create(CommandLine="0002")])
    assert told.value.written == 1
    sink.write([create(CommandLine="0003")])
    sink.flush()
    sink.close()
    assert commands(tmp_path / "log") == ["0001", "0002", "0003"]


def test_older_files_are_packed_whole_and_numbered_on(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "log", JSON, rotate=2 * LINE, keep=3, compress=True)
    for number in range(11):
        sink.write([create(CommandLine=f"{number:04}")])
        for _ in range(3):
            sink.flush()
    sink.close()
    assert commands(tmp_path / "log") == ["0010"]
    assert [packed(tmp_path / f"log.{n}.gz") for n in (1, 2, 3)] == [
        ["0008", "0009"],
        ["0006", "0007"],
        ["0004", "0005"],
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log", "log.1.gz", "log.2.gz", "log.3.gz"]
    assert (tmp_path / "log.1.gz").stat().st_mode & 0o777 == 0o640


def test_what_is_being_packed_moves_on_with_a_rotation_and_may_be_given_up(tmp_path: Path) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    large = "x" * (STEP + 10)
    sink = FileSink(tmp_path / "log", JSON, rotate=1000, keep=2, compress=True)
    sink.write([create(CommandLine=large)])
    sink.write([create(CommandLine="0001" * 500)])
    sink.flush()  # one step of two
    assert (tmp_path / "log.packing").exists()
    sink.write([create(CommandLine="0002" * 500)])
    sink.flush()
    assert packed(tmp_path / "log.2.gz") == [large]
    sink.flush()
    assert packed(tmp_path / "log.1.gz") == ["0001" * 500]
    for number in range(4):
        sink.write([create(CommandLine=large if not number else str(number) * 2000)])
        if number == 1:
            sink.flush()
    sink.close()
    assert not (tmp_path / "log.packing").exists()
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_what_a_killed_run_left_half_packed_is_packed_by_the_next_one(tmp_path: Path) -> None:
    line = b'{"CommandLine":"0001"}\n'
    (tmp_path / "log.1").write_bytes(line)
    (tmp_path / "log.2").write_bytes(line)
    (tmp_path / "log.2.gz").write_bytes(gzip.compress(line))
    (tmp_path / "log.packing").write_bytes(b"half")
    sink = FileSink(tmp_path / "log", JSON, rotate=LINE, keep=3, compress=True)
    for _ in range(4):
        sink.flush()
    sink.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log", "log.1.gz", "log.2.gz"]
    assert packed(tmp_path / "log.1.gz") == ["0001"]


def test_a_file_that_cannot_be_packed_stays_and_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "log.1").write_bytes(os.urandom(10_000))
    sink = FileSink(tmp_path / "log", JSON, rotate=LINE, keep=3, compress=True)
    with files_limited_to(5000), pytest.raises(SinkError, match=r"cannot compress .*/log\.1: File too large"):
        sink.flush()
    sink.flush()
    sink.write([create(CommandLine="0001")])
    sink.close()
    assert (tmp_path / "log.1").stat().st_size == 10_000
    assert not (tmp_path / "log.packing").exists()
