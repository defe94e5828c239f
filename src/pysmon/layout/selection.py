"""Reads some members of a record and leaves the others alone: what is looked at once costs less than a whole record."""

from __future__ import annotations

import struct

from pysmon.layout.record import Record


def head_of(cls: type[Record], *names: str) -> struct.Struct:
    """What reads these members from the bytes of a record, in the order of the layout; of tails it reads the sizes.

    ValueError if the class has no such member.
    """
    layout = cls.layout
    if unknown := set(names) - set(layout.names):
        raise ValueError(f"{cls.__name__} has no member {', '.join(sorted(unknown))}")
    codes = [
        member.code if name in names else f"{member.size}x"
        for name, member in zip(layout.names, layout.members, strict=True)
    ]
    found = struct.Struct("<" + "".join(codes))
    return struct.Struct(f"{found.format}{layout.head.size - found.size}x")
