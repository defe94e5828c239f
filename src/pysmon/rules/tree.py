"""The rules of one event type as the engine walks them: every part still knows the element it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pysmon.config.model import EventFilter, Filter, Relation, Rule
from pysmon.rules.verdict import Verdict
from pysmon.schema.event import EventType

Hits: TypeAlias = int  # which checks of an event type hold for an event: bit n for the check with mask 1 << n
Outcome: TypeAlias = bool | None  # None: a value that was looked at is not known; the whole element then gives up


@dataclass(frozen=True, slots=True)
class Check:
    """One field condition at one place of the rules."""

    source: Filter
    field: str  # of the event
    mask: Hits  # one bit, its own within the event type; bits count in the order in which the engine looks
    fixed: bool | None  # the outcome, if it does not depend on the event
    must_know: bool  # of a number: if the event does not have it, the whole element gives up
    again: bool  # a later check of the same element, outside of any Rule, is on the same field


@dataclass(frozen=True, slots=True)
class Group:
    """A compound `<Rule>`: it counts as one entry of its element."""

    source: Rule
    checks: tuple[Check, ...]
    mask: Hits


@dataclass(frozen=True, slots=True)
class Element:
    """One event element of the configuration, compiled for one event type."""

    source: EventFilter
    entries: tuple[Check | Group, ...]
    mask: Hits

    @property
    def checks(self) -> list[Check]:
        """All its checks in the order of the document, those of Rules among them."""
        return [check for entry in self.entries for check in (entry.checks if isinstance(entry, Group) else (entry,))]


@dataclass(frozen=True, slots=True)
class EventRules:
    """All rules for one event type, in the order in which the engine asks them."""

    type: EventType
    elements: tuple[Element, ...]
    otherwise: bool  # keep the event if no element matches

    @property
    def checks(self) -> list[Check]:
        """All checks of all elements; check n has the mask 1 << n."""
        return [check for element in self.elements for check in element.checks]


def judge(rules: EventRules, hits: Hits, unknown: Hits = 0) -> Verdict:
    """The verdict on an event of which the checks `hits` hold and the checks `unknown` have no value to look at.

    The name is that of the last check that held and has one, among those that were looked at: also if it stood in an
    element that did not match in the end. If nothing matches there is no name.
    """
    element, name = deciding(rules, hits, unknown)
    return Verdict(rules.otherwise if element is None else element.source.onmatch == "include", name or "-")


def deciding(rules: EventRules, hits: Hits, unknown: Hits = 0) -> tuple[Element | None, str]:
    """The element that decides on such an event, and the name that comes of it; None if no element matches."""
    name = ""
    for element in rules.elements:
        if not hits & element.mask:
            continue  # no check holds: then the element does not match, and sets no name
        matched, name = walk_element(element, hits, unknown, name)
        if matched:
            return element, name
    return None, ""


def walk_element(element: Element, hits: Hits, unknown: Hits, name: str) -> tuple[Outcome, str]:
    """What an element comes to, and the name after looking at it (`name` is the one before)."""
    if element.source.relation is Relation.OR:
        return _walk_any(element.entries, hits, unknown, name)
    return _walk_all_fields(element.entries, hits, unknown, name)


def _walk_any(entries: tuple[Check | Group, ...], hits: Hits, unknown: Hits, name: str) -> tuple[Outcome, str]:
    for entry in entries:
        if (hits | unknown) & entry.mask:
            outcome, name = walk_entry(entry, hits, unknown, name)
            if outcome is not False:
                return outcome, name
    return False, name


def _walk_all_fields(entries: tuple[Check | Group, ...], hits: Hits, unknown: Hits, name: str) -> tuple[Outcome, str]:
    if not entries:
        return False, name
    settled = set()  # fields of which one check has held: their other checks are not looked at, so they set no name
    for entry in entries:
        if isinstance(entry, Check) and entry.field in settled:
            continue
        outcome, name = walk_entry(entry, hits, unknown, name)
        if isinstance(entry, Check):
            if outcome:
                settled.add(entry.field)
            elif outcome is False and entry.again:
                continue  # a later check on this field may still hold
        if not outcome:
            return outcome, name
    return True, name


def _walk_all_checks(checks: tuple[Check, ...], hits: Hits, unknown: Hits, name: str) -> tuple[Outcome, str]:
    for check in checks:
        outcome, name = walk_entry(check, hits, unknown, name)
        if not outcome:
            return outcome, name
    return True, name


def walk_entry(entry: Check | Group, hits: Hits, unknown: Hits, name: str) -> tuple[Outcome, str]:
    """The same of one entry of an element."""
    if isinstance(entry, Group):
        walk = _walk_any if entry.source.relation is Relation.OR else _walk_all_checks
        return walk(entry.checks, hits, unknown, name)
    if unknown & entry.mask:
        return None, name
    if hits & entry.mask:
        return True, entry.source.name or name
    return False, name
