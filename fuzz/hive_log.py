"""Transaction logs of registry hives: what they have for a hive is written into it, or they count for nothing.

An input is a hive and its log, the length of the hive before them: one does not fit without the other.
"""

from __future__ import annotations

import struct

from fuzz.target import Target, law
from pysmon.config.blob.hive_log import checksum, is_unfinished, patched, replayed

LENGTH = struct.Struct("<H")
_SECTOR = 512


def check(data: bytes) -> None:
    """The law, for the log as it is and with a checksum that fits."""
    size = LENGTH.unpack_from(data)[0] if len(data) >= LENGTH.size else 0
    hive, log = data[LENGTH.size : LENGTH.size + size], data[LENGTH.size + size :]
    if not is_unfinished(hive):
        return
    logs = [log]
    if len(log) >= _SECTOR:
        logs.append(log[: _SECTOR - 4] + checksum(log).to_bytes(4, "little") + log[_SECTOR:])
    for apply in (replayed, patched):
        made, count = apply(hive, logs)
        law(len(hive) <= len(made) <= len(hive) + sum(map(len, logs)), f"{len(hive)} bytes became {len(made)}")
        law(count >= 0 and (not count or not is_unfinished(made)), "what was applied finishes a hive")
        law(bool(count) or made[12:] == hive[12:], "nothing was applied, and there is a change")


TARGET = Target(
    "hive_log",
    "transaction logs of registry hives",
    check,
    words=(
        *(b"regf", b"HvLE", b"DIRT", b"\0\2\0\0", b"\0\x10\0\0", b"\1\0\0\0", b"\xff\xff\xff\xff", b"\7\0\0\0"),
        *(struct.pack("<6I", 0x454C7648, 1024, 0, 7, 4096, 1), struct.pack("<2I", 0, 512), b"\xff" * 8),
    ),
)
