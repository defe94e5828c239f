"""The rules of an event in one form for all that do the same: what is equal here decides equally, names of what is
kept included. Two that do the same may still differ here; then a difference is told that makes none.

What the engine does (facts 3.3) that order can matter for, and what is left in order therefore:
* the name is that of the last condition that held, also if it stood in a Rule or an element that did not match then;
* a number that is not known ends the element in which it is looked at.
Names of excludes matter only if they can be left over when an include matches that has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from pysmon.config.model import Condition, Relation
from pysmon.rules.conditions import fold, items, needles, splits
from pysmon.rules.reach import can_keep
from pysmon.rules.tree import Check, Element, EventRules, Group

Form: TypeAlias = tuple[Any, ...]
_SINGLE = {
    Condition.IS_ANY: Condition.IS,
    Condition.CONTAINS_ANY: Condition.CONTAINS,
    Condition.CONTAINS_ALL: Condition.CONTAINS,
    Condition.EXCLUDES_ANY: Condition.EXCLUDES,
    Condition.EXCLUDES_ALL: Condition.EXCLUDES,
}


def canonical(rules: EventRules, splits_on: str) -> Form:
    """The form of the rules of one event type."""
    if not can_keep(rules):
        return ("drops everything",)
    return _Canon(rules, splits_on).form()


def condition_form(condition: Condition, value: str, splits_on: str) -> Form:
    """A condition, the same for all that hold for the same texts."""
    value = fold(value)
    if condition is Condition.IMAGE and splits(value, splits_on):
        condition = Condition.IS
    if condition not in _SINGLE:
        return condition.value, value
    if ";" not in value:
        return _SINGLE[condition].value, value
    parts = items(value) if condition is Condition.IS_ANY else needles(value)
    return condition.value, *sorted(set(parts))


class _Canon:
    """Makes the form of one event type."""

    def __init__(self, rules: EventRules, splits_on: str) -> None:
        self._rules, self._splits_on = rules, splits_on
        includes = [e for e in rules.elements if e.source.onmatch == "include"]
        self._leaky = any(not check.source.name for element in includes for check in element.checks)

    def form(self) -> Form:
        excludes = [e for e in self._rules.elements if e.source.onmatch == "exclude"]
        includes = [e for e in self._rules.elements if e.source.onmatch == "include"]
        named = self._leaky and any(_leaves_names(element) for element in excludes)
        if not named:
            excludes.sort(key=_can_give_up)  # in whatever order they are asked
        dropping = self._blocks(excludes, named=named)
        if not named:
            dropping.sort(key=repr)
        return self._rules.otherwise, tuple(dropping), tuple(self._blocks(includes, named=True))

    def _blocks(self, elements: list[Element], *, named: bool) -> list[Form]:
        """Elements in the order in which they are asked; neighbours that nothing can end early are one."""
        blocks: list[Form] = []
        together: list[Form] = []
        for element in elements:
            if _can_give_up(element):
                blocks += self._block(together, named)
                together = []
                blocks += self._alone(element, named)
            else:
                together += self._entries(element, named)
        return blocks + self._block(together, named)

    def _block(self, entries: list[Form], named: bool) -> list[Form]:
        """Entries of which any is enough, the first that matches first."""
        distinct = list(dict.fromkeys(entries))
        if not distinct:
            return []
        if not named or self._is_unordered(distinct):
            distinct.sort(key=repr)
        return [("any", *distinct)]

    def _is_unordered(self, entries: list[Form]) -> bool:
        names = {name for entry in entries for name in _names(entry)}
        partly = any(entry[0] != "one" for entry in entries)
        return len(names) == 1 and (names == {""} or not partly or not self._leaky)

    def _alone(self, element: Element, named: bool) -> list[Form]:
        """An element in which a number may be looked at that is not known."""
        if _joins_any(element):
            entries = [self._entry(entry, named) for entry in element.entries]
            return [("ordered", *dict.fromkeys(entries))] if entries else []
        return [self._all(element, named)]

    def _entries(self, element: Element, named: bool) -> list[Form]:
        """An element as entries of which any is enough."""
        if not element.entries:
            return []
        if not _joins_any(element):
            return [self._all(element, named)]
        found: list[Form] = []
        for entry in element.entries:
            if isinstance(entry, Group) and (entry.source.relation is Relation.OR or len(entry.checks) == 1):
                found += [self._check(check, named) for check in entry.checks if check.fixed is not False]
            elif not (isinstance(entry, Check) and entry.fixed is False):
                found.append(self._entry(entry, named))
        return found

    def _entry(self, entry: Check | Group, named: bool) -> Form:
        if isinstance(entry, Check):
            return self._check(entry, named)
        checks = [self._check(check, named) for check in entry.checks]
        if entry.source.relation is Relation.OR:
            return ("some", *checks)
        return ("each", *self._arranged(checks, named))

    def _all(self, element: Element, named: bool) -> Form:
        """An element that joins its entries with "and": the conditions on one field are alternatives."""
        plain = [entry for entry in element.entries if isinstance(entry, Check)]
        if len(plain) == len(element.entries) and len({check.field for check in plain}) == len(plain):
            return ("each", *self._arranged([self._check(check, named) for check in plain], named))
        return ("all", *self._arranged([self._entry(entry, named) for entry in element.entries], named))

    def _arranged(self, entries: list[Form], named: bool) -> list[Form]:
        """Entries that must all match, in order if that can matter for a name."""
        names = {name for entry in entries for name in _names(entry)}
        if not named or names == {""} or (len(names) == 1 and not self._leaky):
            return sorted(dict.fromkeys(entries), key=repr)
        return entries

    def _check(self, check: Check, named: bool) -> Form:
        name = check.source.name if named else ""
        if check.fixed is not None:
            return "one", name, check.field, check.fixed
        form = condition_form(check.source.condition, check.source.value, self._splits_on)
        return "one", name, check.field, *form


def _names(entry: Form) -> Iterable[str]:
    if entry[0] == "one":
        return (entry[1],)
    return [name for inner in entry[1:] for name in _names(inner)]


def _joins_any(element: Element) -> bool:
    """Whether one entry is enough: also if there is only one, or all are conditions on one field."""
    fields = {entry.field for entry in element.entries if isinstance(entry, Check)}
    plain = all(isinstance(entry, Check) for entry in element.entries)
    return element.source.relation is Relation.OR or len(element.entries) == 1 or (plain and len(fields) == 1)


def _can_give_up(element: Element) -> bool:
    return any(check.must_know and check.fixed is None for check in element.checks)


def _leaves_names(element: Element) -> bool:
    """Whether it can set a name and then not match."""
    if not any(check.source.name for check in element.checks):
        return False
    if not _joins_any(element) or _can_give_up(element):
        return True
    return any(
        isinstance(entry, Group) and entry.source.relation is Relation.AND and len(entry.checks) > 1
        for entry in element.entries
    )
