"""Rows of pieces under each other: words to the left, numbers to the right."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rich.cells import cell_len

from pysmon.formats.describe import Piece
from pysmon.views.words import Line

_GAP = Piece("  ", "quiet")


def columns(rows: Sequence[Sequence[Piece]], right: Collection[int] = (), *, hang: int = 4) -> Iterator[Line]:
    """The rows as lines. The columns of the numbers in `right` end at the same place, the others begin at it.

    A row may end early; what stands last in a row takes no room from other rows unless it is in `right`.
    """
    wide = max((len(row) for row in rows), default=0)
    widths = [0] * wide
    for row in rows:
        for at, piece in enumerate(row):
            if at < len(row) - 1 or at in right:
                widths[at] = max(widths[at], cell_len(piece.text))
    for row in rows:
        pieces: list[Piece] = []
        for at, piece in enumerate(row):
            room = max(widths[at] - cell_len(piece.text), 0)
            if at in right:
                pieces += (Piece(" " * room, "quiet"), piece)
            else:
                pieces += (piece, Piece(" " * room if at < len(row) - 1 else "", "quiet"))
            if at < len(row) - 1:
                pieces.append(_GAP)
        yield Line([piece for piece in pieces if piece.text], hang)
