"""What is different between two configurations by what they mean: comments, layout, the case of values are nothing.

Whether there is a difference at all is judged by form (`diff_canon`), event by event. Where there is one, the entries
of the elements are compared: which went, which came, which changed, which stand in another order that matters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

from pysmon.config.model import Configuration, EventFilter, Filter, Relation, Rule
from pysmon.errors import Place
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.lookup import TAGS, by_tag
from pysmon.schema.options import options_at
from pysmon.schema.versions import newest
from pysmon.workbench.diff_canon import Form, canonical, condition_form

Sort = Literal["added", "removed", "changed", "moved", "default", "option"]
Part = Filter | Rule | EventFilter
_UNDECLARED = ("CopyOnDeletePE", "CopyOnDeleteSIDs", "CopyOnDeleteExtensions", "CopyOnDeleteProcesses")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `inner` are the conditions that went (False) and came (True), of a Rule or a whole element."""

    sort: Sort
    tag: str  # of the event; of an option its element
    onmatch: str = ""
    old: Part | None = None
    new: Part | None = None
    inner: tuple[tuple[bool, Filter], ...] = ()
    said: str = ""  # of a default or an option: `kept -> dropped`

    @property
    def place(self) -> Place | None:
        """Where it stands: in the new configuration, or in the old one if it is gone."""
        part = self.new or self.old
        return part.place if part else None


@dataclass(frozen=True, slots=True)
class _Item:
    """Something that can decide: an entry of an element that takes any, or a whole element that takes all."""

    part: Part
    onmatch: str
    form: Form  # with the names
    conditions: tuple[Filter, ...]


def diff(old: Configuration, new: Configuration) -> list[Change]:
    """The differences: first of the options, then by event in the order of the manifest. Empty if there are none."""
    found = list(_options(old, new))
    before, after = Ruleset.compile(old), Ruleset.compile(new)
    splits_on = before.image_splits_on
    for tag in TAGS:
        numbers = [made.id for made in by_tag(tag)]
        forms = [[canonical(rules.rules[n], splits_on) for n in numbers] for rules in (before, after)]
        if forms[0] != forms[1]:
            told = [*_changes(tag, old, new, splits_on), *_defaults(tag, before, after)]
            found += told or [Change("moved", tag, said="the elements are asked in another order")]
    return found


def _options(old: Configuration, new: Configuration) -> Iterator[Change]:
    if old.schema_version != new.schema_version:
        yield Change("option", "schemaversion", said=f"{old.schema_version} -> {new.schema_version}")
    for each in fields(old.options):
        one, two = getattr(old.options, each.name), getattr(new.options, each.name)
        if one != two:
            yield Change("option", _element(each.name), said=f"{_shown(one)} -> {_shown(two)}")


def _element(option: str) -> str:
    """The name that an option has in a configuration."""
    wanted = option.replace("_", "")
    names = [o.element for o in options_at(newest("windows").version, "windows") if o.element]
    return next((name for name in (*names, *_UNDECLARED) if name.lower().startswith(wanted)), option)


def _shown(value: object) -> str:
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return str(value)


def _defaults(tag: str, before: Ruleset, after: Ruleset) -> Iterator[Change]:
    first = by_tag(tag)[0].id
    one, two = before.rules[first].otherwise, after.rules[first].otherwise
    if one != two:
        words = {True: "kept", False: "dropped"}
        yield Change("default", tag, said=f"{words[one]} -> {words[two]}")


def _changes(tag: str, old: Configuration, new: Configuration, splits_on: str) -> Iterator[Change]:
    before, after = ([f for f in each.filters if f.tag == tag] for each in (old, new))
    turned = _turned(before, after, splits_on)
    yield from (Change("changed", tag, two.onmatch, one, two, said=_how(one, two)) for one, two in turned)
    was = list(_items([f for f in before if all(f is not one for one, _ in turned)], splits_on))
    now = list(_items([f for f in after if all(f is not two for _, two in turned)], splits_on))
    kept, gone, come = _matched(was, now)
    yield from _moved(tag, kept, old, new)
    yield from _reworked(tag, gone, come)
    yield from (Change("removed", tag, item.onmatch, old=item.part) for item in gone)
    yield from (Change("added", tag, item.onmatch, new=item.part) for item in come)


