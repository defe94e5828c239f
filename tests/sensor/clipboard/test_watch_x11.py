"""The clipboard of a real X11 display (Xvfb), from its owner to the record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.sensor.clipboard.conftest import COOKIE, NOBODY, Server, Watcher, descendants, wait_for
from tests.sensor.clipboard.owner import Owner

from pysmon.sensor.capabilities import effective
from pysmon.sensor.clipboard.change import CHANGED_AGAIN, LIMIT, READ, REFUSED, TOO_LARGE, TOO_SLOW

Watching = Callable[..., Watcher]
TEXT = {"UTF8_STRING": b"some text"}


@pytest.fixture
def owner(x_server: Server) -> Iterator[Owner]:
    made = Owner(x_server.socket, COOKIE, dict(TEXT))
    yield made
    made.close()


def test_what_a_program_puts_there_is_told_with_its_process(x_server: Server, watching: Watching) -> None:
    watcher = watching(x_server)
    (display,) = watcher.ready()
    xclip = x_server.start("xclip", "-selection", "clipboard", "-quiet", text="zwölf".encode())
    (seen,) = watcher.until(1)
    xclip.kill()
    xclip.wait()
    record = seen.record
    assert (seen.content, record.content_size, record.outcome) == ("zwölf".encode(), 6, READ)
    assert (record.tgid, record.uid, record.session) == (xclip.pid, 0, 0)
    assert record.targets.split(b"\0")[0] == b"UTF8_STRING"
    assert (display.name, display.server) == (record.display.decode(), x_server.process.pid)


def test_it_is_read_as_the_user_whose_it_is_and_without_any_right(
    x_server_of_nobody: Server, watching: Watching
) -> None:
    watcher = watching(x_server_of_nobody)
    (display,) = watcher.ready()
    (reader,) = descendants(watcher.watch.pid)
    status = Path(f"/proc/{reader}/status").read_text().splitlines()
    facts = {name: value.split() for name, _, value in (line.partition(":") for line in status)}
    assert facts["Uid"] == [str(NOBODY)] * 4
    assert facts["Gid"] == [str(NOBODY)] * 4
    assert facts["Groups"] == []
    assert facts["NoNewPrivs"] == ["1"]
    assert effective(Path(f"/proc/{reader}")) == frozenset()
    xclip = x_server_of_nobody.start("xclip", "-selection", "clipboard", "-quiet", text=b"mine")
    (seen,) = watcher.until(1)
    xclip.kill()
    xclip.wait()
    assert (seen.content, seen.record.uid, display.uid) == (b"mine", NOBODY, NOBODY)


def test_another_selection_is_nobodys_business(x_server: Server, owner: Owner, watching: Watching) -> None:
    watcher = watching(x_server)
    watcher.ready()
    owner.own(0, "PRIMARY")
    owner.sync()
    owner.own()
    assert [seen.content for seen in watcher.until(1)] == [b"some text"]


def test_who_owns_it_and_says_the_same_again_has_changed_nothing(
    x_server: Server, owner: Owner, watching: Watching
) -> None:
    watcher = watching(x_server)
    watcher.ready()
    owner.own()
    wait_for(lambda: owner.let_go == 1, "it was not read")
    owner.own()
    wait_for(lambda: owner.let_go == 2, "it was not read again")
    owner.offers["UTF8_STRING"] = b"another text"
    owner.own()
    assert [seen.content for seen in watcher.until(2)] == [b"some text", b"another text"]


def test_what_is_emptied_is_told_when_something_comes_again(x_server: Server, owner: Owner, watching: Watching) -> None:
    watcher = watching(x_server)
    watcher.ready()
    owner.own()
    watcher.until(1)
    owner.own(-1)
    owner.sync()
    owner.own(1)
    assert [seen.content for seen in watcher.until(2)] == [b"some text"] * 2


def test_what_was_there_before_is_no_change(x_server: Server, owner: Owner, watching: Watching) -> None:
    owner.own()
    owner.sync()
    watcher = watching(x_server)
    watcher.ready()
    owner.offers["UTF8_STRING"] = b"later"
    owner.own(1)
    assert [seen.content for seen in watcher.until(1)] == [b"later"]


def test_long_content_comes_in_parts(x_server: Server, owner: Owner, watching: Watching) -> None:
    watcher = watching(x_server)
    watcher.ready()
    owner.offers["UTF8_STRING"] = bytes(range(256)) * 2000
    owner.part = 60_000
    owner.own()
    assert watcher.until(1)[0].content == bytes(range(256)) * 2000


def test_too_much_is_not_read_to_its_end(x_server: Server, owner: Owner, watching: Watching) -> None:
    watcher = watching(x_server)
    watcher.ready()
    owner.offers["UTF8_STRING"] = bytes(LIMIT + 1)
    owner.part = 200_000
    owner.own()
    (seen,) = watcher.until(1)
    assert (seen.content, seen.record.outcome, seen.record.content_size) == (None, TOO_LARGE, 0)


def test_what_is_no_text_is_named_by_its_first_kind(x_server: Server, watching: Watching) -> None:
    watcher = watching(x_server)
    watcher.ready()
    owner = Owner(x_server.socket, COOKIE, {"TIMESTAMP": b"", "image/png": b"\x89PNG", "image/bmp": b"BM"})
    owner.own()
    (seen,) = watcher.until(1)
    owner.close()
    assert seen.content == b"\x89PNG"
    assert seen.record.targets.split(b"\0") == [b"image/png", b"TARGETS", b"TIMESTAMP", b"image/png", b"image/bmp"]


def test_an_owner_may_refuse_and_may_say_nothing(x_server: Server, owner: Owner, watching: Watching) -> None:
    watcher = watching(x_server)
    watcher.ready()
    owner.offers["UTF8_STRING"] = None
    owner.own()
    assert watcher.until(1)[0].record.outcome == REFUSED
    owner.mute = True
    owner.own()
    assert watcher.until(2)[1].record.outcome == TOO_SLOW
    assert watcher.seen[1].record.tgid == os.getpid()


def test_of_a_thousand_changes_each_is_told(x_server: Server, owner: Owner, watching: Watching) -> None:
    watcher = watching(x_server)
    watcher.ready()
    for number in range(1000):
        owner.offers["UTF8_STRING"] = b"%d" % number
        owner.own(number % 2)
    seen = watcher.until(1000)
    owner.sync()
    watcher.turn()
    assert (len(seen), watcher.watch.due, watcher.watch.lost) == (1000, 1000, 0)
    assert seen[-1].content == b"999"
    assert {each.record.outcome for each in seen} <= {READ, CHANGED_AGAIN}
    assert [each.record.time for each in seen] == sorted(each.record.time for each in seen)
    assert {each.record.tgid for each in seen} == {os.getpid()}


def test_without_its_cookie_a_display_is_not_watched_and_holds_nobody_up(x_server: Server, watching: Watching) -> None:
    Path(x_server.environment["XAUTHORITY"]).unlink()
    watcher = watching(x_server)
    wait_for(lambda: not watcher.turn() and not descendants(watcher.watch.pid), "a reader stays")
    assert watcher.watch.watched == ()


def test_a_display_that_hangs_holds_up_nobody(x_server: Server, x_server_of_nobody: Server, watching: Watching) -> None:
    watcher = watching(x_server, x_server_of_nobody)
    watcher.ready(2)
    x_server.process.send_signal(signal.SIGSTOP)
    try:
        xclip = x_server_of_nobody.start("xclip", "-selection", "clipboard", "-quiet", text=b"still here")
        assert [seen.content for seen in watcher.until(1)] == [b"still here"]
        xclip.kill()
        xclip.wait()
        finder, readers = watcher.watch.pid, descendants(watcher.watch.pid)
        watcher.watch.close()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in (finder, *readers)), "somebody stays")
    finally:
        x_server.process.send_signal(signal.SIGCONT)


def test_a_display_that_ends_leaves_nothing_behind(x_server: Server, watching: Watching) -> None:
    watcher = watching(x_server)
    before = len(os.listdir("/proc/self/fd"))
    watcher.ready()
    x_server.stop()
    wait_for(lambda: not watcher.turn() and not watcher.watch.watched, "it counts as watched")
    wait_for(lambda: not descendants(watcher.watch.pid), "its reader stays")
    assert len(os.listdir("/proc/self/fd")) == before
    assert watcher.watch.look() == []


def test_who_ceases_to_watch_ends_all_connections(x_server: Server, watching: Watching) -> None:
    watcher = watching(x_server)
    watcher.ready()
    watcher.watch.want(False)
    wait_for(lambda: not watcher.turn() and not watcher.watch.watched, "it counts as watched")
    wait_for(lambda: not descendants(watcher.watch.pid), "its reader stays")


def test_if_the_finder_ends_that_is_told(x_server: Server, watching: Watching) -> None:
    watcher = watching(x_server)
    watcher.ready()
    os.kill(watcher.watch.pid, signal.SIGKILL)
    wait_for(lambda: not watcher.turn() and not watcher.watch.watched, "it counts as watched")
    assert watcher.watch.look() == ["the process that finds displays has ended: nothing is told of clipboards any more"]
    assert watcher.watch.look() == []


def test_who_may_not_become_others_is_told_so(root: None) -> None:
    code = (
        "from pysmon.errors import SensorError\n"
        "from pysmon.sensor.capabilities import drop_capabilities\n"
        "from pysmon.sensor.clipboard.watch import ClipboardWatch\n"
        "drop_capabilities(['CAP_SETGID', 'CAP_KILL'])\n"
        "try:\n    ClipboardWatch([])\n"
        "except SensorError as error:\n    print(error, error.hint, sep='; ')\n"
    )
    said = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True).stdout
    assert said.startswith("to become the users of sessions, CAP_SETUID is missing; the unit of the service needs")
