"""The rule engine: a configuration, compiled; an event in, a verdict out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

import pysmon.schema.catalogue  # noqa: F401 - fills EVENTS
from pysmon.config.model import Configuration
from pysmon.rules.comparisons import sorted_checks
from pysmon.rules.compile import compile_event
from pysmon.rules.conditions import IMAGE_SPLITS_ON
from pysmon.rules.field_checks import FieldChecks
from pysmon.rules.memo import FieldMemo, Found, FoundMemo, VerdictMemo
from pysmon.rules.path_checks import PATHS, PathChecks
from pysmon.rules.reach import can_keep
from pysmon.rules.ruling import Ruling, Rulings
from pysmon.rules.tree import Check, EventRules, Hits, judge
from pysmon.rules.verdict import Verdict
from pysmon.schema.event import EVENTS, Event, Field

_T = TypeVar("_T")
_Plan: TypeAlias = tuple[Callable[[Event], tuple[Any, ...]], VerdictMemo[Verdict]]


class Ruleset:
    """What a configuration does with every event. Safe to use from several threads.

    `rules` holds the compiled tree of every event type, by event id: what explains a verdict stands on it.
    """

    def __init__(self, rules: dict[int, EventRules], image_splits_on: str) -> None:
        """Make the fast path of each event type from its tree; `compile` is the usual way here."""
        self.rules = rules
        self.image_splits_on = image_splits_on
        self._reads = {number: frozenset(f.name for f in _fields(tree)) for number, tree in rules.items()}
        self._wants = {number: can_keep(tree) for number, tree in rules.items()}
        self._rulings: dict[int, Rulings] = {}
        self._plans = {tree.type.cls: _plan(tree, image_splits_on) for tree in rules.values()}

    @classmethod
    def compile(cls, configuration: Configuration | None, *, image_splits_on: str = IMAGE_SPLITS_ON) -> Ruleset:
        r"""The rules of a configuration; of None, what happens to events that no rule speaks of.

        `image_splits_on` are the characters that end a folder's name for the condition `image`. Sysmon knows only the
        backslash, also on Linux, where `image` is then the same as `is`: `image_splits_on="\\"` does as it does.
        """
        filters = configuration.filters if configuration else ()
        return cls({t.id: compile_event(t, filters, image_splits_on) for t in EVENTS.values()}, image_splits_on)

    def decide(self, event: Event) -> Verdict:
        """Whether to keep the event, and under which name."""
        values, verdicts = self._plans[type(event)]
        return verdicts[values(event)]

    def by_values(self, event_id: int) -> tuple[tuple[str, ...], Callable[[tuple[Any, ...]], Verdict]]:
        """What decides without an event: the fields to give the values of, in order, and the verdict by these values.

        For logs that are judged as they are read: of an event that is dropped nothing else needs to be known.
        """
        rules = self.rules[event_id]
        _, verdicts = self._plans[rules.type.cls]
        return tuple(f.name for f in _fields(rules)), verdicts.__getitem__

    def by_rule(self, event_id: int, stands_for: Callable[[Ruling], _T]) -> Callable[[tuple[Any, ...]], _T]:
        """What decides by the same values as `by_values`, more may follow, and gives what stands for the ruling.

        It looks up each value by itself, which is best where most events differ in one or another. `stands_for` is
        asked seldom, but again and again for the same ruling. What is given here remembers by itself: keep it.
        """
        rules, rulings = self.rules[event_id], self.rulings(event_id)
        always, (_, verdicts) = _always(rules), self._plans[rules.type.cls]
        found, known = verdicts.found, FoundMemo(lambda hits, no: stands_for(rulings.of(hits | always, no)))
        return lambda values: known[found(values)]

    def rulings(self, event_id: int) -> Rulings:
        """All ways in which the rules decide on events of that id, as far as it was asked for them."""
        return self._rulings.setdefault(event_id, Rulings(self.rules[event_id]))

    def reads(self, event_id: int) -> frozenset[str]:
        """The fields of that event whose values can change its verdict; no other needs to be known before."""
        return self._reads[event_id]

    def wants(self, event_id: int) -> bool:
        """False if it is certain that no event of that id is kept."""
        return self._wants[event_id]


def _fields(rules: EventRules) -> list[Field]:
    """The fields that the checks read, in the order of the schema."""
    read = {check.field for check in rules.checks if check.fixed is None}
    return [f for f in rules.type.fields if f.name in read]


def _plan(rules: EventRules, image_splits_on: str) -> _Plan:
    """The fast path of an event type: how to get the values that its checks read, and the verdicts by those values."""
    always = _always(rules)
    fields = _fields(rules)
    names = [f.name for f in fields]
    verdicts = VerdictMemo(
        tuple(_memo(rules, field, image_splits_on) for field in fields),
        lambda hits, unknown: judge(rules, hits | always, unknown),
    )
    return _values_of(names), verdicts


def _always(rules: EventRules) -> Hits:
    """The checks that hold whatever the event is."""
    return sum(check.mask for check in rules.checks if check.fixed)


def _values_of(names: list[str]) -> Callable[[Event], tuple[Any, ...]]:
    if not names:
        return lambda _event: ()
    if len(names) == 1:
        value = attrgetter(names[0])
        return lambda event: (value(event),)
    return attrgetter(*names)


def _memo(rules: EventRules, field: Field, image_splits_on: str) -> FieldMemo:
    own = [check for check in rules.checks if check.field == field.name and check.fixed is None]
    absent = Found(0, unknown=sum(check.mask for check in own)) if own[0].must_know else None
    return FieldMemo(field.kind.text, partial(_hits, field.name, own, image_splits_on), absent)


def _hits(field: str, checks: Collection[Check], image_splits_on: str) -> Callable[[str], Hits]:
    """From a text to which of the checks on a field of that name hold for it."""
    made = PathChecks if field in PATHS else FieldChecks
    return made(sorted_checks(checks, image_splits_on), image_splits_on).hits