def _turned(
    before: list[EventFilter], after: list[EventFilter], splits_on: str
) -> list[tuple[EventFilter, EventFilter]]:
    """Elements with the same entries that join or match otherwise than before."""
    was, now = ([(each, _entries_form(each, splits_on)) for each in made] for made in (before, after))
    as_before = [(each.onmatch, each.relation, form) for each, form in was]
    found: list[tuple[EventFilter, EventFilter]] = []
    for new, form in now:
        if not form or (new.onmatch, new.relation, form) in as_before:
            continue
        for old, other in was:
            still = any((old.onmatch, old.relation, other) == (n.onmatch, n.relation, f) for n, f in now)
            if form == other and not still and all(old is not one for one, _ in found):
                found.append((old, new))
                break
    return found


def _entries_form(element: EventFilter, splits_on: str) -> Form:
    return tuple(_form(entry, splits_on) for entry in element.entries)


def _how(old: EventFilter, new: EventFilter) -> str:
    words = [(old.onmatch, new.onmatch), (old.relation.name.lower(), new.relation.name.lower())]
    return ", ".join(f"{one} -> {two}" for one, two in words if one != two)


def _items(elements: list[EventFilter], splits_on: str) -> Iterator[_Item]:
    """What can decide, in the order in which it is asked."""
    for onmatch in ("exclude", "include"):
        for element in reversed(elements):
            if element.onmatch == onmatch:
                yield from _items_of(element, splits_on)


def _items_of(element: EventFilter, splits_on: str) -> Iterator[_Item]:
    parts: Sequence[Part] = element.entries
    if not element.entries or (element.relation is Relation.AND and len(element.entries) > 1):
        parts = [element]
    for part in parts:
        conditions = tuple(_conditions(part))
        form = _form(part, splits_on)
        if conditions or isinstance(part, EventFilter):
            yield _Item(part, element.onmatch, form, conditions)


def _conditions(part: Part) -> Iterator[Filter]:
    if isinstance(part, Filter):
        yield part
    elif isinstance(part, Rule):
        yield from part.filters
    else:
        for entry in part.entries:
            yield from _conditions(entry)


def _form(part: Part, splits_on: str) -> Form:
    if isinstance(part, Filter):
        return part.field, part.name, *condition_form(part.condition, part.value, splits_on)
    inner = part.filters if isinstance(part, Rule) else part.entries
    if len(inner) == 1:
        return _form(inner[0], splits_on)
    kind = part.relation.name if isinstance(part, Rule) else "element"
    return kind, *(_form(entry, splits_on) for entry in inner)


def _matched(was: list[_Item], now: list[_Item]) -> tuple[list[tuple[_Item, _Item, int]], list[_Item], list[_Item]]:
    """What says the same in both, in the order of the old one and with its place in the new; what is left of both."""
    waiting: dict[tuple[str, Form], list[int]] = defaultdict(list)
    for place in reversed(range(len(now))):
        waiting[now[place].onmatch, now[place].form].append(place)
    pairs, gone = [], []
    for item in was:
        same = waiting[item.onmatch, item.form]
        if same:
            place = same.pop()
            pairs.append((item, now[place], place))
        else:
            gone.append(item)
    taken = {place for _, _, place in pairs}
    return pairs, gone, [item for place, item in enumerate(now) if place not in taken]


