"""Times, spans and ends of processes in words; lines of pieces, cut to a width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from pysmon.formats.clock import system_time
from pysmon.formats.describe import Piece
from pysmon.formats.visible import visible
from pysmon.views.lineage import Process
from pysmon.views.sentences import NONE, program_name, value

_SECOND = 1_000_000_000
_DAY = len("2026-11-21 ")
_UNITS = ("B", "KB", "MB", "GB", "TB")


class Line(NamedTuple):
    """A line of a view. If it is folded, what goes on is indented by `hang` columns."""

    pieces: list[Piece]
    hang: int = 0


@dataclass(frozen=True, slots=True)
class Screen:
    """What there is to draw on."""

    columns: int | None = None  # lines are cut to it where a view says so; None: never
    boxes: bool = False  # whether it shows box characters

    @property
    def ellipsis(self) -> str:
        """What stands for text that was cut off."""
        return "…" if self.boxes else "..."


def day(time: str) -> str:
    """The day of an event's UtcTime."""
    return visible(time[: _DAY - 1])


def clock(time: str) -> str:
    """The time of day of an event's UtcTime."""
    return visible(time[_DAY:])


def moment(ns: int) -> str:
    """A moment for people: `2026-11-21 08:15:00` (UTC)."""
    return system_time(ns)[:19].replace("T", " ")


def size(count: int) -> str:
    """Bytes for people: `48.2 MB`."""
    amount, unit = float(count), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if unit else f"{count} B"


def span(ns: int) -> str:
    """How long something took: `0.3 s`, `2 min 5 s`, `3 h 10 min`, `4 d 2 h`."""
    seconds = max(ns, 0) / _SECOND
    if seconds < 0.095:
        return f"{seconds:.3f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, name, part, lower in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            rest = whole % unit // part
            return f"{whole // unit} {name} {rest} {lower}" if rest else f"{whole // unit} {name}"
    return f"{whole} s"


def lifetime(process: Process) -> int | None:
    """How long a process lived, in ns; None if its beginning or its end is not known."""
    if process.end is None or not process.began:
        return None
    return process.end.time - process.programs[0].time


def ending(process: Process) -> list[Piece]:
    """`exit 0 after 0.3 s`, `signal 9`, `ended`, or nothing for a process of which no end is known."""
    if process.end is None:
        return []
    event = process.end.event
    signal, code = value(event, "Signal"), value(event, "ExitCode")
    if signal != NONE:
        pieces = [Piece(f"signal {visible(signal)}", "alarm")]
    elif code != NONE:
        pieces = [Piece(f"exit {visible(code)}", "quiet" if code == "0" else "alarm")]
    else:
        pieces = [Piece("ended", "quiet")]
    lived = lifetime(process)
    return pieces if lived is None else [*pieces, Piece(f" after {span(lived)}", "quiet")]


def named(image: str, command_line: str = NONE) -> str:
    """A program by the name of its file; if that is not known, by the first word of its command line."""
    if image == NONE:
        image = command_line.split(" ", 1)[0] or NONE
    return "an unknown program" if image == NONE else program_name(image)


def cut(pieces: list[Piece], screen: Screen, columns: int | None = None) -> list[Piece]:
    """The pieces within the width of the screen, or `columns`; an ellipsis tells that something is missing."""
    room = columns if columns is not None else screen.columns
    if room is None or sum(cell_len(piece.text) for piece in pieces) <= room:
        return pieces
    room -= len(screen.ellipsis)
    kept: list[Piece] = []
    for piece in pieces:
        size = cell_len(piece.text)
        if size > room:
            kept.append(Piece(set_cell_size(piece.text, max(room, 0)), piece.style))
            break
        kept.append(piece)
        room -= size
    return [*kept, Piece(screen.ellipsis, "quiet")]


def padded(text: str, columns: int) -> str:
    """The text with blanks up to a width."""
    return text + " " * max(columns - cell_len(text), 0)
