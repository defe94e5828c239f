"""Reads some members of a record and leaves the others alone: what is looked at once costs less than a whole record."""

from __future__ import annotations

import struct
from operator import attrgetter
from typing import Any

from pysmon.layout.record import Record


def head_of(cls: type[Record], *names: str) -> struct.Struct:
    """What reads these members from the bytes of a record, in the order of the layout; of tails it reads the sizes.

    ValueError if the class has no such member.
    """
    layout = cls.layout
    _check(cls, names)
    codes = [
        member.code if name in names else f"{member.size}x"
        for name, member in zip(layout.names, layout.members, strict=True)
    ]
    found = struct.Struct("<" + "".join(codes))
    return struct.Struct(f"{found.format}{layout.head.size - found.size}x")


def members_of(cls: type[Record], *names: str) -> attrgetter[Any]:
    """What gets these members, in this order, from a record that was decoded; ValueError as above."""
    _check(cls, names)
    return attrgetter(*names)


def _check(cls: type[Record], names: tuple[str, ...]) -> None:
    unknown = set(names) - set(cls.layout.names)
    if unknown:
        raise ValueError(f"{cls.__name__} has no member {', '.join(sorted(unknown))}")