def _moved(tag: str, pairs: list[tuple[_Item, _Item, int]], old: Configuration, new: Configuration) -> Iterator[Change]:
    """Of what is in both, the fewest whose moves explain the new order; nothing if the order changes nothing."""
    of_old, of_new = [one.part for one, _, _ in pairs], [two.part for _, two, _ in pairs]
    rules = [Ruleset.compile(_only(old, tag, of_old)), Ruleset.compile(_only(new, tag, of_new))]
    numbers = [made.id for made in by_tag(tag)]
    forms = [[canonical(made.rules[n], made.image_splits_on) for n in numbers] for made in rules]
    if forms[0] == forms[1]:
        return
    stays = _longest_run([place for _, _, place in pairs])
    for at, (before, after, _) in enumerate(pairs):
        if at not in stays:
            yield Change("moved", tag, after.onmatch, before.part, after.part)


def _only(configuration: Configuration, tag: str, parts: list[Part]) -> Configuration:
    """The elements of a tag with nothing in them but these parts."""
    wanted = {id(part) for part in parts}
    made = []
    for element in (f for f in configuration.filters if f.tag == tag):
        whole = id(element) in wanted
        entries = tuple(entry for entry in element.entries if whole or id(entry) in wanted)
        made.append(replace(element, entries=entries))
    return replace(configuration, filters=tuple(made))


def _longest_run(numbers: list[int]) -> set[int]:
    """Positions of the longest ascending run of numbers, gaps allowed."""
    best: list[int] = []  # of runs of each length the position where the one with the least end ends
    before: dict[int, int] = {}
    for at, number in enumerate(numbers):
        low, high = 0, len(best)
        while low < high:
            middle = (low + high) // 2
            if numbers[best[middle]] < number:
                low = middle + 1
            else:
                high = middle
        if low:
            before[at] = best[low - 1]
        best[low : low + 1] = [at]
    found: set[int] = set()
    at = best[-1] if best else -1
    while at >= 0:
        found.add(at)
        at = before.get(at, -1)
    return found


def _reworked(tag: str, gone: list[_Item], come: list[_Item]) -> Iterator[Change]:
    """What is still there but not the same: by what two items share. They are taken out of both lists."""
    for old in list(gone):
        likely = max(come, key=lambda new: _likeness(old, new), default=None)
        if likely is None or _likeness(old, likely) < 0.5:
            continue
        gone.remove(old)
        come.remove(likely)
        inner = _inner(old, likely)
        yield Change("changed", tag, likely.onmatch, old=old.part, new=likely.part, inner=inner)


def _likeness(old: _Item, new: _Item) -> float:
    """From 0 to 1 and more: how much two items have in common."""
    if old.onmatch != new.onmatch or not old.conditions or not new.conditions:
        return 0.0
    if len(old.conditions) == len(new.conditions) == 1:
        one, two = old.conditions[0], new.conditions[0]
        if one.field != two.field:
            return 0.0
        same_condition, same_name = one.condition is two.condition, one.name == two.name != ""
        return 0.2 * same_condition + 0.5 * _alike(one.value.lower(), two.value.lower()) + 0.4 * same_name
    one_has, two_has = ({_said(f) for f in item.conditions} for item in (old, new))
    shared = len(one_has & two_has) / max(len(one_has), len(two_has))
    named = {f.name for f in old.conditions} & {f.name for f in new.conditions} - {""}
    return shared + (0.5 if named and type(old.part) is type(new.part) else 0.0)


def _alike(one: str, two: str) -> float:
    """Whether two values are the same, or one is the other with more before or behind it."""
    short, long = sorted((one, two), key=len)
    return 1.0 if one == two else 0.7 if len(short) > 4 and short in long else 0.0


def _said(each: Filter) -> tuple[str, str, str]:
    return each.field, each.condition.value, each.value.lower()


def _inner(old: _Item, new: _Item) -> tuple[tuple[bool, Filter], ...]:
    if len(old.conditions) == len(new.conditions) == 1:
        return ()
    was, now = ({(*_said(f), f.name): f for f in item.conditions} for item in (old, new))
    gone = [(False, f) for key, f in was.items() if key not in now]
    return (*gone, *((True, f) for key, f in now.items() if key not in was))
