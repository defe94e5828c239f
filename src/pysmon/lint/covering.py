"""Finds, among many cases, one that matches whatever a given case matches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pysmon.lint.logic import Meaning, implies
from pysmon.lint.scene import Case, Scene
from pysmon.rules.tree import Check


class Cover:
    """Cases in the order in which they were added. A configuration has thousands: single conditions are kept by text.

    For one positive condition to follow from another, a text of it must stand in every text of the other; only
    negative conditions and comparisons by order are tried one by one.
    """

    def __init__(self, scene: Scene) -> None:
        """Begin with none."""
        self._scene = scene
        self._whole: list[Case] = []  # of several conditions
        self._texts: dict[str, list[tuple[str, Case]]] = defaultdict(list)  # by field: a text that must be there
        self._exact: dict[tuple[str, str], list[Case]] = defaultdict(list)  # `is`, by field and text
        self._other: dict[str, list[Case]] = defaultdict(list)  # by field

    def add(self, case: Case) -> None:
        """Remember a case, unless it never matches, or always: those are told otherwise."""
        if self._dull(case):
            return
        if len(case.clauses) > 1 or len(case.clauses[0]) > 1:
            self._whole.append(case)
            return
        check = case.clauses[0][0]
        meaning = self._scene.meaning(check.source)
        if meaning.negative or any(atom.sort in ("less", "more", "all") for atom in meaning.atoms):
            self._other[check.field].append(case)
            return
        for atom in meaning.atoms:
            if atom.sort == "is":
                self._exact[check.field, atom.value].append(case)
            else:
                self._texts[check.field].append((atom.value, case))

    def of(self, case: Case, names: set[str] | None = None) -> Case | None:
        """The first case that covers this one; with `names`, one that gives no other names."""
        if self._dull(case):
            return None
        for candidate in self._candidates(case):
            if (names is None or candidate.names == names) and self._covers(candidate, case):
                return candidate
        return None

    def _dull(self, case: Case) -> bool:
        checks = [check for clause in case.clauses for check in clause]
        return not checks or any(self._fixed(check) for check in checks)

    def _fixed(self, check: Check) -> bool:
        meaning = self._scene.meaning(check.source)
        return check.fixed is True or meaning.always or meaning.never

    def _candidates(self, case: Case) -> Iterator[Case]:
        for clause in case.clauses:
            for check in clause[:1]:  # all of a clause must follow, so the first of it is enough to find candidates
                yield from self._other[check.field]
                for atom in self._scene.meaning(check.source).atoms:
                    for value in atom.values or (atom.value,):
                        yield from self._exact.get((check.field, value), ())
                        yield from (c for text, c in self._texts[check.field] if text in value)
        yield from self._whole

    def _covers(self, broad: Case, narrow: Case) -> bool:
        return all(any(self._follows(given, wanted) for given in narrow.clauses) for wanted in broad.clauses)

    def _follows(self, given: tuple[Check, ...], wanted: tuple[Check, ...]) -> bool:
        """Whether some condition of a clause holds wherever one of another does."""
        return all(any(self._implies(one, two) for two in wanted) for one in given)

    def _implies(self, one: Check, two: Check) -> bool:
        if one.fixed is False:
            return True
        if two.fixed is not None or one.field != two.field:
            return bool(two.fixed)
        return implies(self._meaning(one), self._meaning(two))

    def _meaning(self, check: Check) -> Meaning:
        return self._scene.meaning(check.source)
