"""Excludes that would make a log smaller: what each saves and hides, judged with the exclude in its place."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, NamedTuple

from pysmon.config.model import Condition, Configuration, EventFilter, Filter, Relation, Rule
from pysmon.config.write import quoted, text
from pysmon.errors import Place
from pysmon.rules.compile import compile_event
from pysmon.rules.conditions import fold
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.ruling import Ruling
from pysmon.schema.event import EVENTS
from pysmon.schema.lookup import by_tag
from pysmon.schema.version import SchemaVersion
from pysmon.workbench.replay import Rules, fields_taken, picked
from pysmon.workbench.tally import OBJECTS, Account, Count, Kept, Way, actor_of

_LEAST_SHARE = 0.01  # of what is kept, that an exclude has to save
_LEAST = 2  # events
_MOSTLY = 0.8  # of the events of an image: so many with one object, and the exclude asks for both
_CANDIDATES = 250  # wishes that are looked at for each suggestion: no more can save a hundredth
_SHOWN = 3  # objects of what would be hidden
_IN_XML = re.compile("[ -\ud7ff\ue000-\ufffd]*")
_GROUPS = SchemaVersion(4, 20)  # the first with RuleGroup and Rule
_Spot = Literal["into", "instead", "behind"]


class _Wish(NamedTuple):
    """What to exclude of a tag: an image, an object, or both together, as the rules compare them. None: any."""

    tag: str
    actor: str | None
    thing: str | None


@dataclass(slots=True)
class _Row:
    """A way to be kept, with image and object as the rules compare them; None if they cannot be asked for."""

    way: Way
    kept: Kept
    tag: str
    actor: str | None
    thing: str | None


class _Rows:
    """The ways to be kept, found again by what they have in common."""

    def __init__(self, ways: dict[Way, Kept]) -> None:
        usable = cache(_usable)
        self._of: dict[_Wish, list[_Row]] = defaultdict(list)
        self._left: Counter[_Wish] = Counter()
        self._covered: set[int] = set()
        for way, kept in ways.items():
            (number, *_), actor, thing = way
            row = _Row(way, kept, EVENTS[number].tag, usable(actor), usable(thing))
            for wish in _wide(row):
                self._of[wish].append(row)
                self._left[wish] += kept.events
        self.total = sum(kept.events for kept in ways.values())

    def of(self, wish: _Wish) -> list[_Row]:
        """All that fit a wish."""
        if wish.actor is None or wish.thing is None:
            return self._of[wish]
        return [row for row in self._of[wish._replace(thing=None)] if row.thing == wish.thing]

    def cover(self, wish: _Wish) -> None:
        """These need not be saved any more."""
        for row in self.of(wish):
            if id(row) not in self._covered:
                self._covered.add(id(row))
                self._left.subtract(dict.fromkeys(_wide(row), row.kept.events))

    def best(self, tried: set[_Wish], least: float, *, narrow: bool) -> _Wish | None:
        """The wish that most of what is left fits; if `narrow`, one for both things where nearly all have both."""
        for wish, events in self._left.most_common(_CANDIDATES + len(tried)):
            if events < least:
                return None
            found = self._narrowed(wish, events) if narrow else wish
            if found not in tried:
                return found
        return None

    def _narrowed(self, wish: _Wish, events: int) -> _Wish:
        pairs: Counter[_Wish] = Counter()
        for row in self._of[wish]:
            if row.actor is not None and row.thing is not None and id(row) not in self._covered:
                pairs[_Wish(row.tag, row.actor, row.thing)] += row.kept.events
        ((pair, most),) = pairs.most_common(1) or [(wish, 0)]
        return pair if most >= _MOSTLY * events else wish


def _wide(row: _Row) -> list[_Wish]:
    wishes = []
    if row.tag and row.actor is not None:
        wishes.append(_Wish(row.tag, row.actor, None))
    if row.tag and row.thing is not None:
        wishes.append(_Wish(row.tag, None, row.thing))
    return wishes


def _usable(value: object) -> str | None:
    """A value as the rules compare it; None if it says nothing, or cannot stand in XML."""
    if not isinstance(value, str) or value in ("", "-"):
        return None
    return fold(value) if _IN_XML.fullmatch(value) else None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An exclude to paste. What it saves are events that are kept now; each counts for every suggestion it fits."""

    tag: str
    fields: tuple[tuple[str, str], ...]  # with the values that they must have
    xml: str
    spot: _Spot  # where it goes: as the first into an element, instead of it, or behind all of them
    place: Place | None  # of that element
    configuration: Configuration  # with it
    saves: Count
    hides: tuple[tuple[Ruling, int], ...]  # the rules that keep those events now, with how many
    things: tuple[tuple[str, int], ...]  # objects that would be seen no more: the most frequent, and the rarest
    different: int  # how many objects those are
    exact: bool  # False: it saves and hides more than what could be counted one by one


def suggestions(rules: Rules, account: Account, most: int = 10) -> Iterator[Suggestion]:
    """The excludes that save most, each besides those before it; none that saves less than a hundredth of what is kept.

    An event is said to be saved if the configuration with the exclude in it drops it: that is judged, not concluded.
    """
    rows = _Rows(account.kept.ways)
    least = max(rows.total * _LEAST_SHARE, _LEAST)
    narrow = rules.configuration.schema_version >= _GROUPS
    tried: set[_Wish] = set()
    found = 0
    while found < most and (wish := rows.best(tried, least, narrow=narrow)):
        tried.add(wish)
        made = _suggestion(rules, account, wish, rows.of(wish))
        if made is not None:
            found += 1
            rows.cover(wish)
            yield made


