"""Which files are asked for, told by their open files; no fanotify is needed to say so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.sensor.filewatch.asked import Asked, program_in
from pysmon.sensor.filewatch.fanotify import CLOSE_WRITE, OPEN_EXEC
from pysmon.sensor.filewatch.magic import KINDS, kind_of
from pysmon.sensor.filewatch.wire import ALL, KEEP_FROM_RUNNING, NAMED, PROGRAMS

NAMES = ("/cron", "/systemd/")
ELF = b"\x7fELF\2"


@pytest.fixture
def asked() -> Iterator[Asked]:
    made = Asked()
    yield made
    made.close()


def wants(asked: Asked, path: Path, mask: int = CLOSE_WRITE) -> bool:
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return asked.wants(mask, file)
    finally:
        os.close(file)


def written(folder: Path, name: str, content: bytes = b"") -> Path:
    made = folder / name
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_bytes(content)
    return made


@pytest.mark.parametrize("mask", [CLOSE_WRITE, OPEN_EXEC, CLOSE_WRITE | OPEN_EXEC])
@pytest.mark.parametrize("content", [b"", b"text", ELF])
@pytest.mark.parametrize("name", ["file", "cron.d/file"])
@pytest.mark.parametrize("wanted", range(32))
def test_each_wish_is_met_whatever_others_there_are(
    tmp_path: Path, asked: Asked, wanted: int, name: str, content: bytes, mask: int
) -> None:
    asked.use(wanted, NAMES)
    closed, program, named = mask & CLOSE_WRITE, content == ELF, name != "file"
    expected = wanted & ALL or (closed and ((program and wanted & PROGRAMS) or (named and wanted & NAMED)))
    assert wants(asked, written(tmp_path, name, content), mask) is bool(expected)


def test_nothing_is_asked_for_at_first_and_no_more_at_the_end(tmp_path: Path, asked: Asked) -> None:
    program = written(tmp_path, "cron.d/file", ELF)
    assert not wants(asked, program)
    asked.use(PROGRAMS | NAMED, NAMES)
    assert wants(asked, program)
    asked.use(KEEP_FROM_RUNNING, NAMES)
    assert not wants(asked, program)


def test_a_name_counts_after_the_file_is_gone(tmp_path: Path, asked: Asked) -> None:
    path = written(tmp_path, "cron.d/file")
    asked.use(NAMED, NAMES)
    file = os.open(path, os.O_RDONLY)
    path.unlink()
    assert asked.wants(CLOSE_WRITE, file)
    os.close(file)
    assert not asked.wants(CLOSE_WRITE, file)


def test_what_is_no_regular_file_holds_no_program(tmp_path: Path, asked: Asked) -> None:
    os.mkfifo(tmp_path / "fifo")
    asked.use(PROGRAMS, ())
    assert not wants(asked, tmp_path / "fifo")
    assert not wants(asked, tmp_path)


@given(
    st.sampled_from([b"", b"\x7fELF", b"\x7fEL", b"#!", b"#", b"MZ", b"M", b"\0asm", b"\0as"]), st.binary(max_size=4)
)
def test_a_program_is_found_as_its_first_bytes_say(begin: bytes, rest: bytes) -> None:
    head = begin + rest
    magics = {b"\x7fELF": "ELF", b"#!": "script", b"MZ": "PE", b"\0asm": "WebAssembly"}
    expected = next((name for magic, name in magics.items() if head.startswith(magic)), "")
    assert KINDS[kind_of(head[:4])] == expected
    file = os.memfd_create("file")
    os.write(file, head)
    assert KINDS[program_in(file, os.fstat(file))] == expected
    os.close(file)
