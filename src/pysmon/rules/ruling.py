"""Which rule stands behind a verdict: what a log is counted by when it is judged as a whole."""

from __future__ import annotations

from pysmon.config.model import EventFilter, Filter, Relation, Rule
from pysmon.rules.tree import Check, Element, EventRules, Group, Hits, deciding, walk_entry
from pysmon.rules.verdict import Verdict

Key = tuple[int, int, int, bool, str]  # event id, numbers of element and entry (-1: none), keep, RuleName


class Ruling:
    """A verdict and what decided it. There is one object for each way to decide, which hashes by its identity."""

    __slots__ = ("by", "event_id", "keep", "key", "rule_name")

    def __init__(self, key: Key, by: Filter | Rule | EventFilter | None) -> None:
        """`by` is the condition or the Rule that decided, the whole element if it joins with "and", or None."""
        self.key = key
        self.event_id, _, _, self.keep, self.rule_name = key
        self.by = by

    @property
    def verdict(self) -> Verdict:
        """What `Ruleset.decide` says."""
        return Verdict(self.keep, self.rule_name)


class Rulings:
    """The rulings of one event type, each made once."""

    def __init__(self, rules: EventRules) -> None:
        """None is made yet."""
        self._rules = rules
        self._known: dict[Key, Ruling] = {}

    def of(self, hits: Hits, unknown: Hits) -> Ruling:
        """The ruling on an event of which these checks hold, and these have no value to look at."""
        rules = self._rules
        element, name = deciding(rules, hits, unknown)
        if element is None:
            return self.by_key((rules.type.id, -1, -1, rules.otherwise, "-"))
        at = _entry(element, hits, unknown)
        number = next(n for n, each in enumerate(rules.elements) if each is element)
        return self.by_key((rules.type.id, number, at, element.source.onmatch == "include", name or "-"))

    def by_key(self, key: Key) -> Ruling:
        """The one with that key, which may come from another process that has the same configuration."""
        known = self._known.get(key)
        if known is None:
            known = self._known.setdefault(key, Ruling(key, self._source(key)))
        return known

    def _source(self, key: Key) -> Filter | Rule | EventFilter | None:
        _, number, at, _, _ = key
        if number < 0:
            return None
        element = self._rules.elements[number]
        entry: Check | Group | Element = element if at < 0 else element.entries[at]
        return entry.source


def _entry(element: Element, hits: Hits, unknown: Hits) -> int:
    """Which entry of an element that matches is the one that did; -1 if it took all of them."""
    if element.source.relation is not Relation.OR:
        return -1
    return next(n for n, entry in enumerate(element.entries) if walk_entry(entry, hits, unknown, "")[0])
