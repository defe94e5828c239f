"""The progress bar: shown to those who wait and look on, and to nobody else."""

from __future__ import annotations

import io
import time

from rich.console import Console

from pysmon.cli import progress
from pysmon.cli.progress import watched


class Half:
    name = "\x1blog" * 30
    size = 200
    done = 100


def test_without_a_terminal_nothing_is_shown(capfd: object) -> None:
    assert list(watched(Half(), range(5000))) == list(range(5000))


def test_a_bar_tells_how_far_it_is_and_how_fast() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    count = 0
    for count, thing in enumerate(watched(Half(), range(3 * 2048), console)):
        assert thing == count
        if count == 1:
            time.sleep(progress.PATIENCE)
    assert count == 3 * 2048 - 1
    shown = screen.getvalue()
    assert "50%" in shown
    assert "events/s" in shown
    assert "\\x1blog" in shown


def test_what_is_done_at_once_needs_no_bar() -> None:
    screen = io.StringIO()
    assert len(list(watched(Half(), range(5000), Console(file=screen, force_terminal=True)))) == 5000
    assert screen.getvalue() == ""
