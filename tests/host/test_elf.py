"""What ELF files say of themselves."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sensor.compiled import LITTLE, compiled

from pysmon.host.elf import Elf, elf_of, read_elf
from pysmon.host.hashes import Expected

BUILD = bytes.fromhex("0123456789abcdef")


def library(*, order: str = "<", wide: bool = True) -> bytes:
    """A small library: three program headers, a note, a dynamic section, its strings."""
    entry = order + ("QQ" if wide else "II")
    note = struct.pack(order + "III", 4, len(BUILD), 3) + b"GNU\0" + BUILD
    strings = b"\0liba.so\0"
    begin = 64 + 3 * (56 if wide else 32)
    at_note, at_strings = begin, begin + len(note)
    at_dynamic = at_strings + len(strings)
    dynamic = b"".join(struct.pack(entry, *pair) for pair in ((14, 1), (5, 0x1000 + at_strings), (0, 0)))
    size = at_dynamic + len(dynamic)
    segments = ((4, at_note, 0x1000 + at_note, len(note)), (1, 0, 0x1000, size), (2, at_dynamic, 0, len(dynamic)))
    magic = b"\x7fELF" + bytes((2 if wide else 1, 1 if order == "<" else 2)) + bytes(10)
    if wide:
        head = magic + struct.pack(order + "16xQ14xHH4x", 64, 56, 3)
        table = b"".join(struct.pack(order + "IIQQQQQQ", k, 0, o, a, 0, s, s, 1) for k, o, a, s in segments)
    else:
        head = (magic + struct.pack(order + "12xI10xHH6x", 64, 32, 3)).ljust(64, b"\0")
        table = b"".join(struct.pack(order + "8I", k, o, a, 0, s, s, 0, 1) for k, o, a, s in segments)
    return head.ljust(64, b"\0") + table + note + strings + dynamic


def told(path: Path, data: bytes) -> Elf:
    path.write_bytes(data)
    file = os.open(path, os.O_RDONLY)
    try:
        return read_elf(file)
    finally:
        os.close(file)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_build_and_the_name_are_told_of_every_class_and_byte_order(tmp_path: Path, order: str, wide: bool) -> None:
    assert told(tmp_path / "a", library(order=order, wide=wide)) == Elf(BUILD.hex(), "liba.so")


def test_what_a_linker_made_is_read(tmp_path: Path) -> None:
    made = compiled(tmp_path, LITTLE, "-shared", "-fPIC", "-Wl,-soname,libtold.so.1", "-Wl,--build-id=0xabcd")
    if made is None:
        pytest.skip("no C compiler here")
    assert told(tmp_path / "copy", Path(made).read_bytes()) == Elf("abcd", "libtold.so.1")


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x09\x01" + bytes(58)])
def test_what_is_no_elf_file_tells_nothing(tmp_path: Path, data: bytes) -> None:
    assert told(tmp_path / "a", data) == Elf()


@given(st.data())
def test_damage_is_no_error(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    changed = bytearray(library(wide=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 5))):
        changed[data.draw(st.integers(6, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(changed)))
    told(tmp_path_factory.getbasetemp() / "damaged", bytes(changed[:cut]))


def test_only_the_file_that_is_meant_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(library())
    found = path.stat()
    file = Expected(os.major(found.st_dev) << 20 | os.minor(found.st_dev), found.st_ino, found.st_size)
    assert elf_of("/nonexistent", str(path), expected=file).name == "liba.so"
    assert elf_of(str(path), expected=file._replace(inode=1)) == Elf()
