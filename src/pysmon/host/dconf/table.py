"""A GVDB file, which dconf keeps its settings in: a hash table on the disk, read whole, with bounds.

Format: gvdb-format.h of https://gitlab.gnome.org/GNOME/gvdb. Whoever owns the file wrote it: nothing in it is believed.
"""

from __future__ import annotations

import struct

from pysmon.errors import RecordError

LARGEST = 1 << 20  # bytes of a file; a desktop that was used for years has a tenth of it
_MOST_KEYS = 1 << 13
_LONGEST_KEY = 1024
_DEPTH = 64  # parts of a key
_SIGNATURE = b"GVariant"  # of a little-endian file
_HEAD = struct.Struct("<8sIIII")  # signature, version, options, where the root table begins and ends
_TABLE = struct.Struct("<II")  # words of its Bloom filter, in the lowest 27 bits; buckets
_FORM = struct.Struct("<IIIHcxII")  # hash, parent, key (start, size), type, where the value begins and ends
_BLOOM, _NO_PARENT = (1 << 27) - 1, 0xFFFFFFFF
_VALUE = b"v"

_Item = tuple[int, int, int, int, bytes, int, int]


def read_table(data: bytes) -> dict[str, bytes]:
    """The values by key (`/org/gnome/...`), each a serialised variant. RecordError if the file is none or is damaged.

    Tables in the table (locks) are left out.
    """
    if not data:
        return {}  # dconf writes nothing else where nothing is set
    if len(data) < _HEAD.size or len(data) > LARGEST:
        raise RecordError(f"a database of {len(data)} bytes (expected {_HEAD.size} to {LARGEST})")
    signature, version, _, start, end = _HEAD.unpack_from(data)
    if signature != _SIGNATURE or version != 0:
        raise RecordError(f"no database of dconf: it begins with {data[:12].hex()}")
    items = _items(_part(data, start, end))
    room, found = len(data), dict[str, bytes]()
    for item in items:
        if item[4] == _VALUE:
            value = _part(data, item[5], item[6])
            room -= len(value)
            if room < 0:
                raise RecordError("values lie over each other")  # and would cost more than the file is long
            found[_key(data, items, item)] = value
    return found


def _items(table: bytes) -> list[_Item]:
    if len(table) < _TABLE.size:
        raise RecordError(f"a table of {len(table)} bytes")
    bloom, buckets = _TABLE.unpack_from(table)
    at = _TABLE.size + 4 * ((bloom & _BLOOM) + buckets)
    count, rest = divmod(len(table) - at, _FORM.size)
    if at > len(table) or rest or count > _MOST_KEYS:
        raise RecordError(f"a table of {len(table)} bytes says that its items begin at {at}")
    return list(_FORM.iter_unpack(table[at:]))


def _key(data: bytes, items: list[_Item], item: _Item) -> str:
    parts, size, at = list[bytes](), 0, item
    for _ in range(_DEPTH):
        _, parent, start, length, *_ = at
        size += length
        if size > _LONGEST_KEY:
            raise RecordError(f"a key has more than {_LONGEST_KEY} bytes")
        parts.append(_part(data, start, start + length))
        if parent == _NO_PARENT:
            key = b"".join(reversed(parts))
            if not key.startswith(b"/"):
                raise RecordError(f"a key begins with {key[:8]!r}")
            return key.decode("utf-8", "surrogateescape")
        if parent >= len(items):
            raise RecordError(f"the key's parent is number {parent} of {len(items)}")
        at = items[parent]
    raise RecordError("a key has too many parts, or goes round in circles")


def _part(data: bytes, start: int, end: int) -> bytes:
    if not start <= end <= len(data):
        raise RecordError(f"something goes from {start} to {end} in {len(data)} bytes")
    return data[start:end]
