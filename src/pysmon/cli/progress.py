"""A progress bar with rate and time left, for whoever reads a log for more than a second and looks on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pysmon.formats.visible import visible

PATIENCE = 1.0  # seconds until it is shown
_EVERY = 2048  # things between two looks at the clock
_T = TypeVar("_T")


class Measured(Protocol):
    """Something of which a part is done."""

    name: str

    @property
    def size(self) -> int:
        """Bytes of all; 0 if that is not known."""

    @property
    def done(self) -> int:
        """Bytes that are done."""


def watched(source: Measured, things: Iterable[_T], console: Console | None = None) -> Iterator[_T]:
    """The things, while a bar on a terminal (standard error, if it is one) tells how far they have come."""
    if console is None:
        if not sys.stderr.isatty():
            yield from things
            return
        console = Console(stderr=True)
    begun = time.monotonic()
    bar: _Bar | None = None
    try:
        for count, thing in enumerate(things):
            yield thing
            if count % _EVERY == _EVERY - 1:
                passed = time.monotonic() - begun
                if bar is None and passed >= PATIENCE:
                    bar = _Bar(source, console)
                if bar is not None:
                    bar.show(count, passed)
    finally:
        if bar is not None:
            bar.close()


class _Bar:
    """The bar on the screen."""

    def __init__(self, source: Measured, console: Console) -> None:
        self._source = source
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        name = visible(source.name)
        self._task = self._progress.add_task(name if len(name) <= 40 else f"...{name[-37:]}", total=None, rate="")
        self._progress.start()

    def show(self, count: int, seconds: float) -> None:
        rate = f"{count / seconds:,.0f} events/s"
        self._progress.update(self._task, completed=self._source.done, total=self._source.size or None, rate=rate)

    def close(self) -> None:
        self._progress.stop()
