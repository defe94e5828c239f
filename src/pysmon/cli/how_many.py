"""How many entries an option asks for: any number, of which no more can be counted than there can be entries."""

from __future__ import annotations

import click

_MOST = 1 << 62  # SQLite and Python count that far


def how_many(_context: click.Context, _parameter: click.Parameter, count: int | None) -> int | None:
    """The number that was given, as far as anything can be counted; None if none was."""
    return None if count is None else min(count, _MOST)
