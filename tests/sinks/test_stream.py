"""The sink on an open descriptor: slow readers, readers that leave, full devices."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.formats.entries import create
from tests.sinks.full_disk import files_limited_to
from tests.sinks.sinks_of import FULL

from pysmon.formats.table import FORMATS
from pysmon.sinks.sink import ReaderGoneError, WriteError
from pysmon.sinks.stream import StreamSink

JSON = FORMATS["json"].render
LINE = len(JSON(create(CommandLine="0000"))) + 1


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for fd in ends:
        try:
            os.close(fd)
        except OSError:
            continue


def drained(fd: int) -> bytes:
    parts = []
    while part := os.read(fd, 65536):
        parts.append(part)
    return b"".join(parts)


def test_a_slow_reader_is_waited_for(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    got: list[bytes] = []
    waiting = threading.Thread(target=lambda: got.append(drained(reader)))
    batch = [create(CommandLine="x" * 40_000) for _ in range(10)]  # more than a pipe holds
    waiting.start()
    StreamSink(writer, "standard output", JSON).write(batch)
    os.close(writer)
    waiting.join()
    assert got == [b"".join(JSON(entry) + b"\n" for entry in batch)]


def test_a_reader_that_left_is_told_apart(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    with pytest.raises(ReaderGoneError, match="cannot write to standard output: Broken pipe") as told:
        StreamSink(writer, "standard output", JSON).write([create()])
    assert told.value.written == 0


def test_a_full_device_is_told_with_what_would_help() -> None:
    fd = os.open(FULL, os.O_WRONLY)
    with pytest.raises(WriteError, match="No space left on device") as told:
        StreamSink(fd, "standard output", JSON).write([create()])
    os.close(fd)
    assert told.value.hint


def test_an_entry_that_an_error_cut_is_completed_by_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "out"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    sink = StreamSink(fd, "standard output", JSON)
    batch = [create(CommandLine=f"{number:04}") for number in range(4)]
    with files_limited_to(2 * LINE + 10), pytest.raises(WriteError) as told:
        sink.write(batch)
    assert told.value.written == 3  # two whole ones and the begun one
    with files_limited_to(2 * LINE + 20), pytest.raises(WriteError) as told:
        sink.flush()
    assert told.value.written == 0
    sink.write(batch[3:])
    sink.flush()
    assert path.read_bytes() == b"".join(JSON(entry) + b"\n" for entry in batch)
    os.close(fd)


def test_closing_completes_an_entry_that_an_error_cut(tmp_path: Path) -> None:
    path = tmp_path / "out"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    sink = StreamSink(fd, "standard output", JSON)
    with files_limited_to(LINE - 10), pytest.raises(WriteError) as told:
        sink.write([create(CommandLine="0000")])
    assert told.value.written == 1
    sink.close()
    assert path.read_bytes() == JSON(create(CommandLine="0000")) + b"\n"
    os.close(fd)
