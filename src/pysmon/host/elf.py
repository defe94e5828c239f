"""What an ELF file says of itself: the id of its build, and the name that a library was linked under."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import NamedTuple

from pysmon.host.hashes import Expected, find, fits, open_regular

_MOST_HEADERS, _MOST_NOTES, _MOST_ENTRIES, _LONGEST_NAME = 128, 1 << 16, 1 << 16, 256
_LOAD, _DYNAMIC, _NOTE = 1, 2, 4  # p_type
_STRINGS, _SONAME = 5, 14  # d_tag
_BUILD_ID = 3  # note type, of the owner GNU


class _Shape(NamedTuple):
    """How files of 32 or of 64 bits are laid out, as `struct` has it."""

    header: str  # where program headers are, their size and their number
    segment: str  # a program header
    places: tuple[int, ...]  # of kind, offset, address and size in it
    entry: str  # of the dynamic section


_SHAPES = {
    1: _Shape("28xI10xHH", "8I", (0, 1, 2, 4), "II"),
    2: _Shape("32xQ14xHH", "2I6Q", (0, 2, 3, 5), "QQ"),
}


@dataclass(frozen=True, slots=True)
class Elf:
    """Empty texts for what a file does not tell."""

    build_id: str = ""  # in lower-case hex
    name: str = ""  # DT_SONAME


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


def elf_of(*paths: str, expected: Expected) -> Elf:
    """What the first path tells that leads to the expected file; nothing if none does, or it cannot be read."""
    found = find(*paths, expected=expected)
    if found is None:
        return Elf()
    try:
        with open_regular(found[0]) as file:
            return read_elf(file.fileno()) if fits(os.fstat(file.fileno()), expected) else Elf()
    except OSError:
        return Elf()


def read_elf(file: int) -> Elf:
    """Read the open file; what is no ELF file, or is damaged, tells nothing. OSError if it cannot be read."""
    head = os.pread(file, 64, 0).ljust(64, b"\0")
    shape = _SHAPES.get(head[4])
    if shape is None or head[:4] != b"\x7fELF" or head[5] not in (1, 2):
        return Elf()
    order = "<" if head[5] == 1 else ">"
    offset, size, count = struct.unpack_from(order + shape.header, head)
    layout = struct.Struct(order + shape.segment)
    if size != layout.size:
        return Elf()
    data = _read(file, offset, size * min(count, _MOST_HEADERS))
    values = layout.iter_unpack(data[: len(data) // size * size])
    segments = [_Segment(*(each[place] for place in shape.places)) for each in values]
    return Elf(_build_id(file, segments, order), _soname(file, segments, order + shape.entry))


def _build_id(file: int, segments: list[_Segment], order: str) -> str:
    for segment in segments:
        if segment.kind != _NOTE:
            continue
        data, at = _read(file, segment.offset, min(segment.size, _MOST_NOTES)), 0
        while at + 12 <= len(data):
            name_size, size, kind = struct.unpack_from(f"{order}III", data, at)
            content = at + 12 + (name_size + 3 & ~3)
            if kind == _BUILD_ID and data[at + 12 : at + 16] == b"GNU\0" and content + size <= len(data):
                return data[content : content + size].hex()
            at = content + (size + 3 & ~3)
    return ""


def _soname(file: int, segments: list[_Segment], entry: str) -> str:
    dynamic = next((s for s in segments if s.kind == _DYNAMIC), None)
    if dynamic is None:
        return ""
    step = struct.calcsize(entry)
    data = _read(file, dynamic.offset, min(dynamic.size, _MOST_ENTRIES))
    values = dict(struct.unpack_from(entry, data, at) for at in range(0, len(data) - step + 1, step))
    name, strings = values.get(_SONAME), values.get(_STRINGS)
    if name is None or strings is None:
        return ""
    address = strings + name
    for segment in segments:
        if segment.kind == _LOAD and segment.address <= address < segment.address + segment.size:
            found = _read(file, segment.offset + address - segment.address, _LONGEST_NAME)
            return found.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return ""


def _read(file: int, offset: int, size: int) -> bytes:
    return os.pread(file, size, offset) if 0 <= offset < 1 << 62 else b""
