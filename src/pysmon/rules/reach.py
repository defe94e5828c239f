"""What rules can do at all, whatever the event holds, or whatever else it holds than what is known of it.

The ground of `Ruleset.wants`, and of what the kernel may drop (`approve`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeAlias

from pysmon.config.model import Relation
from pysmon.rules.tree import Check, Element, EventRules, Group, Outcome

Known: TypeAlias = Callable[[Check], Outcome]  # the outcome of a check, or None if it depends on what is not known


def fixed(check: Check) -> Outcome:
    """What is known without an event."""
    return check.fixed


def can_keep(rules: EventRules, known: Known = fixed, present: Collection[str] = ()) -> bool:
    """False if it is certain that the rules keep no event of the type of which that is known.

    `present`: numbers that every such event has, whatever they are.
    """
    for element in rules.elements:
        if element.source.onmatch == "include" and may_match(element, known):
            return True
        if must_match(element, known, present):
            return False  # an exclude that matches all; includes are returned above
    return rules.otherwise


def may_match(element: Element, known: Known = fixed) -> bool:
    """False if it is certain that the element matches no event. Tests are taken as independent of each other."""
    return _holds(element, known, assumed=True)


def must_match(element: Element, known: Known = fixed, present: Collection[str] = ()) -> bool:
    """True if it is certain that the element matches every event that has the numbers `present`."""
    needed = (check for check in element.checks if check.must_know and check.field not in present)
    return _holds(element, known, assumed=False) and all(known(check) is not None for check in needed)


def _holds(element: Element, known: Known, *, assumed: bool) -> bool:
    """Whether the element matches if every check whose outcome is not known comes out as `assumed`."""
    if element.source.relation is Relation.OR:
        return any(_entry(entry, known, assumed) for entry in element.entries)
    fields: dict[str, list[bool]] = {}
    for entry in element.entries:
        if isinstance(entry, Check):
            fields.setdefault(entry.field, []).append(_entry(entry, known, assumed))
    groups = [_entry(entry, known, assumed) for entry in element.entries if isinstance(entry, Group)]
    return bool(element.entries) and all(any(checks) for checks in fields.values()) and all(groups)


def _entry(entry: Check | Group, known: Known, assumed: bool) -> bool:
    if isinstance(entry, Check):
        outcome = known(entry)
        return assumed if outcome is None else outcome
    combine = any if entry.source.relation is Relation.OR else all
    return combine(_entry(check, known, assumed) for check in entry.checks)
