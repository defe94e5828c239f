"""Writes registry hives with what a test needs: keys, values, and values of more than 16 KB, which are in pieces."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SZ, BINARY, DWORD = 1, 3, 4
PIECE = 16344  # bytes of a large value that stand in one cell
NOTHING = 0xFFFFFFFF


@dataclass
class Key:
    """A key with its values, each of text, bytes or a number, and its keys below."""

    values: Mapping[str, str | bytes | int] = field(default_factory=dict)
    keys: Mapping[str, Key] = field(default_factory=dict)


def system(services: Mapping[str, Key], current: int = 1, **other_sets: Mapping[str, Key]) -> Key:
    """The SYSTEM hive of a machine with those services in ControlSet001, and others in other sets."""
    sets = {"ControlSet001": services, **other_sets}
    made = {name: Key(keys={"Control": Key(), "Services": Key(keys=below)}) for name, below in sets.items()}
    return Key(keys={**made, "Select": Key({"Current": current, "Default": 1})})


def service(**values: str | bytes | int) -> Key:
    """The key of a driver with those values as its parameters."""
    return Key({"ImagePath": "x.sys"}, {"Instances": Key(), "Parameters": Key(values)})


def write_hive(path: Path, root: Key) -> Path:
    """Write the key as the root of a hive."""
    cells = _Cells()
    at = cells.key("ROOT", root)
    size = -(-(len(cells.data) + 32) // 4096) * 4096
    bins = b"hbin" + struct.pack("<II12xI4x", 0, size, 0)
    left = size - 32 - len(cells.data)
    free = struct.pack("<i", left) + bytes(left - 4) if left else b""
    base = bytearray(4096)
    struct.pack_into("<4sII8xIIIIIII", base, 0, b"regf", 1, 1, 0, 1, 5, 0, 1, at, size)
    base[48:60] = "SYSTEM".encode("utf-16-le")
    path.write_bytes(base + bins + cells.data + free)
    return path


class _Cells:
    """Cells so far; offsets count from the first block, whose head of 32 bytes they do not hold."""

    def __init__(self) -> None:
        self.data = bytearray()

    def key(self, name: str, made: Key) -> int:
        at = self._cell(self._node(name, made, NOTHING, NOTHING))  # the root must be the first cell
        below = [(each, self.key(each, key)) for each, key in made.keys.items()]
        leaf = (
            b"lf"
            + struct.pack("<H", len(below))
            + b"".join(struct.pack("<I4s", where, each.encode()[:4].ljust(4, b"\0")) for each, where in below)
        )
        keys = self._cell(leaf) if below else NOTHING
        values = [self._value(each, value) for each, value in made.values.items()]
        table = self._cell(struct.pack(f"<{len(values)}I", *values)) if values else NOTHING
        node = self._node(name, made, keys, table)
        self.data[at - 32 + 4 : at - 32 + 4 + len(node)] = node
        return at

    def _node(self, name: str, made: Key, keys: int, values: int) -> bytes:
        counts = (len(made.keys), 0, keys, NOTHING, len(made.values), values, NOTHING, NOTHING)
        head = struct.pack("<2sHQIIIIIIIIII", b"nk", 0x20, 0, 0, 0, *counts)
        return head + struct.pack("<IIIIIHH", 0, 0, 0, 0, 0, len(name), 0) + name.encode()

    def _value(self, name: str, value: str | bytes | int) -> int:
        if isinstance(value, int):
            size, data, kind = 4 | 1 << 31, value, DWORD
        else:
            raw = (value + "\0").encode("utf-16-le") if isinstance(value, str) else value
            size, data, kind = len(raw), self._data(raw), SZ if isinstance(value, str) else BINARY
        return self._cell(struct.pack("<2sHIIIHH", b"vk", len(name), size, data, kind, 1, 0) + name.encode())

    def _data(self, raw: bytes) -> int:
        if len(raw) <= PIECE:
            return self._cell(raw)
        pieces = [self._cell(raw[n : n + PIECE]) for n in range(0, len(raw), PIECE)]
        table = self._cell(struct.pack(f"<{len(pieces)}I", *pieces))
        return self._cell(struct.pack("<2sHI", b"db", len(pieces), table))

    def _cell(self, content: bytes) -> int:
        size = -(-(len(content) + 4) // 8) * 8
        at = len(self.data) + 32
        self.data += struct.pack("<i", -size) + content.ljust(size - 4, b"\0")
        return at
