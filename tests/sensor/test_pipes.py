"""FIFOs and Unix sockets: who makes them, who comes to them, and what is neither."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sensor.nobody import become_nobody
from tests.sensor.provoke import Provoked, Stage, apart, call, error_of, extra, forked, host_pid, one, run

from pysmon.schema.catalogue import PipeConnect, PipeCreate, ProcessTerminate
from pysmon.sensor.records import FAMILIES

pytestmark = pytest.mark.vm

PYTHON = os.path.realpath(sys.executable)
CLONE_NEWNET = 0x40000000
ONLY_SECRETS = """<Sysmon schemaversion="4.90"><EventFiltering><PipeEvent onmatch="include">
<PipeName condition="end with">secret</PipeName></PipeEvent></EventFiltering></Sysmon>"""

WAYS: dict[str, Callable[[Path], object]] = {
    "mknod": lambda p: call("syscall", 133, bytes(p), stat.S_IFIFO | 0o600, 0),
    "mknodat": lambda p: os.mkfifo(p.name, dir_fd=os.open(p.parent, os.O_RDONLY)),
    "mkfifo": os.mkfifo,
}


def others(act: Callable[[], object]) -> tuple[int, Callable[[], None]]:
    """Another process that acts and then holds what it has opened: its number outside, and how to let it go."""
    told, tell = os.pipe()
    gate, release = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(release)
        kept = act()
        os.write(tell, b"%d" % host_pid())
        os.read(gate, 1)
        del kept
        os._exit(0)

    def let_go() -> None:
        os.close(release)
        os.waitpid(pid, 0)

    os.close(gate)
    return int(os.read(told, 20)), let_go


def server(name: str | bytes, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, kind)
    made.bind(name)
    if kind != socket.SOCK_DGRAM:
        made.listen()
    return made


def names(seen: Provoked) -> list[str]:
    """Of what was made, and then of what was met."""
    return [e.PipeName for e in seen.of(PipeCreate)] + [e.PipeName for e in seen.of(PipeConnect)]


def client(name: str | bytes, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
    with socket.socket(socket.AF_UNIX, kind) as made:
        made.connect(name)


# ---- FIFOs


@pytest.mark.parametrize("way", WAYS)
def test_a_fifo_that_is_made_is_told(provoke: Stage, tmp_path: Path, way: str) -> None:
    if way == "mknod" and os.uname().machine != "x86_64":
        pytest.skip("this architecture has no mknod")
    path = tmp_path / "fifo"
    seen = provoke(lambda: WAYS[way](path) and None)
    assert stat.S_ISFIFO(path.stat().st_mode)
    event, end = one(seen.of(PipeCreate)), one(seen.of(ProcessTerminate))
    assert (event.EventType, event.PipeName) == ("CreatePipe", str(path))
    assert (event.ProcessId, event.ProcessGuid) == (seen.pid, end.ProcessGuid)
    assert (event.Image, event.User, event.RuleName) == (PYTHON, "root", "-")
    assert event.UtcTime <= end.UtcTime
    assert extra(event)["PipeType"] == "fifo"
    assert seen.of(PipeConnect) == []


def test_the_second_process_that_opens_a_fifo_is_told_with_the_first(provoke: Stage, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)

    def act() -> int:
        first, let_go = others(lambda: os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        os.close(os.open(path, os.O_WRONLY))
        let_go()
        return first

    seen = provoke(act)
    event = one(seen.of(PipeConnect))
    assert (event.EventType, event.PipeName, event.ProcessId) == ("ConnectPipe", str(path), seen.pid)
    assert (event.Image, event.User) == (PYTHON, "root")
    facts = extra(event)
    end = next(e for e in seen.of(ProcessTerminate) if e.ProcessId == seen.truth)
    assert (facts["PeerProcessId"], facts["PeerProcessGuid"]) == (seen.truth, end.ProcessGuid)
    assert (facts["PeerImage"], facts["PipeType"]) == (PYTHON, "fifo")


def test_a_writer_that_has_gone_before_the_reader_goes_on_is_told(provoke: Stage, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)

    def writers() -> set[int]:
        """Each ends at once; the reader may see that only afterwards."""
        found = set()
        for _ in range(30):
            output, end = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.write(end, b"%d" % host_pid())
                path.write_text("text")
                os._exit(0)
            path.read_text()
            os.waitpid(pid, 0)
            found.add(int(os.read(output, 20)))
        return found

    seen = provoke(writers)
    met = {frozenset((e.ProcessId, extra(e)["PeerProcessId"])) for e in seen.of(PipeConnect)}
    assert met == {frozenset((seen.pid, writer)) for writer in seen.truth}


def test_of_two_that_wait_for_each_other_one_is_told_with_the_other(provoke: Stage, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    command = f"mkfifo {path}; cat {path} & echo text > {path}; wait"
    seen = provoke(lambda: run("/bin/sh", "-c", command), read=False)
    assert one(seen.of(PipeCreate)).Image == os.path.realpath("/usr/bin/mkfifo")
    event = one(seen.of(PipeConnect))
    assert event.ProcessId != extra(event)["PeerProcessId"]
    assert event.PipeName == str(path)


def test_one_process_that_opens_both_ends_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)

    def act() -> None:
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        writer = os.open(path, os.O_WRONLY)
        threading.Thread(target=lambda: os.open(path, os.O_RDWR)).start()
        os.close(reader)
        os.close(writer)

    assert provoke(act).of(PipeConnect) == []


def test_who_comes_when_the_other_has_gone_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)

    def act() -> None:
        for _ in range(2):
            forked(lambda: os.open(path, os.O_RDWR))

    assert provoke(act).of(PipeConnect) == []


def test_what_is_no_fifo_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    def act() -> list[int | None]:
        for name, mode in (("file", stat.S_IFREG), ("socket", stat.S_IFSOCK)):
            os.mknod(tmp_path / name, mode | 0o600)
        output, end = os.pipe()
        forked(lambda: os.open(f"/proc/self/fd/{end}", os.O_WRONLY))
        (tmp_path / "file").read_bytes()
        os.close(output)
        return [error_of(os.mkfifo, tmp_path / "file"), error_of(os.open, tmp_path / "socket", os.O_RDONLY)]

    seen = provoke(act)
    assert seen.truth == [errno.EEXIST, errno.ENXIO]
    assert seen.families["pipe"].seen == 0


# ---- Unix sockets


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET])
def test_a_socket_is_told_when_it_is_bound_and_when_somebody_connects(
    provoke: Stage, tmp_path: Path, kind: socket.SocketKind
) -> None:
    path = tmp_path / "socket"

    def act() -> int:
        first, let_go = others(lambda: server(str(path), kind))
        client(str(path), kind)
        let_go()
        return first

    seen = provoke(act)
    made, met = one(seen.of(PipeCreate)), one(seen.of(PipeConnect))
    assert (made.EventType, made.PipeName, made.ProcessId) == ("CreatePipe", str(path), seen.truth)
    assert (met.EventType, met.PipeName, met.ProcessId) == ("ConnectPipe", str(path), seen.pid)
    assert {(e.Image, e.User) for e in (made, met)} == {(PYTHON, "root")}
    sort = "unix stream" if kind == socket.SOCK_STREAM else "unix seqpacket"
    assert {extra(e)["PipeType"] for e in (made, met)} == {sort}
    facts = extra(met)
    assert (facts["PeerProcessId"], facts["PeerProcessGuid"]) == (seen.truth, made.ProcessGuid)
    assert (facts["PeerImage"], "PeerProcessId" in extra(made)) == (PYTHON, False)


@pytest.mark.parametrize("name", [b"\0pysmon-test", b"\0x", b"\0a\0b", b"\0" + b"n" * 107])
def test_a_socket_of_an_abstract_name_is_told(provoke: Stage, name: bytes) -> None:
    def act() -> None:
        with server(name):
            client(name)

    seen = provoke(act, before=lambda: call("unshare", CLONE_NEWNET))
    written = "@" + name[1:].replace(b"\0", b"@").decode()
    assert names(seen) == [written, written]


def test_a_datagram_socket_is_told_without_the_other_end(provoke: Stage, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")

    def act() -> None:
        with server(path, socket.SOCK_DGRAM), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.sendto(b"x", path)
            other.connect(path)

    seen = provoke(act)
    event = one(seen.of(PipeConnect))
    assert (event.PipeName, extra(event)["PipeType"]) == (path, "unix datagram")
    assert "PeerProcessId" not in extra(event)


def test_a_relative_name_and_a_server_that_has_closed_are_told(provoke: Stage, tmp_path: Path) -> None:
    def act() -> None:
        os.chdir(tmp_path)
        with server("socket"), socket.socket(socket.AF_UNIX) as other:
            other.connect("../" + tmp_path.name + "/socket")

    seen = provoke(act)
    assert names(seen) == [str(tmp_path / "socket")] * 2


def test_a_program_of_a_short_life_is_told(provoke: Stage, tmp_path: Path) -> None:
    def act() -> int:
        server(str(tmp_path / "socket"))
        return host_pid()

    seen = provoke(lambda: apart(act), read=False)
    assert one(seen.of(PipeCreate)).ProcessId == seen.truth


def test_what_meets_nobody_by_name_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    taken = server(str(tmp_path / "taken"))

    def act() -> list[int | None]:
        os.chdir(tmp_path)
        first, second = socket.socketpair()
        first.sendall(b"x")
        with socket.socket() as any_socket:
            any_socket.bind(("127.0.0.1", 0))
            any_socket.listen()
            with socket.create_connection(any_socket.getsockname()):
                pass
        failures = [error_of(server, "taken"), error_of(client, "absent")]
        become_nobody()
        return [*failures, error_of(server, "mine"), second.fileno() < 0 or None]

    tmp_path.chmod(0o755)
    seen = provoke(lambda: apart(act))
    taken.close()
    assert seen.truth == [errno.EADDRINUSE, errno.ENOENT, errno.EACCES, None]
    assert seen.families["pipe"].seen == 0


def test_many_are_told_each_with_its_own_name(provoke: Stage, tmp_path: Path) -> None:
    def act() -> None:
        os.chdir(tmp_path)
        for i in range(300):
            os.mkfifo(str(i))
            with server(f"s{i}"):
                client(f"s{i}")

    seen = provoke(act)
    pairs = [(f"{tmp_path}/{i}", f"{tmp_path}/s{i}") for i in range(300)]
    assert [e.PipeName for e in seen.of(PipeCreate)] == [name for pair in pairs for name in pair]
    assert [e.PipeName for e in seen.of(PipeConnect)] == [name for _, name in pairs]


def test_rules_filter_it(provoke: Stage, tmp_path: Path) -> None:
    def act() -> None:
        for name in ("open", "secret"):
            os.mkfifo(tmp_path / name)

    seen = provoke(act, ONLY_SECRETS)
    assert one(seen.of(PipeCreate)).PipeName == str(tmp_path / "secret")
    count = seen.families["pipe"]
    assert (count.seen, count.kept, count.filtered, count.lost) == (2, 1, 1, 0)


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage, tmp_path: Path) -> None:
    provoke.sensor.want({"file create"})
    try:
        seen = provoke(lambda: os.mkfifo(tmp_path / "fifo"))
    finally:
        provoke.sensor.want(FAMILIES)
    assert seen.families["pipe"].seen == 0
