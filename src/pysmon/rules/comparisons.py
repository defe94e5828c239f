"""The checks on one field, sorted by how they compare, so that equal texts are compared with once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import chain
from operator import or_
from typing import TypeAlias

from pysmon.config.model import Condition
from pysmon.rules.conditions import NEGATED, fold, items, needles, rank, splits
from pysmon.rules.tree import Check, Hits

ByText: TypeAlias = dict[str, Hits]  # a text in lower case, and the checks that hold if the comparison with it does
_none = partial(defaultdict[str, Hits], int)


@dataclass(frozen=True, slots=True)
class Comparisons:
    """What a value is compared with, and the checks that then hold. Negative checks are there as positive ones."""

    equal: ByText = field(default_factory=_none)
    names: ByText = field(default_factory=_none)  # what follows the last folder
    beginnings: ByText = field(default_factory=_none)
    ends: ByText = field(default_factory=_none)
    parts: ByText = field(default_factory=_none)
    together: dict[tuple[str, ...], Hits] = field(default_factory=partial(defaultdict, int))  # all of these parts
    ranks: dict[tuple[bytes, bool], Hits] = field(default_factory=partial(defaultdict, int))  # True: less than it
    negative: Hits = 0  # the checks that hold if their comparison does not

    @property
    def tables(self) -> tuple[ByText, ...]:
        """Those by a single text."""
        return self.equal, self.names, self.beginnings, self.ends, self.parts

    @property
    def masks(self) -> Hits:
        """All checks that may hold."""
        several = (self.together.values(), self.ranks.values())
        return reduce(or_, chain(*(table.values() for table in self.tables), *several), 0)


def sorted_checks(checks: Collection[Check], image_splits_on: str) -> Comparisons:
    """The comparisons of some checks. Those with a fixed outcome have no place here."""
    made = Comparisons(negative=sum(check.mask for check in checks if check.source.condition in NEGATED))
    for check in checks:
        condition = NEGATED.get(check.source.condition, check.source.condition)
        value, mask = fold(check.source.value), check.mask
        if condition is Condition.IS or (condition is Condition.IMAGE and splits(value, image_splits_on)):
            made.equal[value] |= mask
        elif condition is Condition.IMAGE:
            made.names[value] |= mask
        elif condition is Condition.IS_ANY:
            for item in items(value):
                made.equal[item] |= mask
        elif condition is Condition.CONTAINS:
            made.parts[value] |= mask
        elif condition is Condition.CONTAINS_ANY:
            for needle in needles(value):
                made.parts[needle] |= mask
        elif condition is Condition.CONTAINS_ALL:
            made.together[tuple(needles(value))] |= mask
        elif condition is Condition.BEGIN_WITH:
            made.beginnings[value] |= mask
        elif condition is Condition.END_WITH:
            made.ends[value] |= mask
        else:
            made.ranks[rank(value), condition is Condition.LESS_THAN] |= mask
    return made
