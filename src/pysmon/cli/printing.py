"""Puts lines and entries on standard output: coloured and folded on a terminal, plain anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pysmon.formats.table import FORMATS
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.console import colours, columns_of, folded, text_for
from pysmon.views.table import details, row
from pysmon.views.words import Line, Screen

FORM_NAMES = ("table", "detail", *FORMATS)
_LEAST = 40  # columns; narrower terminals fold by themselves


@dataclass(frozen=True, slots=True)
class Printer:
    """Standard output as it is now."""

    terminal: bool
    colour: bool
    columns: int

    @classmethod
    def of_stdout(cls) -> Printer:
        """Look at standard output."""
        colour = colours(sys.stdout)
        return cls(colour is not None, bool(colour), max(columns_of(sys.stdout), _LEAST) if colour is not None else 0)

    @property
    def screen(self) -> Screen:
        """What views may count on."""
        boxes = self.terminal and sys.stdout.encoding.lower().replace("-", "") == "utf8"
        return Screen(self.columns if self.terminal else None, boxes)

    def lines(self, lines: Iterable[Line]) -> bool:
        """Print them; whether there were any."""
        printed = False
        for line in lines:
            put(self._shown(line))
            printed = True
        return printed

    def entries(self, entries: Iterable[Entry[Event]], form: str) -> bool:
        """Print entries in a format; whether there were any."""
        if form in FORMATS:
            render = text_for(sys.stdout) if form == "text" else FORMATS[form].render
            printed = False
            for entry in entries:
                put(render(entry))
                printed = True
            return printed
        screen = self.screen
        view: Callable[[Entry[Event]], Iterator[Line]] = _VIEWS[form](screen)
        return self.lines(line for entry in entries for line in view(entry))

    def _shown(self, line: Line) -> bytes:
        if not self.terminal:
            return "".join(piece.text for piece in line.pieces).rstrip().encode(sys.stdout.encoding, "backslashreplace")
        hang = " " * min(line.hang, self.columns // 2)
        text = "\n".join(folded(line.pieces, self.columns, self.colour, hang=hang))
        return text.encode(sys.stdout.encoding, "backslashreplace")


def put(line: bytes) -> None:
    """One line for standard output; what was written before it as text goes out first."""
    sys.stdout.buffer.write(line + b"\n")


def flush() -> None:
    """Let everything out that was put."""
    sys.stdout.buffer.flush()


_VIEWS: Mapping[str, Callable[[Screen], Callable[[Entry[Event]], Iterator[Line]]]] = {
    "table": lambda screen: lambda entry: iter([row(entry, screen)]),
    "detail": lambda _screen: details,
}
