"""How many entries an option asks for: any number, of which no more can be counted than there can be entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_MOST = 1 << 62  # SQLite and Python count that far


def number_option(*names: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option of these names, with what else click.option takes, that asks for a number from 1 on."""
    return click.option(*names, type=click.IntRange(1), callback=_countable, metavar="N", **more)


def _countable(_context: click.Context, _parameter: click.Parameter, count: int | None) -> int | None:
    """The number that was given, as far as anything can be counted; None if none was."""
    return None if count is None else min(count, _MOST)
