"""Why an event is kept or dropped, and which single condition would have turned the verdict round."""

from __future__ import annotations

from dataclasses import dataclass

from pysmon.rules.ruleset import Ruleset
from pysmon.rules.trace import Trace, trace
from pysmon.rules.tree import Check, Element, EventRules, judge
from pysmon.rules.verdict import Verdict
from pysmon.schema.event import Event


@dataclass(frozen=True, slots=True)
class Turn:
    """Had this one condition come out as `held`, and all others as they did, the verdict would have been another."""

    check: Check
    element: Element
    held: bool
    verdict: Verdict


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
    return Explanation(event, rules, found, tuple(_turns(rules, found)))


def _turns(rules: EventRules, found: Trace) -> list[Turn]:
    turns = []
    for element in rules.elements:
        for check in element.checks:
            if check.fixed is not None:
                continue
            for held in (True, False) if found.unknown & check.mask else (not found.hits & check.mask,):
                hits = found.hits | check.mask if held else found.hits & ~check.mask
                verdict = judge(rules, hits, found.unknown & ~check.mask)
                if verdict.keep != found.verdict.keep:
                    turns.append(Turn(check, element, held, verdict))
    return turns
