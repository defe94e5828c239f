"""Registry hives: the rules in them, or a RecordError. What reads the hive itself is the package regipy."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from fuzz.target import Target, file_of
from pysmon.config.blob.decode import decode
from pysmon.config.blob.hive import StoredRules, find_rules
from pysmon.errors import RecordError


def check(data: bytes) -> None:
    """The law."""
    try:
        found = find_rules(file_of(data, "SYSTEM"))
    except RecordError:
        return
    use(found)


def use(found: Sequence[StoredRules]) -> None:
    """Do with rules of a registry what pysmon does."""
    for each in found:
        each.options()
        _ = each.driver
        try:
            decode(each.data, each.key)
        except RecordError:
            continue


TARGET = Target(
    "hive",
    "registry hives with a Rules value",
    check,
    words=(
        *(b"regf", b"hbin", b"nk", b"vk", b"lf", b"lh", b"li", b"ri", b"db", b"Rules", b"Parameters", b"FieldSizes"),
        *(struct.pack("<i", n) for n in (-8, -32, -4096, 0x7FFFFFFF, -1)),
        *(b"HashingAlgorithm", b"ArchiveDirectory", b"ControlSet001", b"Services", b"\0\0\0\x80"),
    ),
)
