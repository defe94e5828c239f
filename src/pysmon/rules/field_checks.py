"""All checks on one field, merged: one look at a value tells which of them hold."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import TypeAlias

from pysmon.rules.beginnings import Beginnings
from pysmon.rules.comparisons import Comparisons
from pysmon.rules.conditions import fold, last_part, rank
from pysmon.rules.tree import Hits

_Together: TypeAlias = tuple[str, tuple[str, ...], Hits]  # the longest of some texts, all of them, their checks

_MANY = 48  # parts to look for; of fewer, to look for one after the other is as fast as to look up pieces
_SEVERAL = 4  # parts that begin alike: of fewer, to look for each is as fast as a pattern of all
_PIECE = 3  # characters: a part of 2 * 3 - 1 has all of one of the pieces that a text is cut into, wherever it stands


class FieldChecks:
    """The checks on one field of one event type.

    Equal texts are looked up, not compared: `is` by the value, `image` by its last part, `begin with` and `end with` by
    the longest of its beginnings and ends. Where parts are many, only those are looked for that have one of the pieces
    into which the text is cut. Negative conditions are computed as their positive ones and turned over at the end.
    """

    __slots__ = (
        "_all",
        "_any_beginning",
        "_any_end",
        "_any_part",
        "_beginnings",
        "_ends",
        "_equal",
        "_flipped",
        "_names",
        "_parts",
        "_pieces",
        "_ranks",
        "_splits_on",
    )

    def __init__(self, compared: Comparisons, image_splits_on: str) -> None:
        """Make the tables to look up from what a value is compared with."""
        self._splits_on = image_splits_on
        self._flipped = compared.negative
        self._equal = dict(compared.equal)
        self._names = dict(compared.names)
        self._beginnings = Beginnings(compared.beginnings)
        self._any_beginning = tuple(compared.beginnings)
        self._ends = Beginnings({end[::-1]: mask for end, mask in compared.ends.items()})
        self._any_end = tuple(compared.ends)
        parts = compared.parts
        several = [(max(texts, key=len), texts, mask) for texts, mask in compared.together.items()]
        self._pieces: dict[tuple[str, ...], list[_Together]] = {}
        if len(parts) + len(several) >= _MANY:
            self._pieces = _by_piece([*((part, (), mask) for part, mask in parts.items()), *several])
            parts = {part: mask for part, mask in parts.items() if _is_short(part)}
            several = [each for each in several if _is_short(each[0])]
        self._parts, self._all = list(parts.items()), several
        self._any_part = _any_of(parts)
        self._ranks = [(key, less, mask) for (key, less), mask in compared.ranks.items()]

    def hits(self, text: str) -> Hits:
        """Which of the checks hold for a text."""
        value = text.lower() if text.isascii() else fold(text)
        found = self._equal.get(value, 0) if self._equal else 0
        if self._names:
            found |= self._names.get(last_part(value, self._splits_on), 0)
        if self._any_beginning and value.startswith(self._any_beginning):
            found |= self._beginnings.hits(value)
        if self._any_end and value.endswith(self._any_end):
            found |= self._ends.hits(value[::-1])
        if value:  # nothing is found in an empty text
            if self._any_part is None or self._any_part(value):
                for part, mask in self._parts:
                    if part in value:
                        found |= mask
            for longest, parts, mask in self._all:
                if longest in value and all(part in value for part in parts):
                    found |= mask
            if self._pieces:
                for piece in self._pieces.keys() & zip(*[iter(value)] * _PIECE, strict=False):
                    for longest, parts, mask in self._pieces[piece]:
                        if longest in value and all(part in value for part in parts):
                            found |= mask
        if self._ranks:
            key = rank(value)
            for limit, less, mask in self._ranks:
                if key < limit if less else key > limit:
                    found |= mask
        return found ^ self._flipped


def _any_of(parts: Collection[str]) -> Callable[[str], object] | None:
    """Tells if a text has any of the parts, at less cost than looking for each; None where it would not be less."""
    if len(parts) < _SEVERAL or len({part[:1] for part in parts}) > 1 or "" in parts:
        return None
    return re.compile("|".join(map(re.escape, parts))).search


def _is_short(part: str) -> bool:
    return len(part) < 2 * _PIECE - 1


def _by_piece(texts: Iterable[_Together]) -> dict[tuple[str, ...], list[_Together]]:
    """The texts that are not short, by the pieces that whatever has them may be cut into: one for each way to cut."""
    found: dict[tuple[str, ...], list[_Together]] = defaultdict(list)
    for each in texts:
        if not _is_short(each[0]):
            for piece in {tuple(each[0][at : at + _PIECE]) for at in range(_PIECE)}:
                found[piece].append(each)
    return dict(found)
