"""Finds, among many cases, one that matches whatever a given case matches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pysmon.lint.logic import Meaning, implies
from pysmon.lint.scene import Case, Scene
from pysmon.rules.tree import Check

_MOST = 50  # cases without a text to find them by, that are tried for one case; the others are not seen


class Cover:
    """Cases in the order in which they were added. A configuration has thousands, so each is kept by a text.

    For a positive condition to follow from another, a text of it must stand in a text of the other. Negative conditions
    and comparisons by order have no such text: of these only the first are tried.
    """

    def __init__(self, scene: Scene) -> None:
        """Begin with none."""
        self._scene = scene
        self._by_text: dict[tuple[str, str], list[Case]] = defaultdict(list)  # by field and text
        self._lengths: dict[str, set[int]] = defaultdict(set)  # by field, those of its texts
        self._others: dict[str, list[Case]] = defaultdict(list)  # by field

    def add(self, case: Case) -> None:
        """Remember a case, unless it never matches, or always: those are told otherwise."""
        if self._dull(case):
            return
        for clause in case.clauses:
            texts = self._texts(clause)
            if texts:
                for field, text in texts:
                    self._by_text[field, text].append(case)
                    self._lengths[field].add(len(text))
                return  # all its clauses must follow, so one is enough to find it by
        self._others[case.clauses[0][0].field].append(case)

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
        meaning = self._meaning(check)
        return check.fixed is True or meaning.always or meaning.never

    def _texts(self, clause: tuple[Check, ...]) -> set[tuple[str, str]]:
        """One text for each way in which the clause can hold; nothing if there is a way without."""
        found = set()
        for check in clause:
            meaning = self._meaning(check)
            if meaning.negative:
                return set()
            for atom in meaning.atoms:
                if atom.sort in ("less", "more"):
                    return set()
                found.add((check.field, max(atom.values, key=len) if atom.values else atom.value))
        return found

    def _candidates(self, case: Case) -> Iterator[Case]:
        seen = set()
        for check in (check for clause in case.clauses for check in clause[:1]):  # of a clause, all must follow
            field = check.field
            for atom in self._meaning(check).atoms:
                for value in atom.values or (atom.value,):
                    for text in self._parts(field, value):
                        if (field, text) not in seen:
                            seen.add((field, text))
                            yield from self._by_text.get((field, text), ())
            yield from self._others[field][:_MOST]

    def _parts(self, field: str, value: str) -> Iterator[str]:
        """All parts of a value that are as long as some text."""
        for length in self._lengths[field]:
            for start in range(len(value) - length + 1):
                yield value[start : start + length]

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
