"""Followers: everyone gets what comes while it is connected, the slow ones are told what they missed."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.formats.entries import create

from pysmon.errors import SinkError
from pysmon.formats.json_line import json_line
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.follow import FollowSink
from pysmon.sinks.local import listen
from pysmon.sinks.sink import WriteError

CHILD = """
import os, socket, sys
os.setuid(65534)
made = socket.socket(socket.AF_UNIX)
made.connect(sys.argv[1])
sys.stdout.write(repr(made.recv(10)))
"""


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sock"


@pytest.fixture
def sink(path: Path) -> Iterator[FollowSink]:
    made = FollowSink(path)
    yield made
    made.close()


def follow(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.connect(str(path))
    made.setblocking(False)
    return made


def received(follower: socket.socket) -> bytes:
    data = b""
    with suppress(BlockingIOError):
        while part := follower.recv(1 << 20):
            data += part
    return data


def entries(first: int, count: int, size: int = 0) -> list[Entry[Event]]:
    return [create(CommandLine=f"{n:05}{'y' * size}") for n in range(first, first + count)]


def commands(data: bytes) -> list[int]:
    return [row["Gap"] if "Gap" in row else int(row["CommandLine"][:5]) for row in map(json.loads, data.splitlines())]


def test_a_follower_gets_what_comes_after_it_connected(path: Path, sink: FollowSink) -> None:
    sink.write(entries(0, 2))
    first = follow(path)
    sink.write(entries(2, 2))
    second = follow(path)
    sink.write(entries(4, 1))
    sink.flush()
    assert received(first) == b"".join(json_line(e) + b"\n" for e in entries(2, 3))
    assert commands(received(second)) == [4]


def test_a_follower_that_leaves_disturbs_nobody(path: Path, sink: FollowSink) -> None:
    leaving, staying = follow(path), follow(path)
    sink.write(entries(0, 1))
    leaving.close()
    for number in range(1, 5):
        sink.write(entries(number, 1))
    assert commands(received(staying)) == [0, 1, 2, 3, 4]
    assert len(sink._followers) == 1


def test_a_slow_follower_is_told_how_many_it_missed_and_the_others_miss_nothing(path: Path) -> None:
    sink = FollowSink(path, buffer=100_000)
    slow, quick = follow(path), follow(path)
    seen = b""
    for number in range(0, 400, 10):
        sink.write(entries(number, 10, size=1000))
        seen += received(quick)
    assert commands(seen) == list(range(400))
    data = received(slow)
    for number in range(400, 403):
        sink.write(entries(number, 1))
        sink.flush()
        data += received(slow)
    rows = [json.loads(line) for line in data.splitlines()]
    gaps = [number for number, row in enumerate(rows) if "Gap" in row]
    assert len(gaps) == 1
    before = commands(b"\n".join(data.splitlines()[: gaps[0]]))
    assert before == list(range(len(before)))
    assert commands(b"\n".join(data.splitlines()[gaps[0] + 1 :])) == list(
        range(len(before) + rows[gaps[0]]["Gap"], 403)
    )
    sink.close()


def test_a_follower_that_reads_nothing_for_long_is_disconnected_and_told_of(path: Path) -> None:
    clock = Clock()
    sink = FollowSink(path, buffer=50_000, patience=60.0, clock=clock)
    dead = follow(path)
    sink.write(entries(0, 500, size=1000))
    clock.now = 59.0
    sink.write(entries(500, 1))
    assert len(sink._followers) == 1
    clock.now = 61.0
    sink.write(entries(501, 1))
    assert sink._followers == []
    assert sink.remarks() == ["disconnected, reading nothing: 1"]
    assert sink.remarks() == []
    dead.close()
    sink.close()


def test_a_batch_larger_than_the_buffer_reaches_a_follower_that_reads(path: Path) -> None:
    sink = FollowSink(path, buffer=20_000)
    reader = follow(path)
    sink.write(entries(0, 30, size=1000))  # less than the kernel takes
    sink.flush()
    assert commands(received(reader)) == list(range(30))
    sink.close()


def test_a_line_larger_than_the_buffer_reaches_a_follower_that_reads(path: Path) -> None:
    sink = FollowSink(path, buffer=1000)
    reader = follow(path)
    sink.write(entries(0, 1, size=50_000))
    sink.flush()
    assert commands(received(reader)) == [0]
    sink.close()


def test_what_a_follower_takes_slowly_is_handed_on_while_nothing_comes(path: Path, sink: FollowSink) -> None:
    reader = follow(path)
    sink.write(entries(0, 100, size=20_000))
    data = b""
    for _ in range(200):
        data += received(reader)
        sink.flush()
    assert commands(data + received(reader)) == list(range(100))


def test_there_are_only_so_many_followers(path: Path) -> None:
    sink = FollowSink(path, followers=2)
    connected = [follow(path) for _ in range(3)]
    sink.flush()
    sink.write(entries(0, 1))
    assert [commands(received(f)) for f in connected] == [[0], [0], []]
    assert sink.remarks() == ["turned away, there being too many: 1"]
    sink.close()


def test_the_socket_is_for_its_user_alone_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        for umask in (0, 0o777):
            os.umask(umask)
            path = tmp_path / f"{umask}.sock"
            made = listen(path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            made.close()
    finally:
        os.umask(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_somebody_else_is_turned_away_even_if_the_mode_lets_him_in(tmp_path: Path) -> None:
    path = Path("/tmp") / f"pysmon-follow-{os.getpid()}.sock"
    sink = FollowSink(path)
    path.chmod(0o666)
    with subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE) as child:
        while child.poll() is None:
            sink.write(entries(0, 1))
        assert child.stdout is not None
        assert child.stdout.read() == b"b''"
    assert sink.remarks() == ["turned away, being neither root nor of our user: 1"]
    sink.close()


def test_what_a_killed_run_left_is_replaced_and_what_is_in_use_is_not(path: Path) -> None:
    listen(path).close()  # the file stays
    sink = FollowSink(path)
    with pytest.raises(SinkError, match=r"cannot listen on .*: Address already in use"):
        FollowSink(path)
    reader = follow(path)
    sink.write(entries(0, 1))
    assert commands(received(reader)) == [0]
    sink.close()
    assert not path.exists()


def test_what_is_no_socket_is_left_alone(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(SinkError, match=r"cannot listen on .*: File exists"):
        FollowSink(path)
    assert path.read_text() == "precious"


def test_a_socket_that_somebody_removed_is_made_anew_on_reopening(path: Path, sink: FollowSink) -> None:
    sink.reopen()
    path.unlink()
    sink.reopen()
    reader = follow(path)
    sink.write(entries(0, 1))
    assert commands(received(reader)) == [0]


def test_the_end_does_not_remove_the_socket_of_another(path: Path, sink: FollowSink) -> None:
    path.unlink()
    other = FollowSink(path)
    sink.close()
    assert path.exists()
    other.close()


def test_a_closed_sink_has_no_followers_and_no_descriptors(path: Path) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    sink = FollowSink(path)
    reader = follow(path)
    sink.write(entries(0, 1))
    sink.close()
    with pytest.raises(WriteError, match="closed"):
        sink.write(entries(1, 1))
    assert commands(received(reader)) == [0]
    reader.close()
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_it_tells_whether_anybody_follows(sink: FollowSink, path: Path) -> None:
    assert not sink.followed
    follower = follow(path)
    sink.flush()
    assert sink.followed
    follower.close()
    sink.write(entries(0, 1))
    sink.flush()
    assert not sink.followed
