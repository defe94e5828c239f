"""The processes behind an event: from the oldest known ancestor down to the one that acted, then the event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pysmon.formats.describe import Piece
from pysmon.formats.visible import visible
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.views.lineage import Process
from pysmon.views.sentences import NONE
from pysmon.views.story import sentence
from pysmon.views.words import Line, Screen, clock, day, named

_MOST = 12  # ancestors that are told; of a longer line those in the middle are left away
_EVENTS = 10  # that are told of one process
_HANG = 6


def chain(process: Process | None, entries: Sequence[Entry[Event]], screen: Screen) -> Iterator[Line]:
    """The lines of a process with its ancestors, and of what it did: `entries`, in the order of time."""
    line = process.line if process is not None else []
    arrow = "↳ " if screen.boxes else "> "
    left_away = max(len(line) - _MOST, 0)
    for depth, ancestor in enumerate(line):
        if depth and depth <= left_away:
            if depth == left_away:
                yield Line([Piece(f"  {screen.ellipsis} {left_away} more", "quiet")])
            continue
        shift = depth - left_away if depth else 0
        indent = "  " * shift
        yield Line([Piece(indent + (arrow if depth else ""), "quiet"), *_ancestor(ancestor)], len(indent) + _HANG)
    indent = "  " * min(len(line), _MOST)
    for entry in entries[:_EVENTS]:
        time = entry.event.text("UtcTime")
        words = [Piece(f"{indent}{day(time)} {clock(time)}  ", "time"), *sentence(entry.event, process)]
        yield Line(words, len(indent) + _HANG)
    if len(entries) > _EVENTS:
        until = entries[-1].event.text("UtcTime")
        more = f"{indent}{screen.ellipsis} {len(entries) - _EVENTS} more such events, until {day(until)} {clock(until)}"
        yield Line([Piece(more, "quiet")], len(indent) + _HANG)


def _ancestor(process: Process) -> list[Piece]:
    pieces = [Piece(named(process.image, process.command_line), "name"), Piece(f" [{visible(process.pid)}]", "id")]
    if process.user != NONE:
        pieces += (Piece("  ", "quiet"), Piece(visible(process.user), "user"))
    if process.programs:
        time = process.programs[0].event.text("UtcTime")
        pieces.append(Piece(f"  since {day(time)} {clock(time)}", "time"))
    else:
        pieces.append(Piece("  began earlier", "quiet"))
    commands = [entry.event.text("CommandLine") for entry in process.programs] or [process.command_line]
    for at, command in enumerate(command for command in commands if command != NONE):
        pieces.append(Piece(" then " if at else "  ", "quiet"))
        pieces.append(Piece(visible(command), "command"))
    return pieces
