"""Displays of the tests' own: nothing here ever looks at another one of the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pysmon.sensor.clipboard.displays import Display
from pysmon.sensor.clipboard.watch import ClipboardWatch
from pysmon.sensor.records import ClipboardRecord

NOBODY = 65534
COOKIE = bytes(range(16))
_LONG = 20.0  # s; nothing depends on it but how long a failure takes


def need(*programs: str) -> None:
    """Skip the test by the name of what is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here")


def wait_for(what: Callable[[], object], why: str) -> None:
    """Until it is true."""
    give_up = time.monotonic() + _LONG
    while not what():
        assert time.monotonic() < give_up, why
        time.sleep(0.02)


@dataclass(frozen=True)
class Server:
    """A display server that a test has started."""

    process: subprocess.Popen[bytes]
    socket: Path
    environment: dict[str, str] = field(repr=False)
    uid: int = 0

    def run(self, *command: str, text: bytes = b"") -> int:
        """Run a program of its user on this display, to its end; gives its process id."""
        process = self.start(*command, text=text)
        process.wait(_LONG)
        return process.pid

    def start(self, *command: str, text: bytes = b"") -> subprocess.Popen[bytes]:
        """The same, and let it go on."""
        process = subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self.uid or None,
            group=self.uid or None,
            extra_groups=[] if self.uid else None,
        )
        assert process.stdin
        with process.stdin:
            process.stdin.write(text)
        return process

    def stop(self) -> None:
        """End it, and remove its socket."""
        self.process.terminate()
        try:
            self.process.wait(_LONG)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.socket.unlink(missing_ok=True)


def start_x_server(folder: Path, uid: int = 0) -> Server:
    """Xvfb with a cookie of its own, on a number that is free."""
    need("Xvfb", "xclip")
    authority = folder / "authority"
    parts = [b"", b"", b"MIT-MAGIC-COOKIE-1", COOKIE]
    authority.write_bytes(b"\xff\xff" + b"".join(len(part).to_bytes(2, "big") + part for part in parts))
    authority.chmod(0o600)
    os.chown(authority, uid, uid)
    ours, its = os.pipe()
    command = ["Xvfb", "-displayfd", str(its), "-auth", str(authority), "-nolisten", "tcp", "-screen", "0", "64x64x8"]
    process = subprocess.Popen(
        command,
        pass_fds=[its],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=uid or None,
        group=uid or None,
        extra_groups=[] if uid else None,
    )
    os.close(its)
    with os.fdopen(ours) as told:
        number = told.readline().strip()
    assert number, "Xvfb did not start"
    environment = {"PATH": os.environ["PATH"], "DISPLAY": f":{number}", "XAUTHORITY": str(authority)}
    return Server(process, Path(f"/tmp/.X11-unix/X{number}"), environment, uid)


def start_compositor(folder: Path) -> Server:
    """Sway without a screen; it refuses to run as root."""
    need("sway", "wl-copy")
    (folder / "config").write_text("xwayland disable\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "WLR_BACKENDS": "headless",
        "WLR_LIBINPUT_NO_DEVICES": "1",
        "WLR_RENDERER": "pixman",
    }
    process = subprocess.Popen(
        ["sway", "-c", str(folder / "config")],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
    )
    wait_for(lambda: process.poll() is not None or list(folder.glob("wayland-?")), "sway made no socket")
    if process.poll() is not None:
        pytest.skip(f"sway does not run here (exit status {process.returncode})")
    (socket,) = folder.glob("wayland-?")
    return Server(process, socket, environment | {"WAYLAND_DISPLAY": socket.name}, NOBODY)


@pytest.fixture
def root() -> None:
    """Skips the test for who may not become another user."""
    if os.geteuid():
        pytest.skip("only root can start servers and readers of other users")


@pytest.fixture
def folder(root: None) -> Iterator[Path]:
    """A folder of nobody's, in which paths of sockets are short."""
    made = Path(tempfile.mkdtemp(prefix="clip-"))
    os.chown(made, NOBODY, NOBODY)
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def x_server(folder: Path) -> Iterator[Server]:
    """A display of X11 that root runs."""
    server = start_x_server(folder)
    yield server
    server.stop()


@pytest.fixture
def x_server_of_nobody(folder: Path) -> Iterator[Server]:
    """A display of X11 that the user nobody runs."""
    server = start_x_server(folder, NOBODY)
    yield server
    server.stop()


@pytest.fixture
def compositor(folder: Path) -> Iterator[Server]:
    """A display of Wayland."""
    server = start_compositor(folder)
    yield server
    server.stop()


@dataclass(frozen=True)
class Seen:
    """A record, and what was in the clipboard."""

    record: ClipboardRecord
    content: bytes | None


class Watcher:
    """A watch of displays that are named, and what it tells."""

    def __init__(self, *servers: Server | Path) -> None:
        """Watch them."""
        self.paths = [server.socket if isinstance(server, Server) else server for server in servers]
        self.watch = ClipboardWatch(self.paths)
        self.seen: list[Seen] = []
        self.watch.want(True)

    def turn(self) -> list[Seen]:
        """What came."""
        for record in self.watch.turn():
            path = self.watch.content(record.token)
            self.seen.append(Seen(record, Path(path).read_bytes() if path else None))
            self.watch.release(record.token)
        return self.seen

    def until(self, count: int) -> list[Seen]:
        """Wait for so many in all."""
        wait_for(lambda: len(self.turn()) >= count, f"{len(self.seen)} of {count} changes came")
        return self.seen

    def ready(self, count: int = 1) -> tuple[Display, ...]:
        """Wait until so many displays are watched."""

        def watched() -> bool:
            self.turn()
            return len(self.watch.watched) >= count

        wait_for(watched, f"not watched: {self.paths}")
        return self.watch.watched


@pytest.fixture
def watching() -> Iterator[Callable[..., Watcher]]:
    """Makes watchers, and ends them."""
    made: list[Watcher] = []

    def make(*servers: Server | Path) -> Watcher:
        made.append(Watcher(*servers))
        return made[-1]

    yield make
    for watcher in made:
        watcher.watch.close()


def descendants(pid: int) -> list[int]:
    """The processes that this one has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in children.read_text().split()] if children.exists() else []
