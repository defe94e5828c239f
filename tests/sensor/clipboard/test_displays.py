"""Which displays there are and whose, on a machine that is made of folders."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysmon.sensor.clipboard.displays import NO_SESSION, Display, Session, completed, find_displays, made_by
from pysmon.sensor.clipboard.wire import display_of, display_text

JOE = 1000


class Machine:
    """Its root and its /proc; `listen` makes sockets, which are root's or joe's."""

    def __init__(self, folder: Path) -> None:
        self.root, self.proc = folder / "r", folder / "proc"
        (self.root / "etc").mkdir(parents=True)
        (self.root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\njoe:x:1000:1000::/home/joe:/bin/sh\n")
        self.proc.mkdir()
        self.sockets: list[socket.socket] = []

    def listen(self, path: str, uid: int) -> None:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        made = socket.socket(socket.AF_UNIX)
        made.bind(str(place))
        made.listen()
        os.chown(place, uid, uid)
        self.sockets.append(made)

    def write(self, path: str, text: str, uid: int = 0) -> None:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        os.chown(place, uid, uid)

    def process(self, pid: int, uid: int, *arguments: str, parent: int = 1, session: str = "4294967295") -> None:
        place = self.proc / str(pid)
        place.mkdir()
        (place / "cmdline").write_text("\0".join(arguments) + "\0")
        (place / "stat").write_text(f"{pid} (a ) b) S {parent} 0")
        (place / "sessionid").write_text(session)
        os.chown(place, uid, uid)

    def session(self, name: str, **facts: str) -> None:
        self.write(f"/run/systemd/sessions/{name}", "".join(f"{key}={value}\n" for key, value in facts.items()))

    def displays(self) -> list[Display]:
        return find_displays(str(self.root), None, self.proc)


@pytest.fixture
def machine() -> Iterator[Machine]:
    if os.geteuid():
        pytest.skip("only root can make sockets of others")
    with tempfile.TemporaryDirectory(prefix="clip-") as folder:
        made = Machine(Path(folder))
        yield made
        for each in made.sockets:
            each.close()


def test_a_server_of_root_serves_the_session_that_names_its_display(machine: Machine) -> None:
    machine.listen("/tmp/.X11-unix/X0", 0)
    machine.write("/tmp/.X0-lock", "      700\n")
    machine.process(700, 0, "/usr/lib/xorg/Xorg", ":0", "-auth", "/var/run/lightdm/root/:0")
    machine.session("3", UID="1000", TYPE="x11", DISPLAY=":0", REMOTE_HOST="10.0.0.7")
    (display,) = machine.displays()
    assert (display.name, display.uid, display.server) == (":0", JOE, 700)
    assert (display.authority, display.root_authority) == ("/var/run/lightdm/root/:0", True)
    assert display.session == Session(3, "3", "10.0.0.7")


def test_a_server_of_a_user_serves_him_whatever_a_session_says(machine: Machine) -> None:
    machine.listen("/tmp/.X11-unix/X5", JOE)
    machine.session("9", UID="1001", TYPE="x11", DISPLAY=":5")
    machine.session("c2", UID="1000", TYPE="wayland")
    (display,) = machine.displays()
    assert (display.uid, display.authority, display.root_authority) == (JOE, "/home/joe/.Xauthority", False)
    assert display.session == Session(0, "c2")


def test_a_lock_file_of_somebody_else_names_no_server(machine: Machine) -> None:
    machine.listen("/tmp/.X11-unix/X0", 0)
    machine.write("/tmp/.X0-lock", "700\n", uid=JOE)
    machine.process(700, JOE, "Xorg", "-auth", "/etc/shadow")
    (display,) = machine.displays()
    assert (display.server, display.authority, display.root_authority) == (0, "/root/.Xauthority", False)


def test_without_a_session_the_number_is_that_of_the_kernels_audit(machine: Machine) -> None:
    machine.listen("/tmp/.X11-unix/X1", JOE)
    machine.write("/tmp/.X1-lock", "800\n", uid=JOE)
    machine.process(800, JOE, "Xvfb", ":1", session="12")
    assert machine.displays()[0].session == Session(12)


def test_without_a_lock_file_the_server_is_asked_for(machine: Machine) -> None:
    machine.listen("/tmp/.X11-unix/X2", 0)
    machine.process(os.getpid(), 0, "Xorg", "-displayfd", "3", "-auth", "/run/cookie", session="7")
    (display,) = machine.displays()
    assert (display.server, display.session) == (0, NO_SESSION)
    found = completed(str(machine.root), display, machine.proc)
    assert (found.server, found.authority, found.root_authority) == (os.getpid(), "/run/cookie", True)
    assert found.session == Session(7)


def test_wayland_displays_are_their_users_and_come_first(machine: Machine) -> None:
    machine.listen("/tmp/.X11-unix/X0", JOE)
    machine.listen("/run/user/1000/wayland-0", JOE)
    machine.write("/run/user/1000/wayland-0.lock", "", uid=JOE)
    inode = (machine.root / "run/user/1000/wayland-0.lock").stat().st_ino
    (machine.proc / "locks").write_text(
        f"1: POSIX  ADVISORY  WRITE 1 00:1:{inode} 0 EOF\n2: FLOCK  ADVISORY  WRITE 600 00:1:{inode} 0 EOF\n"
    )
    machine.session("2", UID="1000", TYPE="wayland")
    wayland, x11 = machine.displays()
    assert (wayland.kind, wayland.name, wayland.uid, wayland.server) == ("wayland", "wayland-0", JOE, 600)
    assert (wayland.session, x11.session) == (Session(2, "2"), Session(2, "2"))
    assert display_of(display_text(wayland)) == wayland


@pytest.mark.parametrize(("server", "parent", "is_made"), [(600, 1, True), (601, 600, True), (602, 1, False)])
def test_a_display_for_x11_programs_on_wayland_is_told_by_its_server(
    machine: Machine, server: int, parent: int, is_made: bool
) -> None:
    machine.process(server, JOE, "Xwayland", parent=parent)
    wayland = Display("wayland", "wayland-0", "/w", 1, JOE, server=600)
    x11 = Display("x11", ":0", "/x", 2, JOE, server=server)
    assert made_by(x11, [x11, wayland], machine.proc) == (wayland if is_made else None)


def test_what_is_no_socket_or_has_another_name_is_no_display(machine: Machine) -> None:
    machine.write("/tmp/.X11-unix/X3", "a file")
    machine.listen("/tmp/.X11-unix/X4_", 0)
    machine.listen("/run/user/1000/bus", JOE)
    (machine.root / "tmp/.X11-unix/X6").symlink_to("/etc/passwd")
    assert machine.displays() == []


def test_only_those_are_looked_at_that_are_named(machine: Machine) -> None:
    machine.listen("/tmp/.X11-unix/X0", 0)
    machine.listen("/srv/wayland-9", JOE)
    found = find_displays(str(machine.root), ["/srv/wayland-9"], machine.proc)
    assert [each.socket for each in found] == ["/srv/wayland-9"]
