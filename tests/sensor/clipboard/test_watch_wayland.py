"""The clipboard of a real Wayland display (sway without a screen), from its owner to the record."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.sensor.clipboard.conftest import NOBODY, Server, Watcher, wait_for

from pysmon.sensor.clipboard.change import LIMIT, READ, TOO_LARGE

Watching = Callable[..., Watcher]


def test_what_a_program_puts_there_is_told_without_its_process(compositor: Server, watching: Watching) -> None:
    watcher = watching(compositor)
    (display,) = watcher.ready()
    compositor.run("wl-copy", text="zwölf".encode())
    (seen,) = watcher.until(1)
    record = seen.record
    assert (seen.content, record.content_size, record.outcome) == ("zwölf".encode(), 6, READ)
    assert (record.tgid, record.uid, record.display) == (0, NOBODY, compositor.socket.name.encode())
    assert record.targets.split(b"\0")[0] == b"UTF8_STRING"
    assert display.server == compositor.process.pid


def test_the_primary_selection_and_the_same_text_again_are_no_changes(compositor: Server, watching: Watching) -> None:
    watcher = watching(compositor)
    watcher.ready()
    compositor.run("wl-copy", "first")
    watcher.until(1)
    compositor.run("wl-copy", "--primary", "selected")
    compositor.run("wl-copy", "--foreground", "--paste-once", "first")  # it ends once it was read
    compositor.run("wl-copy", "second")
    assert [seen.content for seen in watcher.until(2)] == [b"first", b"second"]


def test_what_was_there_before_and_what_is_emptied_are_no_changes(compositor: Server, watching: Watching) -> None:
    compositor.run("wl-copy", "before")
    watcher = watching(compositor)
    watcher.ready()
    compositor.run("wl-copy", "--clear")
    compositor.run("wl-copy", "after")
    assert [seen.content for seen in watcher.until(1)] == [b"after"]


def test_what_is_no_text_is_named_by_its_kind(compositor: Server, watching: Watching) -> None:
    watcher = watching(compositor)
    watcher.ready()
    compositor.run("wl-copy", "--type", "image/png", text=b"\x89PNG")
    (seen,) = watcher.until(1)
    assert (seen.content, seen.record.targets) == (b"\x89PNG", b"image/png\0image/png")


@pytest.mark.parametrize(("size", "outcome"), [(3_000_000, READ), (LIMIT + 1, TOO_LARGE)])
def test_long_content_is_read_up_to_a_limit(compositor: Server, watching: Watching, size: int, outcome: int) -> None:
    watcher = watching(compositor)
    watcher.ready()
    compositor.run("wl-copy", text=b"x" * size)
    (seen,) = watcher.until(1)
    assert seen.record.outcome == outcome
    assert seen.content == (b"x" * size if outcome == READ else None)


def test_a_display_that_ends_is_not_watched_any_more(compositor: Server, watching: Watching) -> None:
    watcher = watching(compositor)
    watcher.ready()
    compositor.stop()
    wait_for(lambda: not watcher.turn() and not watcher.watch.watched, "it counts as watched")
    assert watcher.watch.look() == []
