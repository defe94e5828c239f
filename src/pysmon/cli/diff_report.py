"""What a diff found, as a page for people and as one JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pysmon.cli.configuration import many
from pysmon.cli.listing import log_row
from pysmon.cli.replay_report import rule_text, ruling_row, rulings_row, shown_rule
from pysmon.config.model import EventFilter, Filter, Rule
from pysmon.formats.clock import system_time
from pysmon.formats.describe import Piece, Style
from pysmon.formats.visible import visible
from pysmon.rules.explain_text import condition_text
from pysmon.rules.ruling import Ruling
from pysmon.sources.source import Tally
from pysmon.views.columns import columns
from pysmon.views.words import Line, moment
from pysmon.workbench.compare import TURNS, Comparison, Pair, Sample, Turn, turn_of
from pysmon.workbench.diff import Change, Part
from pysmon.workbench.replay import Rules

_SIGNS: Mapping[str, tuple[str, Style]] = {
    "added": ("+", "name"),
    "removed": ("-", "alarm"),
    "changed": ("~", "user"),
    "moved": (">", "user"),
    "default": ("~", "alarm"),
    "option": ("~", "value"),
}
_EMPTY = Line([])
_SAMPLES = 4  # events that are shown of those that change between two rules
Rulings = tuple[Ruling, ...]  # of one rule: an element for several events (RegistryEvent) has one for each
Turned = tuple[Rulings, Rulings, Pair]


@dataclass
class DiffReport:
    """What there is to tell."""

    old_name: str
    new_name: str
    old: Rules
    new: Rules
    changes: list[Change]
    compared: Comparison | None  # None: no log was given
    tallies: Mapping[str, Tally]
    most: int  # lines of each list of events

    @property
    def same(self) -> bool:
        """Whether there is no difference at all."""
        return not self.changes and not any(self.turns.values())

    @property
    def events(self) -> int:
        """How many events were judged."""
        return sum(pair.events for pair in (self.compared or {}).values())

    @cached_property
    def turns(self) -> dict[Turn, list[Turned]]:
        """Pairs of rules with the events that changed between them, the most first."""
        found: dict[Turn, dict[object, tuple[list[Ruling], list[Ruling], Pair]]] = {turn: {} for turn in TURNS}
        for (one, two), pair in sorted((self.compared or {}).items(), key=lambda item: item[0]):
            turn = turn_of(one, two)
            if turn != "same":
                was = self.old.ruleset.rulings(one[0]).by_key(one)
                now = self.new.ruleset.rulings(two[0]).by_key(two)
                key = shown_rule(was, self.old), shown_rule(now, self.new)
                all_of_old, all_of_new, total = found[turn].setdefault(key, ([], [], Pair()))
                all_of_old.append(was)
                all_of_new.append(now)
                total.add(pair)
        return {
            turn: sorted(
                ((tuple(olds), tuple(news), pair) for olds, news, pair in rows.values()),
                key=lambda row: (-row[2].events, row[0][0].key, row[1][0].key),
            )
            for turn, rows in found.items()
        }

    def document(self) -> dict[str, object]:
        """One JSON document."""
        return {
            "old": self.old_name,
            "new": self.new_name,
            "same": self.same,
            "meaning": [_change(change) for change in self.changes],
            "behaviour": None if self.compared is None else self._behaviour(),
        }

    def _behaviour(self) -> dict[str, object]:
        changed = {turn: sum(pair.events for _, _, pair in rows) for turn, rows in self.turns.items()}
        return {
            "logs": [log_row(name, tally) for name, tally in self.tallies.items()],
            "events": self.events,
            "same": self.events - sum(changed.values()),
            "kept_to_dropped": changed["kept -> dropped"],
            "dropped_to_kept": changed["dropped -> kept"],
            "another_rule_name": changed["another RuleName"],
            "turns": [
                {
                    "turn": turn,
                    "events": pair.events,
                    "old": rulings_row(was, self.old),
                    "new": rulings_row(now, self.new),
                    "images": len(pair.samples),
                    "samples": [_sample(sample) for sample in pair.telling(_SAMPLES)],
                }
                for turn, rows in self.turns.items()
                for was, now, pair in rows
            ],
        }

    def lines(self) -> Iterator[Line]:
        """The page; nothing in it can steer a terminal."""
        if not self.changes:
            yield Line([Piece("by meaning: no difference", "value")])
        else:
            yield Line([Piece(f"by meaning: {many(len(self.changes), 'difference')}", "value")])
        tag = None
        for change in self.changes:
            if change.tag != tag and change.sort != "option":
                yield Line([Piece(f"  {change.tag}", "name")])
                tag = change.tag
            yield from _told(change)
        if self.compared is not None:
            yield _EMPTY
            yield from self._turned()

    def _turned(self) -> Iterator[Line]:
        logs = many(len(self.tallies), "log")
        changed = sum(pair.events for rows in self.turns.values() for _, _, pair in rows)
        if not changed:
            yield Line([Piece(f"by behaviour: no difference on {self.events:,} events in {logs}", "value")])
            return
        yield Line([Piece(f"by behaviour: {changed:,} of {self.events:,} events in {logs} change", "value")])
        for turn, rows in self.turns.items():
            if rows:
                yield _EMPTY
                count = sum(pair.events for _, _, pair in rows)
                yield Line([Piece(f"{turn}: {count:,}", "alarm" if turn == "kept -> dropped" else "name")])
                yield from self._rows(rows)

    def _rows(self, rows: list[Turned]) -> Iterator[Line]:
        for was, now, pair in rows[: self.most]:
            lines = [
                [Piece(f"{count:>8}", "value"), Piece(side, "quiet"), Piece(said, "value")]
                for count, side, said in (
                    (f"{pair.events:,}", "was", _by(was[0], self.old) + _of_events(was)),
                    ("", "now", _by(now[0], self.new)),
                )
            ]
            yield from columns(lines, hang=15)
            yield from columns([_sample_row(sample) for sample in pair.telling(_SAMPLES)], (0,), hang=23)
            if len(pair.samples) > _SAMPLES:
                further = many(len(pair.samples) - _SAMPLES, "further image")
                yield Line([Piece(f"{'':15}and {further}", "quiet")])
        if len(rows) > self.most:
            rest = sum(pair.events for _, _, pair in rows[self.most :])
            yield Line([Piece(f"{rest:>8,}  by {many(len(rows) - self.most, 'further pair')} of rules", "quiet")])


def _of_events(rulings: Rulings) -> str:
    """Of which events, if a rule stands for several."""
    return f"  (events {', '.join(str(each.event_id) for each in rulings)})" if len(rulings) > 1 else ""


def _by(ruling: Ruling, rules: Rules) -> str:
    line = f"line {ruling.by.place.line}: " if ruling.by else ""
    name = f"  {visible(ruling.rule_name)}" if ruling.keep and ruling.rule_name != "-" else ""
    onmatch = ruling_row(ruling, rules)["onmatch"]
    side = f"{onmatch} " if onmatch else ""
    return f"{'kept' if ruling.keep else 'dropped'} by {line}{side}{rule_text(ruling, rules)}{name}"


def _told(change: Change) -> Iterator[Line]:
    sign, style = _SIGNS[change.sort]
    indent = "  " if change.sort == "option" else "    "
    if change.sort == "option":
        yield Line([Piece(f"{indent}{sign} ", style), Piece(f"{change.tag}: {visible(change.said)}", "value")], 6)
        return
    if change.sort == "default":
        said = f"what no element matches: {change.said}"
        yield Line([Piece(f"{indent}{sign} ", style), Piece(said, "value")], 6)
        return
    parts = [part for part in (change.old, change.new) if part]
    where = " -> ".join(str(part.place.line) for part in parts)
    head = [
        Piece(f"{indent}{sign} ", style),
        Piece(f"{change.onmatch:8}{f'line {where}' if where else '':18}", "quiet"),
    ]
    single = change.sort == "changed" and isinstance(change.old, Filter) and isinstance(change.new, Filter)
    if single and change.old and change.new:
        yield Line([*head, Piece(part_text(change.old), "value")], 30)
        yield Line([Piece(f"{'':30}-> {part_text(change.new)}", "value")], 33)
        return
    said = f"  {change.said}" if change.said else ""
    text = part_text(parts[-1]) if parts else ""
    yield Line([*head, Piece(f"{text}{said}", "value")], 30)
    for came, condition in change.inner:
        sign, style = _SIGNS["added" if came else "removed"]
        yield Line([Piece(f"{'':30}{sign} ", style), Piece(part_text(condition), "value")], 34)


def part_text(part: Part) -> str:
    """A part of a configuration on one line that is safe to print, with the name that it gives."""
    if isinstance(part, Filter):
        return f"{condition_text(part)}{f'  {visible(part.name)}' if part.name else ''}"
    conditions = part.filters if isinstance(part, Rule) else _first(part)
    shown = " ".join(condition_text(condition) for condition in conditions[:2])
    more = f" and {len(conditions) - 2} more" if len(conditions) > 2 else ""
    name = next((f"  {visible(condition.name)}" for condition in conditions if condition.name), "")
    if isinstance(part, Rule):
        return f'<Rule groupRelation="{part.relation.name.lower()}"> {shown}{more}{name}'
    if not conditions:
        return f'<{part.tag} onmatch="{part.onmatch}"/>'
    return f'<{part.tag} onmatch="{part.onmatch}"> {part.relation.name.lower()}: {shown}{more}{name}'


def _first(element: EventFilter) -> tuple[Filter, ...]:
    return tuple(f for entry in element.entries for f in (entry.filters if isinstance(entry, Rule) else (entry,)))


def _change(change: Change) -> dict[str, object]:
    return {
        "change": change.sort,
        "event": change.tag,
        "onmatch": change.onmatch or None,
        "old": _part(change.old),
        "new": _part(change.new),
        "conditions": [{"change": "added" if came else "removed", **_condition(f)} for came, f in change.inner],
        "said": change.said or None,
    }


def _part(part: Part | None) -> dict[str, object] | None:
    if part is None:
        return None
    kind = "condition" if isinstance(part, Filter) else "rule" if isinstance(part, Rule) else "element"
    return {"kind": kind, "line": part.place.line, "column": part.place.column, "text": part_text(part)}


def _condition(part: Filter) -> dict[str, object]:
    return {
        "field": part.field,
        "condition": part.condition.value,
        "value": part.value,
        "name": part.name,
        "line": part.place.line,
    }


def _sample_row(sample: Sample) -> list[Piece]:
    said = "  ".join(visible(text) for text in (sample.actor, sample.thing) if text != "-")
    head = f"first record {sample.record_id}, {moment(sample.time)}"
    return [Piece(f"{sample.events:>20,}", "value"), Piece(head, "quiet"), Piece(said, "path")]


def _sample(sample: Sample) -> dict[str, object]:
    return {
        "log": sample.log,
        "events": sample.events,
        "record_id": sample.record_id,
        "time": system_time(sample.time),
        "image": sample.actor,
        "object": sample.thing,
    }
