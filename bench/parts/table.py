"""The one way that figures are printed: columns under their names, words to the left, numbers to the right."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column holds words, the others numbers."""
    lines = [(title, *head), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head) + 1)]
    for first, *others in lines:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    sys.stdout.write("\n")
    sys.stdout.flush()
