"""Blocks of texts: how a dictionary lies in the file, so that a search walks bytes and not rows.

A block is the texts of neighbouring ids, each after a tag that says of which field it is, and each between two
separators. Neither byte of a tag can begin a text and the separator is in none, so what is found in a block was in a
text; only a block in which something is found is taken apart. Letters A to Z are compared in either case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pysmon.store.query import Operator
from pysmon.store.values import decoded, encoded

SEPARATOR = b"\xff"  # in no text: not even in the UTF-8 of lone surrogates
TAG = 2  # bytes
_CONTINUED = 0x80  # UTF-8's mark of bytes that begin nothing

Hits = dict[int, list[int]]  # by number of the field name: ids of texts


def tag_of(number: int) -> bytes:
    """The tag of a field, from the number of its name."""
    return bytes((_CONTINUED | number >> 6, _CONTINUED | number & 63))


def number_of(tag: bytes) -> int:
    """The number of a field's name, from its tag."""
    return (tag[0] & 63) << 6 | tag[1] & 63


def texts_of_block(block: bytes) -> list[str]:
    """The texts of a block, in the order of their ids."""
    return [decoded(part[TAG:]) for part in block[1:-1].split(SEPARATOR)]


@dataclass(frozen=True, slots=True)
class Sought:
    """A text that is looked for; `field` is the number of a field's name, None for all fields."""

    operator: Operator  # a positive one
    value: str
    field: int | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """A way to find a sought text in blocks."""

    sought: Sought
    clue: bytes  # a block without it holds nothing that is sought
    tag: bytes  # empty: any
    fits: Callable[[bytes], bool]  # whether a text in small letters is one


def probe(sought: Sought) -> Probe:
    """How to look for it."""
    value = encoded(sought.value).lower()
    tag = b"" if sought.field is None else tag_of(sought.field)
    begin = SEPARATOR + tag if tag else b""
    match sought.operator:
        case "is":
            return Probe(sought, begin + value + SEPARATOR, tag, lambda text: text == value)
        case "begin with":
            return Probe(sought, begin + value, tag, lambda text: text.startswith(value))
        case "end with":
            return Probe(sought, value + SEPARATOR, tag, lambda text: text.endswith(value))
        case "less than":
            return Probe(sought, begin, tag, lambda text: text < value)
        case "more than":
            return Probe(sought, begin, tag, lambda text: text > value)
        case _:
            return Probe(sought, value, tag, lambda text: value in text)


def search(blocks: Iterable[tuple[int, bytes]], probes: Iterable[Probe]) -> dict[Sought, Hits]:
    """What the probes find in blocks, each given with the id of its first text."""
    all_probes = list(probes)
    found: dict[Sought, Hits] = {p.sought: {} for p in all_probes}
    for first, block in blocks:
        lowered = block.lower()
        likely = [p for p in all_probes if p.clue in lowered]
        if likely:
            parts = lowered[1:-1].split(SEPARATOR)
            for one in likely:
                _take(found[one.sought], first, parts, one)
    return found


def _take(hits: Hits, first: int, parts: list[bytes], one: Probe) -> None:
    tag, fits = one.tag, one.fits
    for at, part in enumerate(parts, first):
        if (not tag or part.startswith(tag)) and fits(part[TAG:]):
            hits.setdefault(number_of(part[:TAG]), []).append(at)
