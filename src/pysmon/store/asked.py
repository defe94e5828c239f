"""What must hold of a column's value, for rows that lie in packs: the same as the SQL of `select.py` says of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pysmon.store.packs import Pack
from pysmon.store.values import Column

Accepts = Callable[[Any], bool]
Needs = tuple[tuple[str, Accepts], ...]  # names of columns, and what must hold of one of them; empty: never


def among(values: Iterable[Column]) -> Accepts:
    """Is it one of these?"""
    return frozenset(values).__contains__


def is_not(accepts: Accepts) -> Accepts:
    """The contrary."""
    return lambda value: not accepts(value)


def always(_: Any) -> bool:
    """Whatever it is."""
    return True


def less(than: int) -> Accepts:
    """Is it a number below this one? What is no number is above all numbers, as in SQLite, and nothing is none."""
    return lambda value: type(value) is int and value < than


def more(than: int) -> Accepts:
    """Is it a number above this one?"""
    return lambda value: value > than if type(value) is int else value is not None


def matching(pack: Pack, needs: Iterable[Needs], without: Callable[[str], Any]) -> Sequence[int]:
    """The places of the rows of a pack of which all needs hold, in their order.

    `without` gives what a row says in a column that the pack has not.
    """
    left: set[int] | None = None  # None: all
    for need in needs:
        fit = _fitting(pack, need, without)
        if fit is not None:
            left = fit if left is None else left & fit
        if left is not None and not left:
            return ()
    return range(len(pack)) if left is None else sorted(left)


def _fitting(pack: Pack, need: Needs, without: Callable[[str], Any]) -> set[int] | None:
    found: set[int] = set()
    for name, accepts in need:
        if name not in pack.names:
            if accepts(without(name)):
                return None
            continue
        distinct = pack.distinct(name)
        accepted = {value for value in distinct if accepts(value)}
        if len(accepted) == len(distinct):
            return None
        if accepted:
            found.update(place for place, value in enumerate(pack.column(name)) if value in accepted)
    return found
