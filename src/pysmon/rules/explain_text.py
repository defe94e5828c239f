"""An explanation for people: the rules as the configuration has them, with a mark before each for what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from pysmon.config import write
from pysmon.config.model import Condition, Filter, Relation
from pysmon.formats.describe import Piece, Style, shown
from pysmon.formats.visible import visible
from pysmon.rules.explain import Explanation, Turn
from pysmon.rules.trace import CheckTrace, ElementTrace, GroupTrace
from pysmon.rules.tree import Check, Hits, Outcome

_FEW = 3  # conditions in a row that did not hold and are still shown one by one
_MARGIN = 11  # columns of line numbers, `12-345`

Pieces = list[Piece]


class Marks(NamedTuple):
    """The characters that stand before a line of the rules."""

    held: str
    missed: str
    unseen: str
    unknown: str


MARKS = Marks("✓", "✗", "·", "?")
ASCII_MARKS = Marks("+", "-", ".", "?")


def explanation_lines(found: Explanation, *, marks: Marks = MARKS, whole: bool = False) -> Iterator[Pieces]:
    """The lines to print; `whole` shows every condition, otherwise rows of those that did not hold are summed up."""
    yield from _verdict(found)
    if not found.trace.elements:
        return
    yield []
    yield from _values(found)
    yield [Piece("The rules, in the order in which they are asked:", "quiet")]
    close = _in_rules(found) & sum({turn.check.mask for turn in found.turns})
    text = _Text(marks, whole, found.trace.named_by if found.verdict.keep else None, close)
    for element in found.trace.elements:
        yield from text.element(element)
    yield [Piece(f"{'':{_MARGIN}} {text.legend}", "quiet")]
    yield []
    yield from _turns(found)


def _verdict(found: Explanation) -> Iterator[Pieces]:
    kind, trace = found.event.type, found.trace
    keep, name = trace.verdict
    title = f"{kind.tag or kind.cls.__name__} (event {kind.id})"
    head = [Piece(f"{title} is ", "value"), Piece("kept", "name") if keep else Piece("dropped", "alarm")]
    if keep:
        head += [Piece(", RuleName ", "value"), Piece(visible(name), "rule")]
    yield head
    if trace.decided_by:
        source = trace.decided_by.source
        yield [Piece(f'  by <{source.tag} onmatch="{source.onmatch}"> at {visible(str(source.place))}', "value")]
    else:
        yield [Piece(f"  {_otherwise(found)}", "value")]
    if keep and trace.named_by:
        yield [Piece(f"  the name is that of the condition in line {trace.named_by.source.place.line}", "value")]


def _otherwise(found: Explanation) -> str:
    kind, elements = found.event.type, found.trace.elements
    if not kind.tag:
        return "no configuration can filter this event"
    if not elements:
        return f"the configuration has no <{kind.tag}>; then the default of the event holds"
    if len(elements) == 1:
        onmatch = elements[0].element.source.onmatch
        return f"the only <{kind.tag}> did not match, and it is an {onmatch}"
    return f"none of the {len(elements)} <{kind.tag}> matched; of two or more one must, or the event is dropped"


def _values(found: Explanation) -> Iterator[Pieces]:
    read = {check.field for check in found.rules.checks if check.fixed is None}
    names = [field.name for field in found.event.type.fields if field.name in read]
    width = max(map(len, names), default=0)
    if names:
        yield [Piece("What the rules read of it:", "quiet")]
    for name in names:
        yield [Piece(f"  {name:{width}}  ", "quiet"), shown(name, found.event.text(name))]
    if names:
        yield []


@dataclass
class _Text:
    """Draws the rules."""

    marks: Marks
    whole: bool
    named_by: Check | None
    close: Hits  # conditions that are all that a Rule wants for

    @property
    def legend(self) -> str:
        marks = self.marks
        words = "holds", "does not hold", "not looked at", "no value"
        return "   ".join(f"{mark} {word}" for mark, word in zip(marks, words, strict=True))

    def element(self, trace: ElementTrace) -> Iterator[Pieces]:
        source = trace.element.source
        relation = source.relation.name.lower()
        group = f"  of RuleGroup {write.quoted(visible(source.group))}" if source.group else ""
        said = "" if trace.asked else "  not asked"
        if trace.asked and trace.outcome is None:
            said = "  gives up: a number has no value"
        mark = self._mark(trace.outcome, trace.asked)
        tag = f'<{source.tag} onmatch="{source.onmatch}">'
        yield self._line(source.place.line, mark, 0, [Piece(tag, "name"), Piece(f"  {relation}{group}{said}", "quiet")])
        if trace.asked or self.whole:
            yield from self._entries(trace.entries, 1, folding=True)
        elif trace.entries:
            yield self._sum(trace.checks, 1)

    def _entries(self, entries: Iterable[CheckTrace | GroupTrace], depth: int, *, folding: bool) -> Iterator[Pieces]:
        for dull, run in groupby(entries, self._dull):
            row = list(run)
            if folding and dull and len(row) > _FEW and not self.whole:
                yield self._sum([check for entry in row for check in _checks(entry)], depth)
                continue
            for entry in row:
                if isinstance(entry, GroupTrace):
                    yield from self._group(entry, depth)
                else:
                    yield self._check(entry, depth)

    def _dull(self, entry: CheckTrace | GroupTrace) -> bool:
        """Nothing of it held, or it was not looked at: a row of such entries can be summed up."""
        checks = _checks(entry)
        if entry.looked_at and any(check.check.mask & self.close for check in checks):
            return False
        looked = [check for check in checks if check.looked_at]
        return not entry.looked_at or (bool(looked) and all(check.outcome is False for check in looked))

    def _group(self, trace: GroupTrace, depth: int) -> Iterator[Pieces]:
        source = trace.group.source
        name = f" name={write.quoted(visible(source.name))}" if source.name else ""
        pieces = [Piece(f'<Rule groupRelation="{source.relation.name.lower()}"{name}>', "value")]
        yield self._line(source.place.line, self._mark(trace.outcome, trace.looked_at), depth, pieces)
        yield from self._entries(trace.checks, depth + 1, folding=source.relation is Relation.OR)

    def _check(self, trace: CheckTrace, depth: int) -> Pieces:
        source = trace.check.source
        why = _aside(trace) or ("names it" if trace.check is self.named_by else "")
        mark = self._mark(trace.outcome, trace.looked_at)
        pieces = [Piece(condition_text(source), _style(trace))]
        return self._line(source.place.line, mark, depth, pieces + ([Piece(f"  {why}", "quiet")] if why else []))

    def _sum(self, checks: list[CheckTrace], depth: int) -> Pieces:
        looked = any(check.looked_at for check in checks)
        mark = self._mark(False, looked)
        fields = Counter(check.check.field for check in checks)
        said = ", ".join(f"{field} {count}" for field, count in fields.most_common())
        what = "that do not hold" if looked else "not looked at"
        first, last = (checks[at].check.source.place.line for at in (0, -1))
        lines = str(first) if first == last else f"{first}-{last}"
        number = "1 condition" if len(checks) == 1 else f"{len(checks)} conditions"
        return self._line(lines, mark, depth, [Piece(f"... {number} {what} ({said})", "quiet")])

    def _line(self, number: int | str, mark: Piece, depth: int, pieces: Pieces) -> Pieces:
        return [Piece(f"{number:>{_MARGIN}} ", "quiet"), mark, Piece(" " * (2 * depth + 1), "quiet"), *pieces]

    def _mark(self, outcome: Outcome, looked_at: bool) -> Piece:
        if not looked_at:
            return Piece(self.marks.unseen, "quiet")
        if outcome is None:
            return Piece(self.marks.unknown, "alarm")
        return Piece(self.marks.held, "name") if outcome else Piece(self.marks.missed, "quiet")


def condition_text(source: Filter) -> str:
    """A condition as the configuration writes it, on one line that is safe to print."""
    condition = "" if source.condition is Condition.IS else f' condition="{source.condition.value}"'
    return f"<{source.field}{condition}>{write.text(visible(source.value))}</{source.field}>"


def _checks(entry: CheckTrace | GroupTrace) -> tuple[CheckTrace, ...]:
    return entry.checks if isinstance(entry, GroupTrace) else (entry,)


def _style(trace: CheckTrace) -> Style:
    return "command" if trace.looked_at and trace.outcome else "value" if trace.looked_at else "quiet"


def _aside(trace: CheckTrace) -> str:
    if trace.check.fixed is None:
        return "" if trace.looked_at else "would hold" if trace.outcome else "would not hold"
    if trace.check.field == "RuleName":
        return "RuleName reads - while the rules are asked"
    return "compiled for another event of the series, in which the field has another place: never holds here"


def _turns(found: Explanation) -> Iterator[Pieces]:
    if not found.rules.type.tag:
        return
    other = "dropped" if found.verdict.keep else "kept"
    if not found.turns:
        yield [Piece(f"No single condition, had it come out otherwise, would have had the event {other}.", "quiet")]
        yield from _what_it_takes(found)
        return
    yield [Piece(f"It would have been {other} if one of these alone had come out otherwise:", "quiet")]
    close = _in_rules(found)  # the last that a Rule wants for: of these, each is shown
    for (element, held), run in groupby(found.turns, lambda turn: (turn.element, turn.held)):
        turns = list(run)
        single = [turn for turn in turns if turn.check.mask & close]
        rest = [turn for turn in turns if not turn.check.mask & close]
        if len(rest) <= _FEW or not held:
            single, rest = turns, []
        for turn in single:
            said = "  had it held" if held else "  had it not held"
            text = Piece(condition_text(turn.check.source), "value")
            yield [Piece(f"{turn.check.source.place.line:>{_MARGIN}}   ", "quiet"), text, Piece(said, "quiet")]
        if rest:
            yield _many(rest, f'<{element.source.tag} onmatch="{element.source.onmatch}">')


def _in_rules(found: Explanation) -> Hits:
    """The conditions that stand in a Rule with others of which each must hold."""
    entries = (entry for element in found.trace.elements for entry in element.entries)
    groups = [entry.group for entry in entries if isinstance(entry, GroupTrace)]
    return sum(g.mask for g in groups if g.source.relation is Relation.AND and len(g.checks) > 1)


def _what_it_takes(found: Explanation) -> Iterator[Pieces]:
    """Of an event that an exclude drops: whether it is only the excludes that do."""
    trace = found.trace
    if found.verdict.keep or trace.decided_by is None:
        return
    if not found.kept_without_excludes:
        yield [Piece("It would be dropped without any exclude as well: no include matches it.", "quiet")]
        return
    held = [c for e in trace.elements if e.element.source.onmatch == "exclude" for c in e.checks if c.outcome]
    yield [Piece("Without its excludes it would be kept. These of their conditions hold, looked at or not:", "quiet")]
    for check in held:
        source = check.check.source
        yield [Piece(f"{source.place.line:>{_MARGIN}}   ", "quiet"), Piece(condition_text(source), "value")]


def _many(turns: list[Turn], element: str) -> Pieces:
    first, last = (turns[at].check.source.place.line for at in (0, -1))
    fields = Counter(turn.check.field for turn in turns)
    said = ", ".join(f"{field} {count}" for field, count in fields.most_common())
    text = f"any of {len(turns)} conditions of {element}, had it held ({said})"
    return [Piece(f"{f'{first}-{last}':>{_MARGIN}}   ", "quiet"), Piece(text, "value")]
