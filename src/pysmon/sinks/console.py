"""Shows entries on a terminal: colour by kind of thing, and lines folded to its width. Plain text anywhere else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TextIO

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style as Look

from pysmon.formats.describe import Piece, Style, describe
from pysmon.formats.plain_text import INDENT, plain_text
from pysmon.formats.table import Render
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.stream import StreamSink

_LOOKS: Mapping[Style, Look] = {  # the 8 basic colours only: they follow the theme of any terminal
    "time": Look(dim=True),
    "id": Look(dim=True),
    "name": Look(bold=True, color="green"),
    "alarm": Look(bold=True, color="red"),
    "path": Look(color="cyan"),
    "command": Look(bold=True),
    "address": Look(color="magenta"),
    "user": Look(color="yellow"),
    "rule": Look(bold=True, color="red"),
    "value": Look(),
    "quiet": Look(dim=True),
}
_DATE = len("2026-11-21 ")
_USUAL = 80  # columns
_LEAST = 40  # columns; narrower terminals fold by themselves


def console(stream: TextIO, name: str) -> StreamSink:
    """A sink for a stream of this process; whether it is a terminal and wants colour, rich finds out.

    NO_COLOR, FORCE_COLOR and TERM are honoured as everywhere.
    """
    return StreamSink(stream.fileno(), name, text_for(stream))


def text_for(stream: TextIO) -> Render:
    """The renderer for a stream: coloured and folded on a terminal that can show it, plain anywhere else."""
    colour = colours(stream)
    if colour is None:
        return plain_text
    return terminal_text(lambda: columns_of(stream), colour=colour, encoding=stream.encoding)


def colours(stream: TextIO) -> bool | None:
    """Whether a terminal wants colour; None if the stream is none, or one that can only print."""
    seen = Console(file=stream)
    if not seen.is_terminal or seen.is_dumb_terminal:
        return None
    return seen.color_system is not None and not seen.no_color


def terminal_text(columns: Callable[[], int], *, colour: bool, encoding: str = "utf-8") -> Render:
    """The renderer for a terminal; `columns` is asked for each entry, since windows change."""

    def render(entry: Entry[Event]) -> bytes:
        width = max(columns(), _LEAST)
        lines: list[str] = []
        for number, pieces in enumerate(describe(entry)):
            lines += folded(pieces if number else _short(pieces), width, colour, indent=INDENT if number else "")
        return "\n".join(lines).encode(encoding, "backslashreplace")

    return render


def columns_of(stream: TextIO) -> int:
    """The width of a terminal, now."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return columns or _USUAL  # a terminal on a serial line does not know its width


def _short(head: list[Piece]) -> list[Piece]:
    return [Piece(head[0].text[_DATE:], "time"), *head[1:]]  # who watches knows the day


def folded(pieces: list[Piece], width: int, colour: bool, *, indent: str = "", hang: str = INDENT * 2) -> Iterator[str]:
    """The pieces as lines of that width; the first begins with `indent`, what goes on with `hang`."""
    line, used = indent, len(indent)
    for piece in pieces:
        run = ""
        for word in _words(piece.text, width - len(hang)):
            size = cell_len(word)
            if used + size > width and used > min(len(INDENT), len(hang)):
                yield line + _looking(run, piece.style, colour)
                line, run, word = hang, "", word.lstrip(" ")
                used, size = len(hang), cell_len(word)
            run += word
            used += size
        line += _looking(run, piece.style, colour)
    yield line


def _words(text: str, room: int) -> Iterator[str]:
    """The words with the blanks before them; what is wider than the room comes in parts."""
    start = 0
    while start < len(text):
        end = start
        while end < len(text) and text[end] == " ":
            end += 1
        while end < len(text) and text[end] != " ":
            end += 1
        word, start = text[start:end], end
        while cell_len(word) > room:
            cut = room if word.isascii() else room // 2
            yield word[:cut]
            word = word[cut:]
        yield word


def _looking(text: str, style: Style, colour: bool) -> str:
    return _LOOKS[style].render(text, color_system=ColorSystem.STANDARD) if colour else text
