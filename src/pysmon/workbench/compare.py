"""Two configurations on the same log: which events change sides, and the rule on each side that did it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from pysmon.rules.ruleset import Ruleset
from pysmon.rules.ruling import Key, Ruling
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sources.pieces import Piece
from pysmon.sources.source import Taken, Wanted
from pysmon.workbench.replay import Rules, Values, picked
from pysmon.workbench.tally import OBJECTS, actor_of

Turn = Literal["kept -> dropped", "dropped -> kept", "another RuleName", "same"]
TURNS: tuple[Turn, ...] = ("kept -> dropped", "dropped -> kept", "another RuleName")
_MOST_IMAGES = 200  # of events that changed between the same two rules
_LONGEST = 1000  # characters of a value of a sample


@dataclass(slots=True)
class Sample:
    """The first event of an image that changed, so that it can be found again, and how many of that image did.

    Its values are cut if they are very long.
    """

    log: str
    record_id: int
    time: int  # ns since 1970
    actor: str
    thing: str
    events: int = 1


@dataclass(slots=True)
class Pair:
    """Events on which one rule of the old and one of the new configuration decide."""

    events: int = 0
    samples: dict[object, Sample] = field(default_factory=dict)  # of those that changed, by their image

    def add(self, other: Pair) -> None:
        """Take over another count."""
        self.events += other.events
        for actor, sample in other.samples.items():
            known = self.samples.get(actor)
            if known is None:
                if len(self.samples) < _MOST_IMAGES:
                    self.samples[actor] = sample
                continue
            first = min(known, sample, key=lambda each: (each.time, each.record_id))
            self.samples[actor] = replace(first, events=known.events + sample.events)

    def telling(self, most: int) -> list[Sample]:
        """Some samples: of images with many events, and of those with the fewest, which are easily overlooked."""
        found = sorted(self.samples.values(), key=lambda each: (-each.events, each.log, each.time, each.record_id))
        rare = most // 2
        return found if len(found) <= most else [*found[: most - rare], *found[-rare:]] if rare else found[:most]


Comparison = dict[tuple[Key, Key], Pair]


def turn_of(old: Key, new: Key) -> Turn:
    """What it means for an event that these decide on it. The name of what is dropped is seen by nobody."""
    (*_, kept, name), (*_, keeps, names) = old, new
    if kept != keeps:
        return "kept -> dropped" if kept else "dropped -> kept"
    return "another RuleName" if kept and name != names else "same"


def together(parts: Iterable[Comparison]) -> Comparison:
    """What several processes found."""
    whole: Comparison = {}
    for part in parts:
        for key, pair in part.items():
            whole.setdefault(key, Pair()).add(pair)
    return whole


class _Slot(Pair):
    """A pair while it is counted."""

    __slots__ = ("changes",)

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self.changes = turn != "same"


@dataclass(slots=True, eq=False)
class _Plan:
    """How events of one id are judged."""

    old: Callable[[Values], Ruling]
    new: Callable[[Values], Ruling]
    of_old: Callable[[Values], Values]  # its values out of those that are taken
    of_new: Callable[[Values], Values]
    actor: int  # where among them the image is; -1: nowhere


class Compare:
    """The work of a comparison."""

    def __init__(self, old: Rules, new: Rules) -> None:
        """Nothing is counted yet."""
        self.wanted: Wanted = {number: _fields(old.ruleset, new.ruleset, number) for number in EVENTS}
        self._plans = {number: self._plan(old.ruleset, new.ruleset, number) for number in EVENTS}
        self._slots: dict[tuple[Ruling, Ruling], _Slot] = {}
        self._log = ""

    def begin(self, piece: Piece) -> None:
        """The rows that come now are those of this piece."""
        self._log = piece.name

    def take(self, rows: Iterator[Taken]) -> None:
        """Judge events under both, and count what came of it."""
        plans, slots = self._plans, self._slots
        for number, values, make in rows:
            plan = plans[number]
            pair = plan.old(plan.of_old(values)), plan.new(plan.of_new(values))
            slot = slots.get(pair)
            if slot is None:
                slot = slots[pair] = _Slot(turn_of(pair[0].key, pair[1].key))
            slot.events += 1
            if slot.changes:
                actor = values[plan.actor] if plan.actor >= 0 else None
                known = slot.samples.get(actor)
                if known is not None:
                    known.events += 1
                elif len(slot.samples) < _MOST_IMAGES:
                    slot.samples[actor] = _sample(self._log, make())

    def result(self) -> Comparison:
        """What came of all events."""
        return {(one.key, two.key): Pair(slot.events, slot.samples) for (one, two), slot in self._slots.items()}

    def _plan(self, old: Ruleset, new: Ruleset, number: int) -> _Plan:
        names = self.wanted[number]
        return _Plan(
            old.by_rule(number, _itself),
            new.by_rule(number, _itself),
            picked(names, old.by_values(number)[0]),
            picked(names, new.by_values(number)[0]),
            names.index(actor_of(number)) if actor_of(number) in names else -1,
        )


def _fields(old: Ruleset, new: Ruleset, number: int) -> tuple[str, ...]:
    read = dict.fromkeys((*old.by_values(number)[0], *new.by_values(number)[0]))
    if actor_of(number) and (old.wants(number) or new.wants(number)):
        read[actor_of(number)] = None
    return tuple(read)


def _itself(ruling: Ruling) -> Ruling:
    return ruling


def _sample(log: str, entry: Entry[Event]) -> Sample:
    event = entry.event
    actor, thing = (
        event.text(name)[:_LONGEST] if name else "-"
        for name in (actor_of(event.type.id), OBJECTS.get(event.type.id, ""))
    )
    return Sample(log, entry.record_id, entry.time, actor, thing)
