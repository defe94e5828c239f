"""What a replay found, as a page for people and as one JSON document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pysmon.cli.configuration import many
from pysmon.cli.listing import log_row
from pysmon.config.model import EventFilter, Filter, Rule
from pysmon.formats.clock import system_time
from pysmon.formats.describe import Piece, Style
from pysmon.formats.visible import visible
from pysmon.rules.explain_text import condition_text
from pysmon.rules.ruling import Ruling
from pysmon.schema.event import EVENTS
from pysmon.sources.source import Tally
from pysmon.views.columns import columns
from pysmon.views.words import Line, moment, size
from pysmon.workbench.replay import Rules
from pysmon.workbench.suggest import Suggestion
from pysmon.workbench.tally import Account, Count

_LEAST_DAYS = 1 / 24  # of a log from which one can tell what a day is like
_EMPTY = Line([])
_Row = list[Piece]


@dataclass
class Report:
    """What there is to tell."""

    name: str  # of the configuration
    rules: Rules
    account: Account
    tallies: Mapping[str, Tally]
    suggestions: Sequence[Suggestion]
    most: int  # lines of each list

    @cached_property
    def by_rule(self) -> list[tuple[Ruling, Count]]:
        """What each rule decided, the most first."""
        ruleset = self.rules.ruleset
        counts = [(ruleset.rulings(key[0]).by_key(key), count) for key, count in self.account.counts.items()]
        return sorted(counts, key=lambda pair: (-pair[1].events, pair[0].key))

    @cached_property
    def by_shown_rule(self) -> list[tuple[tuple[Ruling, ...], Count]]:
        """The same, but a rule of an element that is compiled for several events (RegistryEvent) is one."""
        found: dict[tuple[object, ...], tuple[list[Ruling], Count]] = {}
        for ruling, count in self.by_rule:
            rulings, total = found.setdefault(shown_rule(ruling, self.rules), ([], Count()))
            rulings.append(ruling)
            total.add(count)
        rows = [(tuple(sorted(rulings, key=lambda each: each.key)), count) for rulings, count in found.values()]
        return sorted(rows, key=lambda row: (-row[1].events, row[0][0].key))

    @cached_property
    def by_type(self) -> dict[int, tuple[Count, Count]]:
        """What was kept and what was dropped of each event type, by id."""
        found: dict[int, tuple[Count, Count]] = {}
        for ruling, count in sorted(self.by_rule, key=lambda pair: pair[0].event_id):
            kept, dropped = found.setdefault(ruling.event_id, (Count(), Count()))
            (kept if ruling.keep else dropped).add(count)
        return found

    @property
    def kept(self) -> Count:
        """All that was kept."""
        return _sum(kept for kept, _ in self.by_type.values())

    @property
    def dropped(self) -> Count:
        """All that was dropped."""
        return _sum(dropped for _, dropped in self.by_type.values())

    @property
    def days(self) -> float | None:
        """The days that the log covers; None if that is too little to say what a day is like."""
        covered = self.account.days.covered
        return covered if covered >= _LEAST_DAYS else None

    def noisiest(self, *, images: bool) -> list[tuple[str, int]]:
        """The images, or else the command lines of new processes, of which most was kept."""
        counts: Counter[str] = Counter()
        for (key, actor, thing), kept in self.account.kept.ways.items():
            name = actor if images else thing if key[0] == 1 else None
            if isinstance(name, str):
                counts[name] += kept.events
        return counts.most_common(self.most)

    def document(self) -> dict[str, object]:
        """One JSON document."""
        days = self.account.days
        return {
            "configuration": self.name,
            "logs": [log_row(name, tally) for name, tally in self.tallies.items()],
            "events": self.kept.events + self.dropped.events,
            "kept": self.kept.events,
            "dropped": self.dropped.events,
            "bytes": round(self.kept.bytes + self.dropped.bytes),
            "kept_bytes": round(self.kept.bytes),
            "first": None if days.first is None else system_time(days.first),
            "last": None if days.last is None else system_time(days.last),
            "days": round(days.covered, 4),
            "per_day": self._per_day(),
            "by_type": [
                {
                    "id": number,
                    "event": EVENTS[number].cls.__name__,
                    "events": kept.events + dropped.events,
                    "kept": kept.events,
                    "dropped": dropped.events,
                    "bytes": round(kept.bytes + dropped.bytes),
                    "kept_bytes": round(kept.bytes),
                }
                for number, (kept, dropped) in self.by_type.items()
            ],
            "by_rule": [
                {**rulings_row(rulings, self.rules), "events": count.events, "bytes": round(count.bytes)}
                for rulings, count in self.by_shown_rule
            ],
            "noisiest": {
                "exact": self.account.kept.exact,
                "images": [{"image": name, "kept": count} for name, count in self.noisiest(images=True)],
                "command_lines": [{"command_line": n, "kept": count} for n, count in self.noisiest(images=False)],
            },
            "suggestions": [self._suggestion(suggestion) for suggestion in self.suggestions],
        }

    def _per_day(self) -> dict[str, int] | None:
        if self.days is None:
            return None
        both = ("", self.kept.events + self.dropped.events, self.kept.bytes + self.dropped.bytes)
        kept = ("kept_", self.kept.events, self.kept.bytes)
        return {
            f"{name}{what}": round(amount / self.days)
            for name, events, weight in (both, kept)
            for what, amount in (("events", events), ("bytes", weight))
        }

    def _suggestion(self, suggestion: Suggestion) -> dict[str, object]:
        return {
            "event": suggestion.tag,
            "conditions": [{"field": name, "value": value} for name, value in suggestion.fields],
            "xml": suggestion.xml,
            "where": suggestion.spot,
            "line": suggestion.place.line if suggestion.place else None,
            "saves": {"events": suggestion.saves.events, "bytes": round(suggestion.saves.bytes)},
            "hides": [{**ruling_row(ruling, self.rules), "events": count} for ruling, count in suggestion.hides],
            "things": [{"value": value, "events": count} for value, count in suggestion.things],
            "different_things": suggestion.different,
            "exact": suggestion.exact,
        }

    def lines(self) -> Iterator[Line]:
        """The page; nothing in it can steer a terminal."""
        yield from self._head()
        for part in (self._types(), self._rules(keep=True), self._rules(keep=False), self._noise(), self._advice()):
            lines = list(part)
            if lines:
                yield _EMPTY
                yield from lines

    def _head(self) -> Iterator[Line]:
        total, days = self.kept.events + self.dropped.events, self.account.days
        said = f"{total:,} event{'' if total == 1 else 's'} in {many(len(self.tallies), 'log')}"
        if days.first is not None and days.last is not None:
            said += f", {moment(days.first)} to {moment(days.last)} UTC, on {many(len(days.days), 'day')}"
        yield Line([Piece(said, "value")])
        yield _EMPTY
        rows = []
        for name, count in (("kept", self.kept), ("dropped", self.dropped)):
            row = [_piece(name, "name"), _number(count.events), _piece(_share(count.events, total))]
            row.append(_piece(f"about {size(round(count.bytes))}"))
            if self.days is not None:
                row.append(_piece(f"{round(count.events / self.days):,} a day"))
                row.append(_piece(f"{size(round(count.bytes / self.days))} a day"))
            rows.append(row)
        yield from columns(rows, range(1, 6))

    def _types(self) -> Iterator[Line]:
        rows = [[_head(text) for text in ("id", "event", "events", "kept", "dropped", "kept bytes, about")]]
        for number, (kept, dropped) in self.by_type.items():
            numbers = [_number(n) for n in (kept.events + dropped.events, kept.events, dropped.events)]
            name = _piece(EVENTS[number].cls.__name__, "name")
            rows.append([_piece(str(number)), name, *numbers, _piece(size(round(kept.bytes)))])
        yield from columns(rows, (0, 2, 3, 4, 5))

    def _rules(self, *, keep: bool) -> Iterator[Line]:
        found = [(rulings[0], count) for rulings, count in self.by_shown_rule if rulings[0].keep is keep]
        if not found or not self.most:
            return
        total = sum(count.events for _, count in found)
        rows = [[_head("kept by" if keep else "dropped by"), _head("share"), _head("line"), _head("rule")]]
        for ruling, count in found[: self.most]:
            line = str(ruling.by.place.line) if ruling.by else "-"
            said = rule_text(ruling, self.rules)
            if keep and ruling.rule_name != "-":
                said += f"  {visible(ruling.rule_name)}"
            rows.append([_number(count.events), _piece(_share(count.events, total)), _piece(line), _piece(said)])
        yield from columns(rows, (0, 1, 2), hang=8)
        yield from _rest(len(found) - self.most, sum(count.events for _, count in found[self.most :]), "rule")

    def _noise(self) -> Iterator[Line]:
        sure = "" if self.account.kept.exact else ", at least"
        for title, images in (("noisiest images", True), ("noisiest command lines", False)):
            found = self.noisiest(images=images)
            if found:
                rows = [[_head("kept" + sure), _head(title)]]
                rows += [[_number(count), Piece(visible(name), "path")] for name, count in found]
                yield from ([_EMPTY] if not images else [])
                yield from columns(rows, (0,), hang=8)

    def _advice(self) -> Iterator[Line]:
        if self.suggestions:
            yield Line([_head("excludes that would save most; look at what each hides before you paste it")])
        for number, suggestion in enumerate(self.suggestions, 1):
            yield _EMPTY
            sure = "" if suggestion.exact else "at least "
            share = _share(suggestion.saves.events, self.kept.events)
            said = f"saves {sure}{suggestion.saves.events:,} events, about {size(round(suggestion.saves.bytes))}"
            yield Line(
                [Piece(f"{number}. ", "id"), Piece(said, "name"), Piece(f" ({share} of what is kept)", "quiet")], 3
            )
            yield Line([Piece(f"   {_where(suggestion)}", "quiet")], 3)
            for line in suggestion.xml.split("\n"):
                yield Line([Piece(f"     {visible(line)}", "command")], 7)
            yield from self._hidden(suggestion)

    def _hidden(self, suggestion: Suggestion) -> Iterator[Line]:
        for ruling, count in suggestion.hides[:3]:
            name = f", RuleName {visible(ruling.rule_name)}" if ruling.rule_name != "-" else ""
            line = f"line {ruling.by.place.line}: " if ruling.by else ""
            yield Line([Piece(f"   hides {count:,} of {line}{rule_text(ruling, self.rules)}{name}", "value")], 9)
        if len(suggestion.hides) > 3:
            yield Line([Piece(f"   and of {many(len(suggestion.hides) - 3, 'further rule')}", "value")], 9)
        if suggestion.different > 1:
            shown = "; ".join(visible(value) for value, _ in suggestion.things)
            yield Line([Piece(f"   {suggestion.different:,} different ones, such as {shown}", "quiet")], 9)


def rule_text(ruling: Ruling, rules: Rules) -> str:
    """What decided, in the words of the configuration; where no rule did, why it came so. Safe to print."""
    made = EVENTS[ruling.event_id]
    by = ruling.by
    if isinstance(by, Filter):
        return f"{made.tag} {condition_text(by)}"
    if isinstance(by, Rule):
        return f"{made.tag} <Rule> {' '.join(condition_text(each) for each in by.filters[:2])}{_more(len(by.filters))}"
    if isinstance(by, EventFilter):
        return f'<{by.tag} onmatch="{by.onmatch}"> all of it'
    if not made.tag:
        return f"{made.cls.__name__}: no configuration can filter it"
    elements = rules.ruleset.rules[made.id].elements
    if not elements:
        return f"{made.tag}: no element for it, so the default holds"
    if ruling.keep:
        return f"{made.tag}: the exclude does not match"
    return f"{made.tag}: {'no include' if any(e.source.onmatch == 'include' for e in elements) else 'none'} matches"


def shown_rule(ruling: Ruling, rules: Rules) -> tuple[object, ...]:
    """The same for all rulings of one rule: an element for several events (RegistryEvent) has one for each."""
    place = ruling.by.place if ruling.by else None
    return ruling.keep, ruling.rule_name, place, rule_text(ruling, rules)


def rulings_row(rulings: Sequence[Ruling], rules: Rules) -> dict[str, object]:
    """Rulings of one rule as a row of a JSON document: `event_ids` are all events that it decided."""
    first = ruling_row(rulings[0], rules)
    if len(rulings) > 1:
        first["event"] = EVENTS[rulings[0].event_id].tag
    return {"event_ids": [ruling.event_id for ruling in rulings], **first}


def ruling_row(ruling: Ruling, rules: Rules) -> dict[str, object]:
    """A rule as a row of a JSON document: `line` and `onmatch` are null where no rule decided."""
    by, elements = ruling.by, rules.ruleset.rules[ruling.event_id].elements
    return {
        "event_id": ruling.event_id,
        "event": EVENTS[ruling.event_id].cls.__name__,
        "keep": ruling.keep,
        "rule_name": ruling.rule_name,
        "onmatch": elements[ruling.key[1]].source.onmatch if by else None,
        "line": by.place.line if by else None,
        "column": by.place.column if by else None,
        "rule": rule_text(ruling, rules),
    }


def _where(suggestion: Suggestion) -> str:
    line = f" in line {suggestion.place.line}" if suggestion.place else ""
    if suggestion.spot == "into":
        return f'as the first condition of <{suggestion.tag} onmatch="exclude">{line}:'
    if suggestion.spot == "instead":
        return f'instead of the empty <{suggestion.tag} onmatch="exclude">{line}:'
    return f"behind the <{suggestion.tag}>{line}:" if line else "anywhere under <EventFiltering>:"


def _more(count: int) -> str:
    return f" and {count - 2} more" if count > 2 else ""


def _rest(count: int, events: int, what: str) -> Iterator[Line]:
    if count > 0:
        yield Line([Piece(f"{events:,} more by {many(count, f'further {what}')}", "quiet")])


def _sum(counts: Iterable[Count]) -> Count:
    total = Count()
    for count in counts:
        total.add(count)
    return total


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _head(text: str) -> Piece:
    return Piece(text, "quiet")


def _number(count: int) -> Piece:
    return Piece(f"{count:,}", "value")


def _piece(text: str, style: Style = "value") -> Piece:
    return Piece(text, style)
