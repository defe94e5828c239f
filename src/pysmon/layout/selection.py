"""Reads some members of a record and leaves the others alone: what is looked at once costs less than a whole record."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from pysmon.layout.record import Record


def head_of(cls: type[Record], *names: str) -> struct.Struct:
    """What reads these members from the bytes of a record, in the order of the layout; of tails it reads the sizes.

    ValueError if the class has no such member.
    """
    layout = cls.layout
    _refuse_unknown(cls, names)
    codes = [
        member.code if name in names else f"{member.size}x"
        for name, member in zip(layout.names, layout.members, strict=True)
    ]
    found = struct.Struct("<" + "".join(codes))
    return struct.Struct(f"{found.format}{layout.head.size - found.size}x")


def span_of(cls: type[Record], first: str, last: str) -> slice:
    """Where the members from one to another lie in the bytes of a record. ValueError as above."""
    _refuse_unknown(cls, (first, last))
    names, members = cls.layout.names, cls.layout.members
    begin, end = names.index(first), names.index(last) + 1
    return slice(*(sum(member.size for member in members[:place]) for place in (begin, end)))


def _refuse_unknown(cls: type[Record], names: Iterable[str]) -> None:
    if unknown := set(names) - set(cls.layout.names):
        raise ValueError(f"{cls.__name__} has no member {', '.join(sorted(unknown))}")
