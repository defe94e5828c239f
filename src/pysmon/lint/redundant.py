"""Checks of rules that stand in each other's way: doubled, shadowed, swallowed by an exclude (L301 to L304)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from pysmon.config.model import Filter, Rule
from pysmon.config.report import quoted
from pysmon.lint.check import Check, Found, exclude, filtering, include
from pysmon.lint.covering import Cover
from pysmon.lint.scene import Case, Scene
from pysmon.rules.conditions import fold

_Covered = dict[int, tuple[Case, Case | None]]  # cases of one event, by the id of their source, with what covers them


def _is_exclude(case: Case) -> bool:
    return case.element.source.onmatch == "exclude"


@lru_cache(maxsize=1)  # three checks ask for them, one after the other
def _pairs(scene: Scene) -> tuple[tuple[Case, Case], ...]:
    """Cases that can decide nothing, with that of the same kind that is asked before and covers them."""
    return tuple(_in_all_events(scene, lambda cases: _asked_before(scene, cases)))


def _asked_before(scene: Scene, cases: tuple[Case, ...]) -> _Covered:
    found: _Covered = {}
    for kind in (True, False):
        known = Cover(scene)
        for case in cases:
            if _is_exclude(case) is kind:
                found[id(case.source)] = case, known.of(case)
                known.add(case)
    return found


def _broader_later(scene: Scene, cases: tuple[Case, ...]) -> _Covered:
    """Cases that could as well be gone: one of the same kind and name, asked later, covers them."""
    found: _Covered = {}
    for kind in (True, False):
        known = Cover(scene)
        for case in reversed(cases):
            if _is_exclude(case) is kind:
                found[id(case.source)] = case, known.of(case, None if kind else case.names)
                known.add(case)
    return found


def _swallowed(scene: Scene, cases: tuple[Case, ...]) -> _Covered:
    known = Cover(scene)
    for case in cases:
        if _is_exclude(case):
            known.add(case)
    return {id(case.source): (case, known.of(case)) for case in cases if not _is_exclude(case)}


def _in_all_events(scene: Scene, find: Callable[[tuple[Case, ...]], _Covered]) -> Iterator[tuple[Case, Case]]:
    """Cases that one other covers in every event of their tag in which they can match, with the other."""
    by_tag: dict[str, list[_Covered]] = {}
    for event in scene.events:
        alive = tuple(case for case in scene.cases[event.id] if not case.dead)
        by_tag.setdefault(event.tag, []).append(find(alive))
    for found in by_tag.values():
        for key in dict.fromkeys(key for covered in found for key in covered):
            pairs = [covered[key] for covered in found if key in covered]
            others = {id(by.source): (case, by) for case, by in pairs if by}
            if len(others) == 1 and all(by for _, by in pairs):
                yield next(iter(others.values()))


def _same(one: Case, two: Case) -> bool:
    return _written(one) == _written(two)


def _written(case: Case) -> list[list[tuple[str, str, str]]]:
    return [[(c.field, c.source.condition.value, fold(c.source.value)) for c in clause] for clause in case.clauses]


def _what(case: Case) -> str:
    return "condition" if isinstance(case.source, Filter) else "rule" if isinstance(case.source, Rule) else "element"


def _doubled(scene: Scene) -> Iterator[Found]:
    for case, by in _pairs(scene):
        if _same(case, by):
            message = f"the {_what(case)} stands in line {by.place.line} already{_other_name(case, by)}"
            yield Found(case.place, message, "each rule once", "remove one of them")


def _shadowed(scene: Scene) -> Iterator[Found]:
    for case, by in _pairs(scene):
        if not _same(case, by):
            message = f"whatever meets this {_what(case)} meets that of line {by.place.line}, which is asked first"
            message += _other_name(case, by)
            yield Found(
                case.place, message, "rules of which each can decide", "remove it, or put it where it is asked first"
            )


def _other_name(case: Case, by: Case) -> str:
    if _is_exclude(case) or case.names == by.names:
        return ""
    name = next(iter(sorted(case.names - by.names)), "")
    return f"; the name {quoted(name)} is never given" if name else ""


def _narrower(scene: Scene) -> Iterator[Found]:
    first = {id(case.source) for case, _ in _pairs(scene)}
    for case, by in _in_all_events(scene, lambda cases: _broader_later(scene, cases)):
        if id(case.source) not in first and not _same(case, by):
            message = f"that of line {by.place.line} is broader and does the same: this {_what(case)} changes nothing"
            yield Found(case.place, message, "rules of which each changes something", "remove it")


def _never_kept(scene: Scene) -> Iterator[Found]:
    for case, by in _in_all_events(scene, lambda cases: _swallowed(scene, cases)):
        message = f"the exclude of line {by.place.line} drops whatever this {_what(case)} would keep"
        yield Found(case.place, message, "an include that can keep something", "exclude wins over include: narrow it")


CHECKS = (
    Check(
        "L301",
        "warning",
        "A rule that is there already",
        "The same conditions stand in another rule that does the same. Of two includes the later element of the file is"
        " asked first, within an element the earlier rule; that one gives the name.",
        include(
            "ProcessCreate", '<Image condition="image">curl.exe</Image>\n<Image condition="image">CURL.EXE</Image>'
        ),
        include("ProcessCreate", '<Image condition="image">curl.exe</Image>'),
        _doubled,
    ),
    Check(
        "L302",
        "warning",
        "A rule behind a broader one",
        "A rule that is asked before matches whatever this one matches: this one never decides, and its name is never"
        " given.",
        include(
            "ProcessCreate",
            '<CommandLine condition="contains" name="any">vssadmin</CommandLine>\n'
            '<CommandLine condition="contains" name="delete">vssadmin delete</CommandLine>',
        ),
        include(
            "ProcessCreate",
            '<CommandLine condition="contains" name="delete">vssadmin delete</CommandLine>\n'
            '<CommandLine condition="contains" name="any">vssadmin</CommandLine>',
        ),
        _shadowed,
    ),
    Check(
        "L303",
        "note",
        "A rule before a broader one that does the same",
        "Nothing changes without it: what it matches, a later rule with the same name, or of the same exclude, matches"
        " too.",
        exclude(
            "ProcessCreate",
            '<Image condition="begin with">C:\\Program Files\\Updater\\bin\\</Image>\n'
            '<Image condition="begin with">C:\\Program Files\\Updater\\</Image>',
        ),
        exclude("ProcessCreate", '<Image condition="begin with">C:\\Program Files\\Updater\\bin\\</Image>'),
        _narrower,
    ),
    Check(
        "L304",
        "error",
        "An include that an exclude swallows",
        "An exclude wins over every include. What this include would keep, one exclude drops, always.",
        filtering(
            '<RuleGroup groupRelation="or">\n<ProcessCreate onmatch="include">\n'
            "<Image>C:\\Program Files\\Updater\\run.exe</Image>\n</ProcessCreate>\n"
            '<ProcessCreate onmatch="exclude">\n<Image condition="begin with">C:\\Program Files\\Updater\\</Image>\n'
            "</ProcessCreate>\n</RuleGroup>"
        ),
        filtering(
            '<RuleGroup groupRelation="or">\n<ProcessCreate onmatch="include">\n'
            "<Image>C:\\Program Files\\Updater\\run.exe</Image>\n</ProcessCreate>\n"
            '<ProcessCreate onmatch="exclude">\n'
            '<Image condition="begin with">C:\\Program Files\\Updater\\bin\\</Image>\n'
            "</ProcessCreate>\n</RuleGroup>"
        ),
        _never_kept,
    ),
)
