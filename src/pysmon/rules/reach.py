"""What rules can do at all, whatever the event holds: the ground of `Ruleset.wants`."""

from __future__ import annotations

from pysmon.config.model import Relation
from pysmon.rules.tree import Check, Element, EventRules, Group


def can_keep(rules: EventRules) -> bool:
    """False if it is certain that the rules keep no event of the type."""
    for element in rules.elements:
        if element.source.onmatch == "include" and may_match(element):
            return True
        if must_match(element):
            return False  # an exclude that matches all; includes are returned above
    return rules.otherwise


def may_match(element: Element) -> bool:
    """False if it is certain that the element matches no event. Tests are taken as independent of each other."""
    return _holds(element, assumed=True)


def must_match(element: Element) -> bool:
    """True if it is certain that the element matches every event."""
    return _holds(element, assumed=False) and not any(c.must_know and c.fixed is None for c in element.checks)


def _holds(element: Element, *, assumed: bool) -> bool:
    """Whether the element matches if every check that depends on the event comes out as `assumed`."""
    if element.source.relation is Relation.OR:
        return any(_entry(entry, assumed) for entry in element.entries)
    fields: dict[str, list[bool]] = {}
    for entry in element.entries:
        if isinstance(entry, Check):
            fields.setdefault(entry.field, []).append(_entry(entry, assumed))
    groups = [_entry(entry, assumed) for entry in element.entries if isinstance(entry, Group)]
    return bool(element.entries) and all(any(checks) for checks in fields.values()) and all(groups)


def _entry(entry: Check | Group, assumed: bool) -> bool:
    if isinstance(entry, Check):
        return assumed if entry.fixed is None else entry.fixed
    combine = any if entry.source.relation is Relation.OR else all
    return combine(_entry(check, assumed) for check in entry.checks)
