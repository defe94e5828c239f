"""Headers of packages as the database of rpm has them: what they tell is bounded text, or they tell nothing."""

from __future__ import annotations

from fuzz.target import Target, law
from pysmon.host.rpm import read_header

_TAGS = (1000, 1001, 1002, 1004, 1011, 1035, 1116, 1117, 1118, 5011)
_INDEXES = (0, 1, 7, 1 << 20, (1 << 32) - 1)


def check(data: bytes) -> None:
    """The law."""
    header = read_header(data)
    if header is None:
        return
    for tag in (*_TAGS, *header.entries):
        for index in _INDEXES:
            number, text = header.number(tag, index), header.text(tag, index)
            law(number is None or 0 <= number < 1 << 32, "a number of more than 32 bits")
            law(text is None or len(text) <= len(data), "a text that is longer than the header")
    for index in _INDEXES:
        header.path(index)


TARGET = Target(
    "package",
    "headers of rpm packages",
    check,
    words=(*(tag.to_bytes(4) for tag in _TAGS), *(kind.to_bytes(4) for kind in (1, 4, 6, 8, 9)), b"\xff\xff\xff\xff"),
    longest=1 << 12,
)
