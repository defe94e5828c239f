"""Gives every part of a configuration a line of its own, so that a test can find it again and change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from typing import TypeVar

from pysmon.config.model import Configuration, EventFilter, Filter, Rule
from pysmon.errors import Place

_Part = TypeVar("_Part", Filter, Rule, EventFilter)


def told_apart(elements: Iterable[EventFilter]) -> list[EventFilter]:
    """The same elements, every one of them, every Rule and every condition at a line of its own."""
    lines = count(1)

    def placed(part: _Part) -> _Part:
        return replace(part, place=Place("test.xml", next(lines), 1))

    def entry(each: Filter | Rule) -> Filter | Rule:
        if isinstance(each, Filter):
            return placed(each)
        return replace(placed(each), filters=tuple(map(placed, each.filters)))

    return [replace(placed(each), entries=tuple(map(entry, each.entries))) for each in elements]


def changed(whole: Configuration, place: Place, change: Callable[[Filter], Filter | None]) -> Configuration:
    """The configuration with the conditions of that place changed, or gone: one, or all of a Rule or an element."""

    def of(each: Filter, here: bool) -> tuple[Filter, ...]:
        if not here and each.place != place:
            return (each,)
        made = change(each)
        return (made,) if made else ()

    def entries(element: EventFilter) -> Iterable[Filter | Rule]:
        all_of_it = element.place == place
        for entry in element.entries:
            if isinstance(entry, Filter):
                yield from of(entry, all_of_it)
            else:
                here = all_of_it or entry.place == place
                yield replace(entry, filters=tuple(made for each in entry.filters for made in of(each, here)))

    return replace(whole, filters=tuple(replace(each, entries=tuple(entries(each))) for each in whole.filters))


def only(whole: Configuration, places: set[Place]) -> Configuration:
    """A configuration that keeps what the parts at these places match, alone; elements that this leaves empty go."""
    filters = []
    for element in whole.filters:
        if element.place in places:
            filters.append(replace(element, onmatch="include"))
            continue
        kept = []
        for entry in element.entries:
            if entry.place in places:
                kept.append(entry)
            elif isinstance(entry, Rule):
                kept += [each for each in entry.filters if each.place in places]
        if kept:
            filters.append(replace(element, onmatch="include", entries=tuple(kept)))
    return replace(whole, filters=tuple(filters))
