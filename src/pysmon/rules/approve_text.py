"""What of a configuration can be decided in the kernel, and what makes events come up: for people, rule by rule."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

from pysmon.formats.describe import Piece
from pysmon.formats.visible import visible
from pysmon.rules.approve import ENDS, PATH, SIDES, Approver, PortSets
from pysmon.rules.explain_text import condition_text
from pysmon.rules.path_parts import Part, PathParts, needs_of
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.tree import Check, Element, Group

Where = Literal["down", "part", "up"]
_MARGIN = 9
_FLOW = {*SIDES, "Protocol", "Initiated"}
_FEW = 4  # parts of a path that are named


def pushdown_lines(ruleset: Ruleset, events: Collection[int], paths: Collection[int]) -> Iterator[list[Piece]]:
    """A block for each of these events; of `paths` among them the kernel knows the path."""
    for event_id in events:
        approver = Approver(ruleset, event_id)
        yield [Piece(f"{approver.rules.type.cls.__name__} (event {event_id})", "name")]
        if not ruleset.wants(event_id):
            yield _said("no rule can keep it: it is not asked for, and nothing of it reaches pysmon")
            continue
        path = approver.path() if event_id in paths else None
        ports = approver.ports() if event_id == 3 else None
        yield from _summary(approver, path, ports)
        for element in approver.rules.elements:
            source = element.source
            yield _line(
                source.place.line, "", f'<{source.tag} onmatch="{source.onmatch}">  {source.relation.name.lower()}'
            )
            yield from _conditions(element, approver, has_path=event_id in paths)


def _summary(approver: Approver, path: PathParts | None, ports: PortSets | None) -> Iterator[list[Piece]]:
    told = False
    if approver.minds_actor:
        told = True
        others = "is dropped once it was seen" if not approver.by_actor("/", None) else "comes up"
        yield _said(f"who acts: learned as it happens; what a program does that no rule names {others}")
    if approver.minds_ends:
        told = True
        refused = approver.refused_within("/", None)
        others = f"is dropped by {' and '.join(refused)}" if refused else "comes up"
        yield _said(f"the machine with itself: learned as it happens; what no rule names {others}")
    if ports is not None:
        told = True
        for side in SIDES:
            passing = max(int.from_bytes(bits, "little").bit_count() for key, bits in ports.items() if key[0] == side)
            yield _said(f"{side}: {passing:,} of 65,536 may pass")
    if path is not None:
        told = True
        if path.approve is not None:
            yield _said(f"path: dropped unless it {_parts(path.approve)}")
        if path.discard:
            yield _said(f"path: dropped if it {_parts(path.discard)}")
    if not told:
        yield _said("all of it comes up: nothing that the kernel knows decides alone")


def _conditions(element: Element, approver: Approver, *, has_path: bool) -> Iterator[list[Piece]]:
    for entry in element.entries:
        if isinstance(entry, Group):
            relation = entry.source.relation.name.lower()
            yield _line(entry.source.place.line, "", f'  <Rule groupRelation="{relation}">')
        for check in entry.checks if isinstance(entry, Group) else (entry,):
            where, why = _where(check, approver, has_path=has_path)
            text = f"{'    ' if isinstance(entry, Group) else '  '}{condition_text(check.source)}"
            yield [*_line(check.source.place.line, where, text), Piece(f"  {why}", "quiet")]


def _where(check: Check, approver: Approver, *, has_path: bool) -> tuple[Where, str]:
    if check.fixed is not None:
        return "down", "always holds" if check.fixed else "never holds"
    if check.field in approver.actor_fields:
        return "down", "who acts"
    if approver.event_id == 3 and check.field in _FLOW:
        return "down", "the connection itself"
    if approver.event_id == 3 and check.field in ENDS:
        return "part", "127.0.0.1 and ::1 at both ends are told apart"
    if check.field != PATH or not has_path:
        return "up", f"{check.field} is for the rules to look at"
    needs = needs_of(check)
    if needs is None:
        return "up", "only directories and ends of names are told apart"
    if needs.exactly:
        return "down", _parts(needs.parts)
    return "part", _parts(needs.parts) if needs.parts else "no path is like that"


def _parts(parts: Collection[Part]) -> str:
    found = sorted((part.kind, visible(part.text.decode("utf-8", "replace"))) for part in parts)
    words = [f"lies in {text}" if kind == "directory" else f"ends in {text}" for kind, text in found]
    more = f" or {len(words) - _FEW} more" if len(words) > _FEW else ""
    return " or ".join(words[:_FEW]) + more


def _said(text: str) -> list[Piece]:
    return [Piece(f"  {text}", "value")]


def _line(number: int, where: str, text: str) -> list[Piece]:
    style: Literal["alarm", "quiet"] = "alarm" if where == "up" else "quiet"
    return [Piece(f"{number:>{_MARGIN}} ", "quiet"), Piece(f"{where:<5}", style), Piece(text, "command")]
