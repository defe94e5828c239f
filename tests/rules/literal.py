"""The judge of the property test: the published algorithm, step by step, slow and without a thought of speed.

Nothing here is shared with the engine: texts are lists of UTF-16 units that end in 0, case is folded unit by unit, and
groups are walked as Sysmon's engine walks its list of filters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from pysmon.config.model import Condition, Configuration, EventFilter, Filter, Relation
from pysmon.rules.verdict import Verdict
from pysmon.schema.event import EVENTS, Event, EventType

Units = list[int]


class _Match(Enum):
    YES = 1
    NO = 2
    FAILED = 3  # a field had no value that could be looked at


def decide(configuration: Configuration, event: Event, image_splits_on: str) -> Verdict:
    """What happens to an event."""
    event_type = type(event).type
    if event_type.tag == "":
        return Verdict(True, "-")
    elements: list[EventFilter] = []
    for onmatch in ("include", "exclude"):  # filled from the back: the last one in comes out first
        for element in configuration.filters:
            if element.tag == event_type.tag and element.onmatch == onmatch:
                elements.insert(0, element)
    if len(elements) == 0:
        return Verdict(event_type.default == "include", "-")
    walk = _Walk(event_type, event, image_splits_on, rule_name=None)
    for element in elements:
        if walk.element(element) is _Match.YES:
            return Verdict(element.onmatch == "include", walk.rule_name or "-")
    if len(elements) == 1:
        return Verdict(elements[0].onmatch == "exclude", "-")
    return Verdict(False, "-")


@dataclass
class _Line:
    """One filter of the flat list, with the number of the Rule it stands in (0: none)."""

    filter: Filter
    field_id: int
    rule: int
    relation: Relation | None


@dataclass
class _Walk:
    event_type: EventType
    event: Event
    image_splits_on: str
    rule_name: str | None

    def element(self, element: EventFilter) -> _Match:
        lines = _flat(element)
        if len(lines) == 0:
            return _Match.NO
        other = None if element.event_id == self.event_type.id else EVENTS[element.event_id]
        matched_fields: set[int] = set()
        i = 0
        while i < len(lines):
            line = lines[i]
            if line.rule != 0:
                end = i
                while end < len(lines) and lines[end].rule == line.rule:
                    end += 1
                matched = self.rule(lines[i:end], other)
                i = end
                if matched is _Match.FAILED:
                    return _Match.FAILED
                if element.relation is Relation.OR and matched is _Match.YES:
                    return _Match.YES
                if element.relation is Relation.AND and matched is _Match.NO:
                    return _Match.NO
                continue
            alive = self.alive(line, other)
            if alive and line.field_id in matched_fields:
                i += 1
                continue
            matched = self.filter(line) if alive else _Match.NO
            if matched is _Match.FAILED:
                return _Match.FAILED
            if matched is _Match.YES:
                matched_fields.add(line.field_id)
                if element.relation is Relation.OR:
                    return _Match.YES
            elif element.relation is Relation.AND:
                later = [x for x in lines[i + 1 :] if x.field_id == line.field_id and x.rule == 0]
                if len(later) == 0:
                    return _Match.NO
            i += 1
        return _Match.YES if element.relation is Relation.AND else _Match.NO

    def rule(self, lines: list[_Line], other: EventType | None) -> _Match:
        relation = lines[0].relation
        for line in lines:
            matched = self.filter(line) if self.alive(line, other) else _Match.NO
            if matched is _Match.FAILED:
                return _Match.FAILED
            if relation is Relation.OR and matched is _Match.YES:
                return _Match.YES
            if relation is Relation.AND and matched is _Match.NO:
                return _Match.NO
        return _Match.YES if relation is Relation.AND else _Match.NO

    def alive(self, line: _Line, other: EventType | None) -> bool:
        if line.field_id >= len(self.event_type.fields):
            return False
        if other is None:
            return True
        return self.event_type.fields[line.field_id].name == other.fields[line.field_id].name

    def filter(self, line: _Line) -> _Match:
        field = self.event_type.fields[line.field_id]
        found = None if field.name == "RuleName" else getattr(self.event, field.name)
        if found is None and field.kind.in_type not in ("win:UnicodeString", "win:Boolean"):
            return _Match.FAILED
        text = "-" if found is None else field.kind.text(found)
        value = [_lower(unit) for unit in _units(line.filter.value)]
        holds = _holds(line.filter.condition, value, _units(text), [ord(c) for c in self.image_splits_on])
        if holds and line.filter.name:
            self.rule_name = line.filter.name
        return _Match.YES if holds else _Match.NO


def _flat(element: EventFilter) -> list[_Line]:
    names = [f.name for f in EVENTS[element.event_id].fields]
    lines = []
    number = 0
    for entry in element.entries:
        if isinstance(entry, Filter):
            lines.append(_Line(entry, names.index(entry.field), 0, None))
            continue
        number += 1
        lines += [_Line(f, names.index(f.field), number, entry.relation) for f in entry.filters]
    return lines


def _holds(condition: Condition, value: Units, text: Units, splitters: Units) -> bool:
    return _CONDITIONS[condition](value, text, splitters)


def _is(value: Units, text: Units, _: Units) -> bool:
    return _compare(text, value) == 0


def _is_any(value: Units, text: Units, _: Units) -> bool:
    length = _length(text)
    for start, size in _tokens(value):
        if size == length and _compare([*text[:length], 0], [*value[start : start + size], 0]) == 0:
            return True
    return False


def _contains(value: Units, text: Units, _: Units) -> bool:
    return _found(text, value, 0, 0)


def _contains_any(value: Units, text: Units, _: Units) -> bool:
    return any(_found(text, value, start, size) for start, size in _tokens(value))


def _contains_all(value: Units, text: Units, _: Units) -> bool:
    return all(_found(text, value, start, size) for start, size in _tokens(value))


def _begins(value: Units, text: Units, _: Units) -> bool:
    return all(_upper(text[i]) == _upper(value[i]) for i in range(_length(value)))


def _ends(value: Units, text: Units, _: Units) -> bool:
    if _length(value) > _length(text):
        return False
    return _compare(text[_length(text) - _length(value) :], value) == 0


def _less(value: Units, text: Units, _: Units) -> bool:
    return _compare(text, value) < 0


def _more(value: Units, text: Units, _: Units) -> bool:
    return _compare(text, value) > 0


def _image(value: Units, text: Units, splitters: Units) -> bool:
    if all(unit not in splitters for unit in value):
        at = _length(text)
        while at >= 0:
            if text[at] in splitters:
                text = text[at + 1 :]
                break
            at -= 1
    return _compare(text, value) == 0


_Compare = Callable[[Units, Units, Units], bool]


def _not(compare: _Compare) -> _Compare:
    return lambda value, text, splitters: not compare(value, text, splitters)


_CONDITIONS: dict[Condition, _Compare] = {
    Condition.IS: _is,
    Condition.IS_NOT: _not(_is),
    Condition.CONTAINS: _contains,
    Condition.CONTAINS_ANY: _contains_any,
    Condition.IS_ANY: _is_any,
    Condition.CONTAINS_ALL: _contains_all,
    Condition.EXCLUDES: _not(_contains),
    Condition.EXCLUDES_ANY: _not(_contains_any),
    Condition.EXCLUDES_ALL: _not(_contains_all),
    Condition.BEGIN_WITH: _begins,
    Condition.END_WITH: _ends,
    Condition.LESS_THAN: _less,
    Condition.MORE_THAN: _more,
    Condition.IMAGE: _image,
    Condition.NOT_BEGIN_WITH: _not(_begins),
    Condition.NOT_END_WITH: _not(_ends),
}


def _units(text: str) -> Units:
    data = text.encode("utf-16-le", "surrogatepass")
    return [data[i] | data[i + 1] << 8 for i in range(0, len(data), 2)] + [0]


def _lower(unit: int) -> int:
    return unit + 32 if ord("A") <= unit <= ord("Z") else unit


def _upper(unit: int) -> int:
    return unit - 32 if ord("a") <= unit <= ord("z") else unit


def _length(text: Units) -> int:
    return text.index(0)


def _compare(one: Units, two: Units) -> int:
    i = 0
    while one[i] != 0 or two[i] != 0:
        if _upper(one[i]) != _upper(two[i]):
            return -1 if _upper(one[i]) < _upper(two[i]) else 1
        i += 1
    return 0


def _tokens(value: Units) -> list[tuple[int, int]]:
    """Where each text of a `;` list begins, and how long it is."""
    tokens = []
    start = 0
    for i, unit in enumerate(value):
        if unit in (0, ord(";")):
            tokens.append((start, i - start))
            start = i + 1
    return tokens


def _found(text: Units, value: Units, start: int, size: int) -> bool:
    """The search for a part: of `size` units of the value from `start` on; a size of 0 means up to its end."""
    part = value[start : start + size] if size else value[start : _length(value)]
    at = 0
    while text[at] != 0:
        if [_lower(unit) for unit in text[at : at + len(part)]] == part:
            return True
        at += 1
    return False
