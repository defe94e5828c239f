"""What conditions on one field say of each other, whatever the text is: that one follows, or that both cannot hold.

All answers are of texts that are not empty: a field without a value reads `-`. A yes is certain; a no means that it was
not seen. Every condition is taken apart into atoms: `is any a;b` is `is a` or `is b`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pysmon.config.model import Condition, Filter
from pysmon.rules.conditions import NEGATED, fold, items, last_part, needles, rank, splits

Sort = Literal["is", "name", "begin", "end", "contain", "all", "less", "more"]
_SORTS: dict[Condition, Sort] = {
    Condition.BEGIN_WITH: "begin",
    Condition.END_WITH: "end",
    Condition.CONTAINS: "contain",
    Condition.LESS_THAN: "less",
    Condition.MORE_THAN: "more",
    Condition.IS: "is",
}


@dataclass(frozen=True, slots=True)
class Atom:
    """One comparison with one text; `all` with several that must all be contained."""

    sort: Sort
    value: str = ""
    values: tuple[str, ...] = ()

    def holds(self, text: str, splits_on: str) -> bool:
        """Whether it holds for a folded text."""
        if self.sort == "all":
            return all(value in text for value in self.values)
        if self.sort == "name":
            return last_part(text, splits_on) == self.value
        if self.sort in ("less", "more"):
            one, two = rank(text), rank(self.value)
            return one < two if self.sort == "less" else one > two
        if self.sort == "is":
            return text == self.value
        if self.sort == "contain":
            return self.value in text
        return text.startswith(self.value) if self.sort == "begin" else text.endswith(self.value)

    @property
    def always(self) -> bool:
        """Whether every text meets it."""
        if self.sort == "all":
            return not any(self.values)
        return not self.value and self.sort in ("begin", "end", "contain", "more")


@dataclass(frozen=True, slots=True)
class Meaning:
    """A condition: one of the atoms holds, or, if it is `negative`, none does."""

    atoms: tuple[Atom, ...]
    negative: bool
    splits_on: str
    always: bool  # every text meets it
    never: bool  # no text does


def meaning(source: Filter, splits_on: str) -> Meaning:
    """What a condition of a configuration asks for."""
    negative = source.condition in NEGATED
    condition = NEGATED.get(source.condition, source.condition)
    value = fold(source.value)
    atoms: tuple[Atom, ...]
    if condition is Condition.IS_ANY:
        atoms = tuple(Atom("is", item) for item in items(value))
    elif condition is Condition.CONTAINS_ANY:
        atoms = tuple(Atom("contain", needle) for needle in needles(value))
    elif condition is Condition.CONTAINS_ALL:
        atoms = (Atom("all", values=tuple(needles(value))),)
    elif condition is Condition.IMAGE:
        atoms = (Atom("is" if splits(value, splits_on) else "name", value),)
    else:
        atoms = (Atom(_SORTS[condition], value),)
    every = any(atom.always for atom in atoms)
    none = all(not atom.value and atom.sort in ("is", "less") for atom in atoms)
    return Meaning(atoms, negative, splits_on, none if negative else every, every if negative else none)


def implies(one: Meaning, two: Meaning) -> bool:
    """True if every text that meets the first meets the second."""
    if one.never or two.always:
        return True
    if one.negative:
        return two.negative and _within(two, one)
    return _apart(one, two) if two.negative else _within(one, two)


def contradict(one: Meaning, two: Meaning) -> bool:
    """True if no text meets both."""
    if one.never or two.never:
        return True
    if one.negative and two.negative:
        return False
    if one.negative or two.negative:
        return _within(two, one) if one.negative else _within(one, two)
    return _apart(one, two)


def cover(one: Meaning, two: Meaning) -> bool:
    """True if every text meets one of them."""
    if one.always or two.always:
        return True
    if one.negative and two.negative:
        return _apart(one, two)
    if one.negative or two.negative:
        return _within(one, two) if one.negative else _within(two, one)
    return False


def _within(one: Meaning, two: Meaning) -> bool:
    """The atoms of the first imply those of the second; signs aside."""
    return all(any(_follows(a, b, one.splits_on) for b in two.atoms) for a in one.atoms)


def _apart(one: Meaning, two: Meaning) -> bool:
    """No text meets atoms of both; signs aside."""
    return all(_disjoint(a, b, one.splits_on) for a in one.atoms for b in two.atoms)


def _follows(a: Atom, b: Atom, splits_on: str) -> bool:
    if b.always or (a.sort == "is" and (not a.value or b.holds(a.value, splits_on))):
        return True
    if b.sort == "all":
        return all(_follows(a, Atom("contain", value), splits_on) for value in b.values)
    if a.sort == "all":
        return any(_follows(Atom("contain", value), b, splits_on) for value in a.values)
    if a.sort == b.sort == "less":
        return rank(a.value) <= rank(b.value)
    if a.sort == b.sort == "more":
        return rank(a.value) >= rank(b.value)
    if a.sort in ("is", "less", "more"):
        return False
    if b.sort == "contain":
        return b.value in a.value
    if b.sort == "begin":
        return a.sort == "begin" and a.value.startswith(b.value)
    if b.sort == "end":
        return a.sort in ("end", "name") and a.value.endswith(b.value)
    if b.sort == "name":
        same = last_part(a.value, splits_on) == b.value
        return same and (a.sort == "name" or (a.sort == "end" and splits(a.value, splits_on)))
    return False


def _disjoint(a: Atom, b: Atom, splits_on: str) -> bool:
    for one, two in ((a, b), (b, a)):
        if one.sort == "is" and (not one.value or not two.holds(one.value, splits_on)):
            return True
        if one.sort == "name" and two.sort == "end":
            return not _can_end(one.value, two.value, splits_on)
        if one.sort == "less" and two.sort == "more":
            return rank(one.value) <= rank(two.value)
    if a.sort == b.sort == "begin":
        return not (a.value.startswith(b.value) or b.value.startswith(a.value))
    if a.sort == b.sort == "end":
        return not (a.value.endswith(b.value) or b.value.endswith(a.value))
    return a.sort == b.sort == "name" and a.value != b.value


def _can_end(name: str, end: str, splits_on: str) -> bool:
    """Whether the last part of a path can be the name while the path ends with the other text."""
    if len(end) <= len(name):
        return name.endswith(end)
    before = end[len(end) - len(name) - 1]
    return end.endswith(name) and before in splits_on
