"""The walk of the rules for one event, written down: which conditions were looked at, and what came of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pysmon.config.model import Relation
from pysmon.rules.conditions import holds
from pysmon.rules.tree import Check, Element, EventRules, Group, Hits, Outcome
from pysmon.rules.verdict import Verdict
from pysmon.schema.event import Event


@dataclass(frozen=True, slots=True)
class CheckTrace:
    """One condition: what it comes to for the event (None: there is no value to look at), and whether it was asked."""

    check: Check
    value: str | None
    outcome: Outcome
    looked_at: bool


@dataclass(frozen=True, slots=True)
class GroupTrace:
    """One `<Rule>`; its outcome says something only if it was looked at."""

    group: Group
    outcome: Outcome
    looked_at: bool
    checks: tuple[CheckTrace, ...]


@dataclass(frozen=True, slots=True)
class ElementTrace:
    """One event element. It is not asked once another one has decided."""

    element: Element
    outcome: Outcome
    asked: bool
    entries: tuple[CheckTrace | GroupTrace, ...]

    @property
    def checks(self) -> list[CheckTrace]:
        """All its conditions in the order of the document, those of Rules among them."""
        return [
            check for entry in self.entries for check in (entry.checks if isinstance(entry, GroupTrace) else (entry,))
        ]


@dataclass(frozen=True, slots=True)
class Trace:
    """All elements in the order in which they are asked, and what came of it."""

    verdict: Verdict
    decided_by: Element | None  # None: none matched
    named_by: Check | None
    elements: tuple[ElementTrace, ...]
    hits: Hits  # the conditions that hold, asked or not
    unknown: Hits  # those that have no value to look at


def trace(rules: EventRules, event: Event, image_splits_on: str) -> Trace:
    """Walk the rules as the engine does, and remember the way."""
    outcomes = {check.mask: _outcome(check, event, image_splits_on) for check in rules.checks}
    walk = _Walk(outcomes)
    decided_by = next((element for element in rules.elements if walk.element(element)), None)
    name = walk.named_by.source.name if walk.named_by and decided_by else "-"
    keep = decided_by.source.onmatch == "include" if decided_by else rules.otherwise
    return Trace(
        Verdict(keep, name),
        decided_by,
        walk.named_by if decided_by else None,
        tuple(walk.told(element, event) for element in rules.elements),
        sum(mask for mask, outcome in outcomes.items() if outcome),
        sum(mask for mask, outcome in outcomes.items() if outcome is None),
    )


def _outcome(check: Check, event: Event, splits_on: str) -> Outcome:
    if check.fixed is not None:
        return check.fixed
    if check.must_know and getattr(event, check.field) is None:
        return None
    return holds(check.source.condition, check.source.value, event.text(check.field), splits_on)


class _Walk:
    """Goes from entry to entry as the engine does (facts 3.3) and notes the outcome of each by its mask."""

    def __init__(self, outcomes: Mapping[Hits, Outcome]) -> None:
        self.named_by: Check | None = None
        self._outcomes = outcomes
        self._seen: dict[tuple[type, Hits], Outcome] = {}
        self._asked: dict[int, Outcome] = {}  # by the id of the element: empty ones have no mask of their own

    def element(self, element: Element) -> Outcome:
        any_is_enough = element.source.relation is Relation.OR
        outcome = self._any(element.entries) if any_is_enough else self._all_fields(element)
        self._asked[id(element)] = outcome
        return outcome

    def _any(self, entries: tuple[Check | Group, ...]) -> Outcome:
        for entry in entries:
            outcome = self._entry(entry)
            if outcome is not False:
                return outcome
        return False

    def _all_fields(self, element: Element) -> Outcome:
        settled = set()
        for entry in element.entries:
            if isinstance(entry, Check) and entry.field in settled:
                continue
            outcome = self._entry(entry)
            if isinstance(entry, Check) and outcome:
                settled.add(entry.field)
            elif outcome is False and isinstance(entry, Check) and entry.again:
                continue
            if not outcome:
                return outcome
        return bool(element.entries)

    def _all(self, checks: tuple[Check, ...]) -> Outcome:
        for check in checks:
            outcome = self._entry(check)
            if not outcome:
                return outcome
        return True

    def _entry(self, entry: Check | Group) -> Outcome:
        if isinstance(entry, Group):
            outcome = self._any(entry.checks) if entry.source.relation is Relation.OR else self._all(entry.checks)
        else:
            outcome = self._outcomes[entry.mask]
            if outcome and entry.source.name:
                self.named_by = entry
        self._seen[type(entry), entry.mask] = outcome
        return outcome

    def told(self, element: Element, event: Event) -> ElementTrace:
        """What the walk knows of an element once it has ended."""
        asked = id(element) in self._asked
        entries = tuple(self._told(entry, event) for entry in element.entries)
        return ElementTrace(element, self._asked.get(id(element)), asked, entries)

    def _told(self, entry: Check | Group, event: Event) -> CheckTrace | GroupTrace:
        if isinstance(entry, Group):
            seen = (Group, entry.mask) in self._seen
            checks = tuple(self._check(check, event) for check in entry.checks)
            return GroupTrace(entry, self._seen.get((Group, entry.mask)), seen, checks)
        return self._check(entry, event)

    def _check(self, check: Check, event: Event) -> CheckTrace:
        outcome = self._outcomes[check.mask]
        known = outcome is not None and event.type.field(check.field) is not None
        value = event.text(check.field) if known else None
        return CheckTrace(check, value, outcome, (Check, check.mask) in self._seen)
