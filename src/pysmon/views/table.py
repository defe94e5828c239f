"""Entries as a table, one line each; and as details, one field a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from pysmon.formats.clock import system_time
from pysmon.formats.describe import Piece, Style, shown
from pysmon.formats.visible import visible
from pysmon.schema.catalogue import ProcessCreate
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.views.sentences import NONE, actor, predicate, program_name, subject, value
from pysmon.views.words import Line, Screen, cut, padded

_HEAD = ("time (UTC)", "id", "event", "process", "user", "what")
_WIDTHS = (23, 3, 18, 20, 8)  # of all columns but the last; what does not fit is cut on a screen, and shifts elsewhere
_STYLES: tuple[Style, ...] = ("time", "id", "name", "path", "user")
_GAP = Piece("  ", "quiet")


def heading(screen: Screen) -> Line:
    """The names of the columns."""
    cells = [padded(text, width) for text, width in zip(_HEAD, _WIDTHS, strict=False)]
    return Line(cut([Piece("  ".join([*cells, _HEAD[-1]]), "quiet")], screen))


def row(entry: Entry[Event], screen: Screen) -> Line:
    """An entry as one line of the table."""
    event = entry.event
    schema = event.type
    name = schema.cls.__name__
    texts = (visible(event.text("UtcTime")), str(schema.id).rjust(_WIDTHS[1]), name, _process(event), _user(event))
    pieces: list[Piece] = []
    for text, width, style in zip(texts, _WIDTHS, _STYLES, strict=True):
        look: Style = "alarm" if style == "name" and schema.level == "Error" else style
        fitting = text if cell_len(text) <= width or screen.columns is None else _shortened(text, width, screen)
        pieces += (Piece(padded(fitting, width), look), _GAP)
    what = [shown("CommandLine", event.CommandLine)] if isinstance(event, ProcessCreate) else predicate(event)
    return Line(cut([*pieces, *what], screen))


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


def _shortened(text: str, width: int, screen: Screen) -> str:
    return "".join(piece.text for piece in cut([Piece(text, "value")], screen, width))
