"""Ways from the bytes of a record to what becomes of it, written out for a kind of record and for some rules.

A way takes bytes and tells whether it took them; if not, all is as it was, and they go the long way (`flow.py`), with
the same outcome. All ways begin alike: the members that count are read, and a record that breaks off, or that somebody
waits for, is left alone.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias, cast

from pysmon.assemble.enrich import Enricher
from pysmon.compiled import compiled
from pysmon.layout.record import Record
from pysmon.layout.selection import head_of
from pysmon.pipeline.accounting import Accounting
from pysmon.pipeline.batch import Batch
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import Event
from pysmon.sensor.records import ASKS

Way: TypeAlias = Callable[[bytes], bool]

HEAD = ("cpu", "time", "start", "exec_id", "tgid")  # what every way reads
LEFT = "cpu & ASKS or tgid in batch.apart or (time >= batch.until and batch.is_due(time))"
_WHEN = (
    "when = batch.offset + time",
    "if when // 1_000_000 != batch.milli:",
    "    batch.tick(when)",
)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of record of which one event is made.

    What is made of what stands here as it stands in the function: names are members of the record, names from above,
    `data` for all its bytes, whose tails begin at `TAILS`, `batch`, and what the owner of the kind gives to `Taker`.
    """

    record: type[Record]
    members: tuple[str, ...]  # that are read, beside HEAD
    event: type[Event]
    values: Mapping[str, str]  # by field; others have their default, RuleName is of the verdict
    extra: str  # the facts that only JSON shows
    odd: tuple[str, ...] = ()  # if one of these holds, the record goes the long way
    needs: Mapping[str, str] = field(default_factory=dict)  # by name, in this order; it does too if one is nothing
    of_actor: frozenset[str] = frozenset()  # fields whose values `said.verdict` is by, where rules read no others
    is_news: str = ""  # if it is not, there is no event
    made: Mapping[str, str] = field(default_factory=dict)  # by names: from here on the record is taken
    beside: tuple[type[Event], ...] = ()  # other events of the record: where they are wanted it goes the long way
    is_more: str = ""  # asked of an event that is kept: if so, the record goes the long way after all

    def is_whole_of(self, ruleset: Ruleset, enricher: Enricher) -> bool:
        """Is that event all that may be made of the record, and all of the event told by what stands here?"""
        wanted = ruleset.wants(self.event.type.id) and not any(ruleset.wants(other.type.id) for other in self.beside)
        return wanted and enricher.is_plain(self.event)

    def is_judged_by_actor(self, reads: Iterable[str]) -> bool:
        """Is the verdict that of the actor, under rules that read these fields?"""
        return bool(self.of_actor) and self.of_actor.issuperset(reads)


def opening(record: type[Record], members: Iterable[str], odd: Iterable[str] = ()) -> list[str]:
    """How every way begins: members are read, by their own names and in the record's order, and many are left alone."""
    names = [name for name in record.layout.names if name in {*HEAD, *members}]
    return [
        "try:",
        f"    {', '.join(names)} = unpack(data)",
        "except error:",
        "    return False",
        f"if {' or '.join((*odd, LEFT))}:",
        "    return False",
    ]


def way_of(record: type[Record], members: Iterable[str], lines: Sequence[str], batch: Batch, **known: object) -> Way:
    """The way of these lines, which begin with the `opening` and may speak of what is `known`.

    ValueError if the record has no such member.
    """
    own = {"unpack": head_of(record, *HEAD, *members).unpack_from, "error": struct.error, "ASKS": ASKS}
    own |= {"TAILS": record.layout.head.size, "batch": batch}
    return cast("Way", compiled("take(data)", lines, members, **own, **known))


def event_lines(kind: Kind, reads: Sequence[str]) -> list[str]:
    """The way from a record of that kind to its event, under rules that read these fields of it."""
    values = {f.name: kind.values.get(f.name, repr(f.default)) for f in fields(kind.event) if f.name != "extra"}
    by_actor = kind.is_judged_by_actor(reads)
    lines = opening(kind.record, kind.members, kind.odd)
    for name, made in kind.needs.items():
        lines += [f"{name} = {made}", f"if not {name}:", "    return False"]
        if name == "said" and by_actor:
            lines += _judged("said.verdict")
    if kind.is_news:
        lines += [f"if not {kind.is_news}:", "    taker.again += 1", "    return True"]
    lines += [*(f"{names} = {made}" for names, made in kind.made.items()), *_WHEN]
    if not by_actor:
        lines += _judged(f"judge(({''.join(f'{values[name]}, ' for name in reads)}))")
    if kind.is_more:
        lines += [f"if {kind.is_more}:", "    return False"]
    return [
        *lines,
        "event = new(cls)",
        *_filled(values | {"RuleName": "verdict.rule_name", "extra": kind.extra}),
        "batch.keep_event(event)",
        "batch.keep_time(when)",
        "taker.kept += 1",
        "return True",
    ]


def _judged(verdict: str) -> list[str]:
    return [f"verdict = {verdict}", "if not verdict.keep:", "    taker.dropped += 1", "    return True"]


def _filled(values: Mapping[str, str]) -> list[str]:
    """One line for each value, whatever fields have it."""
    having: dict[str, list[str]] = {}
    for name, value in values.items():
        having.setdefault(value, []).append(f"event.{name} = ")
    return [f"{''.join(places)}{value}" for value, places in having.items()]


class Taker:
    """Takes records of one kind under some rules, and counts what becomes of them."""

    __slots__ = ("_by_actor", "_event", "again", "dropped", "kept", "record", "way")

    def __init__(self, kind: Kind, ruleset: Ruleset, batch: Batch, known: Mapping[str, Any]) -> None:
        """`known` is what the kind speaks of, beside the record."""
        self.record, self._event = kind.record.layout.kind, kind.event.type.id
        self.kept = self.dropped = self.again = 0  # since they were counted
        reads, judge = ruleset.by_values(self._event)
        self._by_actor = kind.is_judged_by_actor(reads)
        own = {"taker": self, "judge": judge, "new": object.__new__, "cls": kind.event}  # `new`: a call without names
        self.way = way_of(kind.record, kind.members, event_lines(kind, reads), batch, **own, **known)

    def beside(self, drops: Way | None) -> Way:
        """Its own way and that of who takes what is dropped: first the one that drops at less cost."""
        if drops is None:
            return self.way
        first, then = (self.way, drops) if self._by_actor else (drops, self.way)
        return lambda data: first(data) or then(data)

    def count(self, books: Accounting) -> None:
        """Enter what was taken since the last call."""
        books.records_kept[self.record] += self.kept
        books.events_kept[self._event] += self.kept
        books.records_filtered[self.record] += self.dropped + self.again
        books.events_filtered[self._event] += self.dropped
        self.kept = self.dropped = self.again = 0
