"""Older files: a file that is full is moved aside, and those before it one further."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def move_aside(path: Path, keep: int, numbered: Callable[[int], Path]) -> None:
    """Give the file its first older name, `numbered(1)`; the oldest beyond `keep` goes. OSError if that fails."""
    for number in range(keep, 1, -1):
        older = numbered(number - 1)
        if older.exists():
            older.replace(numbered(number))
    if keep:
        path.replace(numbered(1))
    else:
        path.unlink()
