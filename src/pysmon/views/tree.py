"""Processes as a tree: who started whom, when, as whom, how it ended, and how much it did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from pysmon.formats.describe import Piece
from pysmon.formats.visible import visible
from pysmon.views.lineage import Process
from pysmon.views.sentences import NONE
from pysmon.views.words import Line, Screen, clock, cut, day, ending, named, padded

_DEEPEST = 16  # levels that are drawn; beyond, the outer ones become a number
_ALIKE = 4  # as many siblings that did nothing but run the same are told together
_COMMAND_LEAST = 20  # columns
_DEEDS = {  # by the word of the mark
    "net": (3,),
    "dns": (22,),
    "files": (2, 11, 15, 23, 26, 29),
    "blocked": (27, 28),
    "registry": (12, 13, 14),
    "images": (6, 7),
    "pipes": (17, 18),
    "reaches into others": (8, 10),
}
_MARKED = {number for numbers in _DEEDS.values() for number in numbers}


class _Strokes(NamedTuple):
    through: str
    tee: str
    corner: str
    gap: str
    deep: str


_BOXES = _Strokes("│  ", "├─ ", "└─ ", "   ", "⋯")
_ASCII = _Strokes("|  ", "|- ", "`- ", "   ", "~")
_Fold = list[Process]  # siblings that look the same


def tree(processes: Iterable[Process], screen: Screen, *, fold: bool = True, always: bool = False) -> Iterator[Line]:
    """The lines of these processes and of all their descendants, in the order in which they came up.

    A process that was began earlier is marked; it is left away if it did nothing and started nothing, except with
    `always`. With `fold`
    many siblings that only ran the same program become one line.
    """
    strokes = _BOXES if screen.boxes else _ASCII
    today = ""
    waiting: list[tuple[_Fold, tuple[bool, ...]]] = []
    waiting += [([root], ()) for root in processes if always or _matters(root)][::-1]
    while waiting:
        group, path = waiting.pop()
        process = group[0]
        date = _date(process)
        if date and date != today:
            today = date
            yield Line([Piece(date, "time")])
        yield from _lines(group, path, screen, strokes)
        below = _folded([child for child in process.children if _matters(child)], fold)
        waiting += [(child, (*path, at == 0)) for at, child in enumerate(reversed(below))]


def _matters(process: Process) -> bool:
    return process.began or bool(process.children) or bool(process.deeds)


def _date(process: Process) -> str:
    return day(process.programs[0].event.text("UtcTime")) if process.programs else ""


def _folded(children: list[Process], fold: bool) -> list[_Fold]:
    groups: list[_Fold] = []
    for alike, together in groupby(children, _look):
        members = list(together)
        if fold and alike is not None and len(members) >= _ALIKE:
            groups.append(members)
        else:
            groups += [[member] for member in members]
    return groups


def _look(process: Process) -> tuple[str, str, str] | None:
    """What siblings must share to be told together; None for one that is told by itself."""
    if len(process.programs) != 1 or process.children or process.deeds:
        return None
    end = ending(process)
    return process.image, process.user, end[0].text if end else ""


def _lines(group: _Fold, path: tuple[bool, ...], screen: Screen, strokes: _Strokes) -> Iterator[Line]:
    process = group[0]
    programs = process.programs
    before = _guide(path, strokes)
    if not programs:
        yield _line(
            "",
            before,
            [*_who(process), Piece("  began earlier", "quiet"), *_marks(process)],
            process.command_line,
            screen,
        )
        return
    after = _guide(path, strokes, further=True)
    for at, entry in enumerate(programs):
        event, last = entry.event, at == len(programs) - 1
        words = [Piece("became ", "quiet")] if at else []
        words.append(Piece(named(event.text("Image"), event.text("CommandLine")), "name"))
        if not at:
            words += _identity(process, event.text("User"))
        if last:
            words += _repeated(group) if len(group) > 1 else _marks(process)
        command = NONE if len(group) > 1 else event.text("CommandLine")
        yield _line(clock(event.text("UtcTime")), after if at else before, words, command, screen)


def _guide(path: tuple[bool, ...], strokes: _Strokes, *, further: bool = False) -> str:
    if not path:
        return strokes.gap if further else ""
    hidden = max(len(path) - _DEEPEST, 0)
    outer = "".join(strokes.gap if last else strokes.through for last in path[hidden:-1])
    own = (strokes.gap if path[-1] else strokes.through) if further else strokes.corner if path[-1] else strokes.tee
    count = f"{strokes.deep}{hidden} " if hidden else ""
    return f"{count}{outer}{own}"


def _line(time: str, guide: str, words: list[Piece], command: str, screen: Screen) -> Line:
    pieces = [Piece(padded(time, len("08:15:02.123")) + "  ", "time")]
    if guide:
        pieces.append(Piece(guide, "quiet"))
    pieces += words
    if command != NONE:
        pieces += (Piece("  ", "quiet"), Piece(visible(command), "command"))
    return Line(cut(pieces, screen))


def _who(process: Process) -> list[Piece]:
    return [Piece(named(process.image, process.command_line), "name"), *_identity(process, process.user)]


def _identity(process: Process, user: str) -> list[Piece]:
    pieces = [Piece(f" [{visible(process.pid)}]", "id")]
    return pieces if user == NONE else [*pieces, Piece("  ", "quiet"), Piece(visible(user), "user")]


def _marks(process: Process) -> list[Piece]:
    pieces: list[Piece] = []
    end = ending(process)
    if end:
        pieces += (Piece("  ", "quiet"), *end)
    counts = {word: sum(process.deeds[number] for number in numbers) for word, numbers in _DEEDS.items()}
    counts["other"] = sum(count for number, count in process.deeds.items() if number not in _MARKED)
    for word, count in counts.items():
        if count:
            pieces += (Piece("  ", "quiet"), Piece(f"{word} {count}", "address"))
    return pieces


def _repeated(group: _Fold) -> list[Piece]:
    last = group[-1]
    when = clock(last.programs[0].event.text("UtcTime"))
    pieces = [Piece(f"  {len(group)} times, until [{visible(last.pid)}] at {when}", "quiet")]
    end = ending(last)
    return [*pieces, Piece("  ", "quiet"), Piece(f"each {end[0].text}", end[0].style)] if end else pieces
