"""Entries as a table, one line each; and as details, one field a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from pysmon.formats.clock import system_time
from pysmon.formats.describe import Piece, Style, shown
from pysmon.formats.visible import visible
from pysmon.schema.catalogue import ProcessCreate
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.views.sentences import NONE, actor, predicate, program_name, subject, value
from pysmon.views.words import Line, Screen, clock, cut, padded

_GAP = Piece("  ", "quiet")


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: int  # what is wider is cut on a screen, and shifts the rest elsewhere
    style: Style
    text: Callable[[Event], str]


def heading(screen: Screen) -> Line:
    """The names of the columns."""
    titles = [padded(column.title, column.width) for column in _columns(screen)]
    return Line(cut([Piece("  ".join([*titles, "what"]), "quiet")], screen))


def row(entry: Entry[Event], screen: Screen) -> Line:
    """An entry as one line of the table."""
    event = entry.event
    pieces: list[Piece] = []
    columns = _columns(screen)
    for column in columns:
        text = column.text(event)
        style: Style = "alarm" if column.style == "name" and event.type.level == "Error" else column.style
        if screen.columns is not None and cell_len(text) > column.width:
            text = "".join(piece.text for piece in cut([Piece(text, style)], screen, column.width))
        pieces += (Piece(padded(text, column.width), style), _GAP)
    if isinstance(event, ProcessCreate) and columns is _WIDE:  # the name of the event says the rest
        what = [shown("CommandLine", event.CommandLine)]
    else:
        what = predicate(event)
    return Line(cut([*pieces, *what], screen))


def _columns(screen: Screen) -> tuple[_Column, ...]:
    return _WIDE if screen.columns is None or screen.columns >= _ROOMY else _NARROW


def details(entry: Entry[Event]) -> Iterator[Line]:
    """All fields of an entry, one a line, and what it has beyond them; first the line that tells it from others."""
    event = entry.event
    schema = event.type
    yield Line(
        [
            Piece(f"{schema.id} {schema.cls.__name__}", "alarm" if schema.level == "Error" else "name"),
            Piece(f"  {schema.title}  record {entry.record_id}  {system_time(entry.time)}", "quiet"),
            Piece(f"  {visible(entry.origin.computer)}", "value"),
        ]
    )
    facts = [(field.name, event.text(field.name)) for field in schema.fields]
    facts += [(f"+ {visible(key)}", str(fact)) for key, fact in (event.extra or {}).items()]
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        label = Piece(f"  {padded(name, width)}  ", "quiet")
        yield Line([label, Piece(text, "quiet") if text == NONE else shown(name, text)], 2 + width + 2)


def _process(event: Event) -> str:
    _, pid, image = actor(event)
    if pid == NONE:
        who = subject(event)
        return NONE if who is None or who == _user(event) else who
    return f"{program_name(image)}[{visible(pid)}]"


def _user(event: Event) -> str:
    names: Sequence[str] = ("User", "SourceUser")
    return visible(next((text for name in names if (text := value(event, name)) != NONE), NONE))


_ID = _Column("id", 3, "id", lambda event: str(event.type.id).rjust(3))
_WIDE = (
    _Column("time (UTC)", 23, "time", lambda event: visible(event.text("UtcTime"))),
    _ID,
    _Column("event", 18, "name", lambda event: event.type.cls.__name__),
    _Column("process", 20, "path", _process),
    _Column("user", 8, "user", _user),
)
_NARROW = (
    _Column("time (UTC)", 12, "time", lambda event: clock(event.text("UtcTime"))),
    _ID,
    _Column("process", 16, "path", _process),
)
_ROOMY = 120  # columns of a screen
