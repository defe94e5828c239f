"""Why an event is kept or dropped, and which single condition would have turned the verdict round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pysmon.config.model import Relation
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.trace import Trace, trace
from pysmon.rules.tree import Check, Element, EventRules, Group, judge
from pysmon.rules.verdict import Verdict
from pysmon.schema.event import Event


@dataclass(frozen=True, slots=True)
class Turn:
    """Had this one condition come out as `held`, and all others as they did, the verdict would have been the other."""

    check: Check
    element: Element
    held: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict on an event with the whole way to it."""

    event: Event
    rules: EventRules
    trace: Trace
    turns: tuple[Turn, ...]  # in the order in which the engine asks; conditions that it did not look at among them

    @property
    def kept_without_excludes(self) -> bool:
        """Whether it would be kept if no exclude of the configuration matched it."""
        elements = self.rules.elements
        excludes = sum(element.mask for element in elements if element.source.onmatch == "exclude")
        return judge(self.rules, self.trace.hits & ~excludes, self.trace.unknown & ~excludes).keep

    @property
    def verdict(self) -> Verdict:
        """What `Ruleset.decide` says of the event."""
        return self.trace.verdict


def explain(ruleset: Ruleset, event: Event) -> Explanation:
    """Walk the rules for the event, write down the way, and try every condition the other way round.

    A condition whose outcome does not depend on the event (on RuleName, or on a field that this event of a series
    does not have at that place) cannot come out otherwise and is not tried.
    """
    rules = ruleset.rules[event.type.id]
    found = trace(rules, event, ruleset.image_splits_on)
    return Explanation(event, rules, found, tuple(_Turns(rules, found).all()))


class _Turns:
    """Tries conditions. A verdict costs time with the number of rules, so what is certain is not tried one by one."""

    def __init__(self, rules: EventRules, found: Trace) -> None:
        self._rules = rules
        self._found = found

    def all(self) -> Iterator[Turn]:
        for element in self._rules.elements:
            alike: bool | None = None  # what any condition that is enough for the element would do, were it to hold
            for entry in element.entries:
                for check in entry.checks if isinstance(entry, Group) else (entry,):
                    if check.fixed is not None:
                        continue
                    if self._is_enough(element, entry, check):
                        alike = self._turns(check, held=True) if alike is None else alike
                        if alike:
                            yield Turn(check, element, True)
                    elif not self._changes_nothing(entry, check):
                        yield from self._tried(element, check)

    def _is_enough(self, element: Element, entry: Check | Group, check: Check) -> bool:
        """Whether it does not hold, and alone would make the element match."""
        hits, unknown = self._found.hits, self._found.unknown
        if element.source.relation is Relation.AND or unknown & element.mask or hits & check.mask:
            return False
        return isinstance(entry, Check) or entry.source.relation is Relation.OR

    def _changes_nothing(self, entry: Check | Group, check: Check) -> bool:
        """Whether it stands in a Rule that another condition keeps from matching, whatever this one says."""
        if isinstance(entry, Check) or entry.source.relation is Relation.OR or self._found.unknown & entry.mask:
            return False
        return bool(entry.mask & ~self._found.hits & ~check.mask)

    def _tried(self, element: Element, check: Check) -> Iterator[Turn]:
        both_ways = self._found.unknown & check.mask
        for held in (True, False) if both_ways else (not self._found.hits & check.mask,):
            if self._turns(check, held=held):
                yield Turn(check, element, held)

    def _turns(self, check: Check, *, held: bool) -> bool:
        hits = self._found.hits | check.mask if held else self._found.hits & ~check.mask
        return judge(self._rules, hits, self._found.unknown & ~check.mask).keep != self._found.verdict.keep
