"""All checks on one field, merged: one look at a value tells which of them hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from pysmon.config.model import Condition
from pysmon.rules.conditions import NEGATED, fold, items, last_part, needles, rank, splits
from pysmon.rules.tree import Check, Hits

_Together: TypeAlias = tuple[str, tuple[str, ...], Hits]  # the longest of some texts, all of them, their checks

_MANY = 48  # parts to look for; of fewer, to look for one after the other is as fast as to look up pieces
_PIECE = 3  # characters: a part of 2 * 3 - 1 has all of one of the pieces that a text is cut into, wherever it stands


class FieldChecks:
    """The checks on one field of one event type.

    Equal texts are looked up, not compared: `is` by the value, `begin with` and `end with` by its beginnings and ends
    of the lengths that occur, `image` by its last part. Where parts are many, only those are looked for that have one
    of the pieces into which the text is cut. Negative conditions are computed as their positive ones and turned over at
    the end. Checks with a fixed outcome have no place here.
    """

    __slots__ = (
        "_all",
        "_any_beginning",
        "_any_end",
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

    def __init__(self, checks: Iterable[Check], image_splits_on: str) -> None:
        """Sort the checks into tables by the kind of their condition."""
        self._splits_on = image_splits_on
        self._flipped: Hits = 0  # the negative checks
        self._equal: dict[str, Hits] = defaultdict(int)
        self._names: dict[str, Hits] = defaultdict(int)
        beginnings: dict[str, Hits] = defaultdict(int)
        ends: dict[str, Hits] = defaultdict(int)
        parts: dict[str, Hits] = defaultdict(int)
        together: dict[tuple[str, ...], Hits] = defaultdict(int)
        ranks: dict[tuple[bytes, bool], Hits] = defaultdict(int)
        for check in checks:
            condition, value, mask = check.source.condition, fold(check.source.value), check.mask
            if condition in NEGATED:
                condition = NEGATED[condition]
                self._flipped |= mask
            if condition is Condition.IS or (condition is Condition.IMAGE and splits(value, image_splits_on)):
                self._equal[value] |= mask
            elif condition is Condition.IMAGE:
                self._names[value] |= mask
            elif condition is Condition.IS_ANY:
                for item in items(value):
                    self._equal[item] |= mask
            elif condition is Condition.CONTAINS:
                parts[value] |= mask
            elif condition is Condition.CONTAINS_ANY:
                for needle in needles(value):
                    parts[needle] |= mask
            elif condition is Condition.CONTAINS_ALL:
                together[tuple(needles(value))] |= mask
            elif condition is Condition.BEGIN_WITH:
                beginnings[value] |= mask
            elif condition is Condition.END_WITH:
                ends[value] |= mask
            else:
                ranks[rank(value), condition is Condition.LESS_THAN] |= mask
        self._beginnings = _by_length(beginnings)
        self._any_beginning = tuple(beginnings)
        self._ends = _by_length(ends)
        self._any_end = tuple(ends)
        several = [(max(texts, key=len), texts, mask) for texts, mask in together.items()]
        self._pieces: dict[tuple[str, ...], list[_Together]] = {}
        if len(parts) + len(several) >= _MANY:
            self._pieces = _by_piece([*((part, (), mask) for part, mask in parts.items()), *several])
            parts = {part: mask for part, mask in parts.items() if _is_short(part)}
            several = [each for each in several if _is_short(each[0])]
        self._parts, self._all = list(parts.items()), several
        self._ranks = [(key, less, mask) for (key, less), mask in ranks.items()]

    def hits(self, text: str) -> Hits:
        """Which of the checks hold for a text."""
        value = fold(text)
        found = self._equal.get(value, 0)
        if self._names:
            found |= self._names.get(last_part(value, self._splits_on), 0)
        if value.startswith(self._any_beginning):
            for length, table in self._beginnings:
                found |= table.get(value[:length], 0)
        if value.endswith(self._any_end):
            size = len(value)
            for length, table in self._ends:
                found |= table.get(value[size - length :], 0)  # of a shorter text it is shorter, and so not there
        if value:  # nothing is found in an empty text
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


def _by_length(table: Mapping[str, Hits]) -> list[tuple[int, dict[str, Hits]]]:
    lengths: dict[int, dict[str, Hits]] = defaultdict(dict)
    for text, mask in table.items():
        lengths[len(text)][text] = mask
    return list(lengths.items())