def _suggestion(rules: Rules, account: Account, wish: _Wish, rows: list[_Row]) -> Suggestion | None:
    asked = _asked(wish, rows)
    filters = tuple(f for f in rules.configuration.filters if f.tag == wish.tag)
    added = _added(filters, wish.tag, asked)
    if added is None:
        return None
    changed, spot, element = added
    saved, hides, things = Count(), Counter[Ruling](), Counter[str]()
    exact = account.kept.exact
    for (key, _, thing), kept, ruling in _dropped(rules, wish.tag, rows, changed):
        count = account.weighed[key].count
        bytes_each = count.bytes / count.events
        saved.add(Count(kept.events, kept.events * bytes_each))
        hides[ruling] += kept.events
        if isinstance(thing, str):
            things[thing] += kept.events
    if not saved.events:
        return None
    others = [f for f in rules.configuration.filters if f.tag != wish.tag]
    return Suggestion(
        wish.tag,
        asked,
        _xml(wish.tag, asked, spot, rules.configuration.schema_version),
        spot,
        element.place if element else None,
        replace(rules.configuration, filters=(*others, *changed)),
        saved,
        tuple(hides.most_common()),
        _telling(things),
        len(things),
        exact,
    )


def _telling(things: Counter[str]) -> tuple[tuple[str, int], ...]:
    found = things.most_common()
    return tuple(found if len(found) <= _SHOWN else [*found[: _SHOWN - 1], found[-1]])


def _asked(wish: _Wish, rows: list[_Row]) -> tuple[tuple[str, str], ...]:
    """The fields and values to ask for, each in the spelling that most events have."""
    first = by_tag(wish.tag)[0].id
    found = []
    for name, at, wanted in ((actor_of(first), 1, wish.actor), (OBJECTS.get(first, ""), 2, wish.thing)):
        if wanted is not None:
            spellings: Counter[str] = Counter()
            for row in rows:
                spellings[str(row.way[at])] += row.kept.events
            found.append((name, spellings.most_common(1)[0][0]))
    return tuple(found)


def _dropped(
    rules: Rules, tag: str, rows: list[_Row], changed: tuple[EventFilter, ...]
) -> Iterator[tuple[Way, Kept, Ruling]]:
    """What is kept now and dropped under the changed elements, judged by an event that stands for each way."""
    splits_on = rules.ruleset.image_splits_on
    ruleset = Ruleset({t.id: compile_event(t, changed, splits_on) for t in by_tag(tag)}, splits_on)
    plans = {}
    for t in by_tag(tag):
        names, decide = ruleset.by_values(t.id)
        plans[t.id] = decide, picked(fields_taken(rules.ruleset, t.id), names), rules.ruleset.rulings(t.id)
    for row in rows:
        key, values = row.way[0], row.kept.values
        if values:
            decide, pick, rulings = plans[key[0]]
            if not decide(pick(values)).keep:
                yield row.way, row.kept, rulings.by_key(key)


def _added(
    filters: tuple[EventFilter, ...], tag: str, asked: tuple[tuple[str, str], ...]
) -> tuple[tuple[EventFilter, ...], _Spot, EventFilter | None] | None:
    """The elements of a tag with an exclude more, where it went, and by which element; None if there is no way.

    A second exclude beside a single one would drop everything else (facts 3.3), so it has to go into that one. Into
    one that joins its conditions with "and" it cannot: there it would ask for more.
    """
    excludes = [f for f in filters if f.onmatch == "exclude"]
    entry = _entry(asked)
    joining = next((f for f in reversed(excludes) if f.relation is Relation.OR), None)
    empty = next((f for f in excludes if not f.entries), None)
    if joining is not None:
        return _swapped(filters, joining, (entry, *joining.entries)), "into", joining
    if empty is not None:
        return _swapped(filters, empty, (entry,)), "instead", empty
    if excludes and len(filters) == 1:
        return None
    names = {name for name, _ in asked}
    fitting = next(t.id for t in by_tag(tag) if names <= {f.name for f in t.fields})
    made = EventFilter(tag, fitting, "exclude", Relation.OR, (entry,), "", Place("suggestion"))
    return (*filters, made), "behind", filters[-1] if filters else None


def _swapped(
    filters: tuple[EventFilter, ...], element: EventFilter, entries: tuple[Filter | Rule, ...]
) -> tuple[EventFilter, ...]:
    """The elements with other entries in one of them; it joins with "or" and is compiled for the event that fits."""
    asked = {f.field for entry in entries for f in (entry.filters if isinstance(entry, Rule) else (entry,))}
    fitting = next((t.id for t in by_tag(element.tag) if asked <= {f.name for f in t.fields}), element.event_id)
    made = replace(element, entries=entries, relation=Relation.OR, event_id=fitting)
    return tuple(made if each is element else each for each in filters)


def _entry(asked: tuple[tuple[str, str], ...]) -> Filter | Rule:
    filters = tuple(Filter(name, Condition.IS, value, "", Place("suggestion")) for name, value in asked)
    return filters[0] if len(filters) == 1 else Rule("", Relation.AND, filters, 0, Place("suggestion"))


def _xml(tag: str, asked: Sequence[tuple[str, str]], spot: _Spot, version: SchemaVersion) -> str:
    lines = [f"<{name} condition={quoted('is')}>{text(value)}</{name}>" for name, value in asked]
    if len(lines) > 1:
        lines = ['<Rule groupRelation="and">', *(f"  {line}" for line in lines), "</Rule>"]
    if spot != "into":
        lines = [f"<{tag} onmatch={quoted('exclude')}>", *(f"  {line}" for line in lines), f"</{tag}>"]
        if version >= _GROUPS:
            lines = ['<RuleGroup groupRelation="or">', *(f"  {line}" for line in lines), "</RuleGroup>"]
    return "\n".join(lines)
