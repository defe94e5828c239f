"""The function that a place in a program file belongs to, from the file's own symbol tables (ELF)."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass

TABLE_LIMIT = 8 << 20  # bytes of a symbol table: some 350,000 symbols, half a second
NAME_LIMIT = 256  # bytes of a name; C++ has longer ones
_REMEMBERED = 1024
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a FIFO or a terminal must not hold us
_MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little-endian: all that this sensor runs on
_HEADER = struct.Struct("<16xHHIQQQIHHHHHH")  # type, machine, version, entry, phoff, shoff, flags, ...
_SEGMENT = struct.Struct("<IIQQQQQQ")  # type, flags, offset, address, physical, size in the file, in memory, alignment
_SECTION = struct.Struct("<IIQQQQIIQQ")  # name, type, flags, address, offset, size, link, info, alignment, entry size
_SYMBOL = struct.Struct("<IBBHQQ")  # name, info, other, section, address, size
_MOST_SEGMENTS, _MOST_SECTIONS = 256, 4096
_LOAD = 1
_TABLES = (2, 11)  # SHT_SYMTAB, which programs may lack, and SHT_DYNSYM, which libraries need
_FUNCTIONS = (2, 10)  # STT_FUNC, STT_GNU_IFUNC


@dataclass(frozen=True, slots=True)
class Symbol:
    """`text` is `name`, or `name+0x1f` inside of the function; `skipped` says in words why it is `-`."""

    text: str = "-"
    skipped: str = ""


class Symbols:
    """Finds functions. What it found is remembered by file and place."""

    def __init__(self, *, table_limit: int = TABLE_LIMIT, remembered: int = _REMEMBERED) -> None:
        """`table_limit` is in bytes: a file with more symbols has no function names."""
        self._table_limit = table_limit
        self._remembered = remembered
        self._known: dict[tuple[int, ...], Symbol] = {}

    def at(self, *paths: str, device: int, inode: int, offset: int) -> Symbol:
        """The function at that offset of the file, from the first path that leads to it.

        `device` and `inode` are the kernel's numbers (major << 20 | minor): a file that took its place is not asked.
        """
        for path in paths:
            try:
                found = os.stat(path)
                if not _is_it(found, device, inode):
                    continue
                key = (found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns, offset)
                return self._known.get(key) or self._look(path, key, device, inode, offset)
            except (OSError, ValueError):
                continue
        return Symbol(skipped="the file is no longer there")

    def _look(self, path: str, key: tuple[int, ...], device: int, inode: int, offset: int) -> Symbol:
        file = os.open(path, _FLAGS)
        try:
            if not _is_it(os.fstat(file), device, inode):
                return Symbol(skipped="another file has taken its place")
            made = self._read(file, offset)
        except struct.error:
            made = Symbol(skipped="the file is damaged")
        finally:
            os.close(file)
        if len(self._known) >= self._remembered:
            del self._known[next(iter(self._known))]
        self._known[key] = made
        return made

    def _read(self, file: int, offset: int) -> Symbol:
        header = os.pread(file, _HEADER.size, 0)
        if not header.startswith(_MAGIC):
            return Symbol(skipped="not a program file")
        _, _, _, _, segments, sections, _, _, _, segment_count, _, section_count, _ = _HEADER.unpack(header)
        address = _address_of(_table(file, _SEGMENT, segments, min(segment_count, _MOST_SEGMENTS)), offset)
        if address is None:
            return Symbol(skipped="the file is not loaded there")
        table = list(_table(file, _SECTION, sections, min(section_count, _MOST_SECTIONS)))
        best: tuple[int, int, int] | None = None  # address of the function, place of the names, of its own there
        for _, kind, _, _, start, size, link, _, _, _ in table:
            if kind not in _TABLES or link >= len(table):
                continue
            if size > self._table_limit:
                return Symbol(skipped=f"more than {self._table_limit} bytes of symbols")
            names = table[link][4]
            for name, info, _, section, value, length in _table(file, _SYMBOL, start, size // _SYMBOL.size):
                inside = value <= address < value + max(length, 1) and section and info & 15 in _FUNCTIONS
                if inside and (best is None or value > best[0]):
                    best = value, names, name
        if best is None:
            return Symbol(skipped="no symbol there")
        ended = os.pread(file, NAME_LIMIT, best[1] + best[2]).partition(b"\0")[0]
        past = f"+{address - best[0]:#x}" if address > best[0] else ""
        return Symbol(ended.decode("utf-8", "surrogateescape") + past) if ended else Symbol(skipped="no symbol there")


def _table(file: int, row: struct.Struct, start: int, count: int) -> Iterator[tuple[int, ...]]:
    """The rows of a table, as far as the file has them."""
    data = os.pread(file, row.size * count, start) if start < 1 << 63 else b""
    return row.iter_unpack(data[: len(data) // row.size * row.size])


def _address_of(segments: Iterator[tuple[int, ...]], offset: int) -> int | None:
    """At which address of the program the byte at the offset of the file is loaded."""
    for kind, _, start, address, _, size, _, _ in segments:
        if kind == _LOAD and start <= offset < start + size:
            return offset - start + address
    return None


def _is_it(found: os.stat_result, device: int, inode: int) -> bool:
    """A regular file with that number, on that device; file systems without a device show another one to stat."""
    if not stat.S_ISREG(found.st_mode) or found.st_ino != inode:
        return False
    major = os.major(found.st_dev)
    return not major or not device >> 20 or major << 20 | os.minor(found.st_dev) == device
