"""ELF files: what they say of themselves, and no error whatever they are."""

from __future__ import annotations

import os

from fuzz.target import Target, file_of, law
from pysmon.host.elf import read_elf


def check(data: bytes) -> None:
    """The law."""
    file = os.open(file_of(data, "elf"), os.O_RDONLY)
    try:
        found = read_elf(file)
    finally:
        os.close(file)
    law(len(found.name) <= 256, "a name has at most 256 characters")
    law(len(found.build_id) <= 2 * len(data), "an id is part of the file")


TARGET = Target(
    "elf",
    "ELF files",
    check,
    words=(
        b"\x7fELF\x02\x01",
        b"\x7fELF\x01\x01",
        b"GNU\0",
        b"\x04\0\0\0\x10\0\0\0\x03\0\0\0",
        b"\x0e\0\0\0",
        b"\x05\0\0\0",
    ),
    longest=1 << 12,
)
