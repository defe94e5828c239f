"""Databases of dconf of our own making, for tests: what its service would write, and what it never would."""

from __future__ import annotations

import struct
from collections.abc import Mapping

NO_PARENT = 0xFFFFFFFF
_HEAD, _TABLE, _ITEM = struct.Struct("<8sIIII"), struct.Struct("<II"), struct.Struct("<IIIHcxII")


def text(value: str) -> bytes:
    """A variant that holds a text."""
    return value.encode() + b"\0\0s"


def number(value: int) -> bytes:
    """A variant that holds an int32."""
    return struct.pack("<i", value) + b"\0i"


def database(values: Mapping[str, bytes], *, bloom: int = 1, buckets: int = 1) -> bytes:
    """A file with these values by key, each part of a path an item of its own, as dconf-service lays them out."""
    names: dict[str, tuple[str, str]] = {"/": ("", "/")}  # whole key: parent, own part
    for key in values:
        parts = key.lstrip("/").split("/")
        for n in range(1, len(parts)):
            folder = "/" + "/".join(parts[:n]) + "/"
            names[folder] = ("/" + "".join(f"{p}/" for p in parts[: n - 1]), parts[n - 1] + "/")
        names[key] = ("/" + "".join(f"{p}/" for p in parts[:-1]), parts[-1])
    order = list(names)
    size = _TABLE.size + 4 * (bloom + buckets) + _ITEM.size * len(order)
    heap, items = bytearray(), []
    for key in order:
        parent, part = names[key]
        start = _HEAD.size + size + len(heap)
        heap += part.encode()
        value = values.get(key)
        heap += bytes(-(_HEAD.size + size + len(heap)) % 8)
        begins = _HEAD.size + size + len(heap)
        heap += value or b""
        kind = b"L" if value is None else b"v"
        above = order.index(parent) if parent else NO_PARENT
        items.append(_ITEM.pack(0, above, start, len(part.encode()), kind, begins, begins + len(value or b"")))
    table = _TABLE.pack(bloom, buckets) + bytes(4 * (bloom + buckets)) + b"".join(items)
    return _HEAD.pack(b"GVariant", 0, 0, _HEAD.size, _HEAD.size + len(table)) + table + bytes(heap)


def with_items(*items: tuple[int, int, int, bytes, int, int], heap: bytes = b"") -> bytes:
    """A file with these items: parent, start and size of the key, type, start and end of the value."""
    table = _TABLE.pack(0, 0) + b"".join(_ITEM.pack(0, *item) for item in items)
    return _HEAD.pack(b"GVariant", 0, 0, _HEAD.size, _HEAD.size + len(table)) + table + heap
