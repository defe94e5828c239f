"""A replay: every event of a log judged by a configuration, counted, and handed on if it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from pysmon.config.model import Configuration
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.ruling import Ruling
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sources.pieces import Piece
from pysmon.sources.source import Taken, Wanted
from pysmon.workbench.tally import (
    AGAIN,
    FIRST,
    MOST,
    OBJECTS,
    Account,
    Kept,
    Slot,
    actor_of,
    bearable,
    countable,
)

Values = tuple[Any, ...]
Keep = Callable[[Sequence[Entry[Event]]], None]
_BATCH = 500  # entries that are handed on at once


class Rules:
    """A configuration with its rules, compiled once. What goes to another process is the configuration."""

    def __init__(self, configuration: Configuration) -> None:
        """Compile it."""
        self.configuration = configuration
        self.ruleset = Ruleset.compile(configuration)

    def __reduce__(self) -> tuple[type[Rules], tuple[Configuration]]:
        """A ruleset cannot be sent, and need not."""
        return Rules, (self.configuration,)


class _Plan(NamedTuple):
    """How events of one id are judged and counted."""

    decide: Callable[[Values], Slot]  # by the first of the values
    actor: int  # where among the values the image is; -1: nowhere
    thing: int


def fields_taken(ruleset: Ruleset, event_id: int) -> tuple[str, ...]:
    """The fields that a replay takes of an event: first those that the rules read, then those that it counts by."""
    names, _ = ruleset.by_values(event_id)
    counted = dict.fromkeys(name for name in (actor_of(event_id), OBJECTS.get(event_id, "")) if name)
    return (*names, *(name for name in counted if name not in names and ruleset.wants(event_id)))


def picked(names: Sequence[str], wanted: Sequence[str]) -> Callable[[Values], Values]:
    """Some of the values, in their order."""
    at = [names.index(name) for name in wanted]
    if at == list(range(len(names))):
        return lambda values: values
    if len(at) == 1:
        return lambda values: (values[at[0]],)
    return itemgetter(*at) if at else lambda _values: ()


class Replay:
    """The work of a replay."""

    def __init__(self, rules: Rules, keep: Keep | None = None) -> None:
        """`keep` gets what is kept, in the order of the log, with the RuleName that the configuration gives it."""
        self._ruleset = rules.ruleset
        self._keep, self._held = keep, list[Entry[Event]]()
        self._first = FIRST
        self._slots: dict[Ruling, Slot] = {}
        self._account = Account()
        self._kept: dict[tuple[Slot, object, object], Kept] = {}
        self.wanted: Wanted = {number: fields_taken(self._ruleset, number) for number in EVENTS}
        self._plans = {number: self._plan(number) for number in EVENTS}

    def begin(self, piece: Piece) -> None:
        """The rows that come now are those of this piece."""
        self._first = AGAIN if piece.number else FIRST
        for slot in self._slots.values():
            slot.end_piece()

    def take(self, rows: Iterator[Taken]) -> None:
        """Judge events and count them. This is the path of each, and so it is flat."""
        plans, kept, days, first = self._plans, self._kept, self._account.days, self._first
        for number, values, make in rows:
            decide, actor, thing = plans[number]
            slot = decide(values)
            slot.left -= 1
            if not slot.left:
                days.see(slot.look(make(), first))
            if slot.keep:
                way = slot, values[actor] if actor >= 0 else None, values[thing] if thing >= 0 else None
                known = kept.get(way)
                if known is None:
                    self._new_way(way, values)
                else:
                    known.events += 1
                if self._keep is not None:
                    self._hold(slot, make())

    def result(self) -> Account:
        """What came of all events."""
        self._hand_on()
        self._account.weighed = {slot.ruling.key: slot.weighed for slot in self._slots.values()}
        self._empty_ways()
        return self._account

    def _plan(self, number: int) -> _Plan:
        names = list(self.wanted[number])
        actor, thing = (
            names.index(name) if name in names else -1 for name in (actor_of(number), OBJECTS.get(number, ""))
        )
        return _Plan(self._ruleset.by_rule(number, self._slot), actor, thing)

    def _slot(self, ruling: Ruling) -> Slot:
        if ruling not in self._slots:
            self._slots[ruling] = Slot(ruling)
        return self._slots[ruling]

    def _new_way(self, way: tuple[Slot, object, object], values: Values) -> None:
        slot, actor, thing = way
        way = slot, countable(actor), countable(thing)
        known = self._kept.get(way)
        if known is not None:
            known.events += 1
            return
        if len(self._kept) >= MOST:
            self._empty_ways()
        self._kept[way] = Kept(1, bearable(values))

    def _empty_ways(self) -> None:
        for (slot, actor, thing), kept in self._kept.items():
            self._account.kept.add((slot.ruling.key, actor, thing), kept)
        self._kept.clear()

    def _hold(self, slot: Slot, entry: Entry[Event]) -> None:
        if hasattr(entry.event, "RuleName"):
            entry.event.RuleName = slot.ruling.rule_name
        self._held.append(entry)
        if len(self._held) >= _BATCH:
            self._hand_on()

    def _hand_on(self) -> None:
        if self._keep is not None and self._held:
            self._keep(self._held)
            self._held = []
