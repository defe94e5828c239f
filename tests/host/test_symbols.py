"""Functions by their place in a program file: of files made here, of the C library, and of damaged ones."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysmon.host.symbols import NAME_LIMIT, Symbols

FUNCTION, OBJECT = 2, 1
DYNAMIC, FULL = 11, 2


def program(
    *symbols: tuple[str, int, int, int], table: int = DYNAMIC, loaded: tuple[int, int, int] = (0x1000, 0x401000, 0x1000)
) -> bytes:
    """An ELF file with one loaded segment (offset, address, size) and these symbols: name, address, size, type."""
    names = b"\0"
    rows = bytes(24)
    for name, address, size, kind in symbols:
        rows += struct.pack("<IBBHQQ", len(names), 0x10 | kind, 0, 1, address, size)
        names += name.encode() + b"\0"
    segments = struct.pack("<IIQQQQQQ", 1, 5, *loaded[:2], loaded[1], *[loaded[2]] * 2, 0x1000)
    rows_at = 64 + len(segments)
    sections_at = rows_at + len(rows) + len(names)
    sections = bytes(64)
    sections += struct.pack("<IIQQQQIIQQ", 0, table, 0, 0, rows_at, len(rows), 2, 0, 8, 24)
    sections += struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, rows_at + len(rows), len(names), 0, 0, 1, 0)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, sections_at, 0, 64, 56, 1, 64, 3, 0)
    return header + segments + rows + names + sections


def at(path: Path, offset: int, symbols: Symbols | None = None, **other: int) -> tuple[str, str]:
    found = path.stat()
    device = os.major(found.st_dev) << 20 | os.minor(found.st_dev)
    known = (symbols or Symbols()).at(
        str(path), **({"device": device, "inode": found.st_ino, "offset": offset} | other)
    )
    return known.text, known.skipped


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "program"
    made.write_bytes(
        program(
            ("start", 0x401000, 0x40, FUNCTION),
            ("data", 0x401050, 0x40, OBJECT),
            ("inner", 0x401080, 0x10, FUNCTION),
            ("outer", 0x401070, 0x80, FUNCTION),
            ("label", 0x401100, 0, FUNCTION),
        )
    )
    return made


@pytest.mark.parametrize(
    ("offset", "text"),
    [
        (0x1000, "start"),
        (0x103F, "start+0x3f"),
        (0x1040, "-"),
        (0x1050, "-"),
        (0x1070, "outer"),
        (0x1080, "inner"),
        (0x1090, "outer+0x20"),
        (0x1100, "label"),
        (0x1101, "-"),
    ],
)
def test_a_place_belongs_to_the_innermost_function_around_it(file: Path, offset: int, text: str) -> None:
    assert at(file, offset) == (text, "" if text != "-" else "no symbol there")


def test_the_full_table_is_read_like_the_dynamic_one(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(program(("main", 0x401000, 8, FUNCTION), table=FULL))
    assert at(tmp_path / "program", 0x1004)[0] == "main+0x4"


def test_a_place_that_is_not_loaded_has_no_function(file: Path) -> None:
    assert at(file, 0x10) == ("-", "the file is not loaded there")


def test_the_c_library_knows_its_own_functions() -> None:
    address = ctypes.cast(ctypes.CDLL(None).getppid, ctypes.c_void_p).value or 0
    for line in Path("/proc/self/maps").read_text().splitlines():
        begin, _, end = line.split()[0].partition("-")
        if int(begin, 16) <= address < int(end, 16):
            offset = address - int(begin, 16) + int(line.split()[2], 16)
            assert at(Path(line.split()[5]), offset)[0] == "getppid"


def test_another_file_of_that_name_is_not_asked(file: Path) -> None:
    assert at(file, 0x1000, inode=file.stat().st_ino + 1) == ("-", "the file is no longer there")
    assert at(file, 0x1000, device=8 << 20 | 77) == ("-", "the file is no longer there")


def test_the_next_path_is_tried(file: Path) -> None:
    found = file.stat()
    known = Symbols().at("/nonexistent", "\0", str(file), device=0, inode=found.st_ino, offset=0x1000)
    assert known.text == "start"


def test_what_is_no_program_file_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("#!/bin/sh\n")
    assert at(tmp_path / "text", 0) == ("-", "not a program file")
    os.mkfifo(tmp_path / "fifo")
    assert at(tmp_path / "fifo", 0) == ("-", "the file is no longer there")


def test_more_symbols_than_the_limit_are_not_read(file: Path) -> None:
    assert at(file, 0x1000, Symbols(table_limit=24))[1] == "more than 24 bytes of symbols"


def test_a_long_name_is_cut(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(program(("x" * 1000, 0x401000, 8, FUNCTION)))
    assert at(tmp_path / "program", 0x1000)[0] == "x" * NAME_LIMIT


def test_what_was_found_is_remembered_until_the_file_changes(file: Path) -> None:
    symbols = Symbols(remembered=1)
    assert at(file, 0x1000, symbols)[0] == "start"
    file.write_bytes(program(("other", 0x401000, 8, FUNCTION)))
    assert at(file, 0x1000, symbols)[0] == "other"


@settings(deadline=None)
@given(place=st.integers(0, 400), value=st.binary(min_size=1, max_size=8), end=st.integers(0, 700))
def test_a_damaged_file_never_raises(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: bytes, end: int
) -> None:
    data = bytearray(program(("start", 0x401000, 0x40, FUNCTION)))
    data[place : place + len(value)] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(data[:end] if end < 400 else data)
    assert all(isinstance(part, str) for part in at(path, 0x1000))
