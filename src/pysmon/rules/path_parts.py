"""Which parts of a path decide: directories that it lies in, and ends of its name, as a kernel program can tell them.

Of a path, the kernel can tell cheaply in which directories it lies (`/etc/` of `/etc/cron.d/x`) and how its last name
ends. A check that asks for more is weakened to what it needs at the least; one that asks for something else decides
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from pysmon.config.model import Condition
from pysmon.rules.conditions import NEGATED, fold, items
from pysmon.rules.reach import can_keep
from pysmon.rules.tree import Check, EventRules, Outcome

LONGEST = 60  # bytes of a part


@dataclass(frozen=True, slots=True)
class Part:
    """A directory, with its `/` at both ends, or the end of a name; A to Z in lower case."""

    kind: Literal["directory", "ending"]
    text: bytes


@dataclass(frozen=True, slots=True)
class Needs:
    """What a check needs of a path: at least one of these parts; `exactly`: and it needs nothing else."""

    parts: tuple[Part, ...]
    exactly: bool


@dataclass(frozen=True, slots=True)
class PathParts:
    """What decides on the events of a type. `approve` None: they may pass without any of those."""

    approve: frozenset[Part] | None  # an event that has none of these parts is dropped
    discard: frozenset[Part]  # an event that has one of these parts is dropped

    @property
    def decides(self) -> bool:
        """Can anything be dropped by it?"""
        return self.approve is not None or bool(self.discard)


def path_parts(rules: EventRules, checks: Iterable[Check]) -> PathParts:
    """What decides, out of the checks on the path."""
    needs = {check.mask: found for check in checks if (found := needs_of(check)) is not None}
    included = {c.mask for e in rules.elements if e.source.onmatch == "include" for c in e.checks}
    approve = None
    for masks in (needs.keys() & included, needs.keys()):
        if not can_keep(rules, partial(_missed, masks=masks)):
            approve = frozenset(part for mask in masks for part in needs[mask].parts)
            break
    exact = {mask: found for mask, found in needs.items() if found.exactly}
    candidates = {part for found in exact.values() for part in found.parts}
    discard = frozenset(p for p in candidates if not can_keep(rules, partial(_met, exact=exact, part=p)))
    return PathParts(approve, discard)


def needs_of(check: Check) -> Needs | None:
    """What the check, taken as positive, needs of a path that begins with `/`; None if that cannot be told by parts."""
    condition, value = NEGATED.get(check.source.condition, check.source.condition), fold(check.source.value)
    if condition is Condition.BEGIN_WITH:
        return _beginning(value)
    if condition is Condition.END_WITH:
        return _ending(value, "/" not in value)
    if condition is Condition.IS:
        return _whole(value)
    if condition is Condition.IMAGE:
        return _ending(value, exactly=False)
    if condition is Condition.IS_ANY:
        found = [_whole(item) for item in items(value)]
        if all(found):
            return Needs(tuple(part for each in found if each for part in each.parts), exactly=False)
    return None


def _whole(value: str) -> Needs | None:
    return _ending(value, exactly=False) if value.startswith("/") else Needs((), exactly=False)


def _ending(value: str, exactly: bool) -> Needs | None:
    end = value.rpartition("/")[2].encode("utf-8", "surrogatepass")
    if not end:
        return None
    return Needs((Part("ending", end[-LONGEST:]),), exactly and len(end) <= LONGEST)


def _beginning(value: str) -> Needs | None:
    if value and not value.startswith("/"):
        return Needs((), exactly=False)
    if value.startswith("/memfd:") or "//" in value:
        return None
    folder, _, rest = value.encode("utf-8", "surrogatepass").rpartition(b"/")
    exactly = not rest
    while len(folder) > LONGEST:
        folder, exactly = folder.rpartition(b"/")[0], False
    return Needs((Part("directory", folder + b"/"),), exactly) if folder else None


def _missed(check: Check, masks: Iterable[int]) -> Outcome:
    if check.fixed is not None or check.mask not in masks:
        return check.fixed
    return check.source.condition in NEGATED


def _met(check: Check, exact: Mapping[int, Needs], part: Part) -> Outcome:
    if check.fixed is not None or check.mask not in exact or part not in exact[check.mask].parts:
        return check.fixed
    return check.source.condition not in NEGATED
