"""Which displays there are, and whose: sockets of X11 and Wayland, and what systemd-logind says of sessions."""

from __future__ import annotations

import os
import re
import socket
import stat
import struct
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

_UNSET = 0xFFFFFFFF
_X11, _WAYLAND = re.compile(r"X(\d{1,5})"), re.compile(r"wayland-[0-9A-Za-z._-]{1,64}")
_X11_FOLDER = "/tmp/.X11-unix"  # noqa: S108 - where servers of X11 put them
_LOCK = "/tmp/.X{}-lock"  # noqa: S108 - the same
_CREDENTIALS = struct.Struct("3i")  # process, user, group (unix(7))
_MOST = 64  # sockets that are looked at
_LARGEST = 1 << 16  # bytes of a file of the system


@dataclass(frozen=True, slots=True)
class Session:
    """A session, as systemd-logind has it."""

    number: int = 0  # 0 if it has none
    name: str = ""
    remote: str = ""  # the host that it is used from; empty for this one


NO_SESSION = Session()


@dataclass(frozen=True, slots=True)
class Display:
    """A display, and the session that it belongs to."""

    kind: Literal["x11", "wayland"]
    name: str  # :0, wayland-0
    socket: str  # its path, from the root of the machine
    inode: int  # of the socket: another one is another display
    uid: int  # whose session it is
    server: int = 0  # process of the display's server; 0 if that is not known
    authority: str = ""  # path of a file with the cookie; empty if none is known
    root_authority: bool = False  # whether only root may read that
    session: Session = NO_SESSION


def find_displays(root: str, only: Collection[str] | None = None, proc: Path = Path("/proc")) -> list[Display]:
    """All displays, or those of the sockets that are named; Wayland's come first.

    `root` is the folder that is the machine's root, which may be another than ours; the paths of `only` begin there.
    """
    sessions = list(_sessions(root))
    paths = list(_sockets(root)) if only is None else list(only)
    made = [_display(root, path, sessions, proc) for path in paths[:_MOST]]
    return sorted((each for each in made if each), key=lambda each: (each.kind == "x11", each.socket))


def completed(root: str, display: Display, proc: Path = Path("/proc")) -> Display:
    """The same, with what its server tells by itself where no lock file names that (`Xorg -displayfd`, as of gdm)."""
    if display.kind != "x11" or display.server:
        return display
    server, uid = _peer(root + display.socket)
    if not server or uid not in (0, display.uid):
        return display
    named = _option(_bytes(proc / str(server) / "cmdline"), b"-auth")
    return replace(
        display,
        server=server,
        authority=named or display.authority,
        root_authority=bool(named) and uid == 0,
        session=display.session if display.session != NO_SESSION else _about(None, server, proc),
    )


def made_by(display: Display, others: Collection[Display], proc: Path = Path("/proc")) -> Display | None:
    """The Wayland display whose server shows X11 programs this X11 display (Xwayland); None if it is one by itself."""
    if display.kind != "x11" or not display.server:
        return None
    family = {display.server, _parent(display.server, proc)}
    return next((each for each in others if each.kind == "wayland" and each.server in family), None)


def _sockets(root: str) -> Iterator[str]:
    users = [(f"/run/user/{name}", _WAYLAND) for name in _names(root, "/run/user") if name.isdigit()]
    for folder, pattern in [*users, (_X11_FOLDER, _X11)]:
        yield from (f"{folder}/{name}" for name in _names(root, folder) if pattern.fullmatch(name))


def _names(root: str, folder: str) -> list[str]:
    try:
        return sorted(os.listdir(root + folder))
    except OSError:
        return []


def _display(root: str, path: str, sessions: list[Mapping[str, str]], proc: Path) -> Display | None:
    try:
        found = os.lstat(root + path)
    except OSError:
        return None
    if not stat.S_ISSOCK(found.st_mode):
        return None
    name = os.path.basename(path)
    if x11 := _X11.fullmatch(name):
        return _of_x11(root, path, x11[1], found, sessions, proc)
    session = _session_of(sessions, found.st_uid, "wayland")
    server = _holder(root + path + ".lock", proc)
    return Display("wayland", name, path, found.st_ino, found.st_uid, server, session=_about(session, server, proc))


def _of_x11(
    root: str, path: str, number: str, found: os.stat_result, sessions: list[Mapping[str, str]], proc: Path
) -> Display:
    server = _server(root + _LOCK.format(number), found.st_uid, proc)
    session = next((s for s in sessions if s.get("DISPLAY") == f":{number}"), None)
    # A server of root may serve anybody's session; one of a user serves his own, whatever else is said.
    uid = int(session["UID"]) if session and found.st_uid == 0 else found.st_uid
    if session is None or int(session["UID"]) != uid:
        session = _session_of(sessions, uid, "x11")
    named = _option(_bytes(proc / str(server) / "cmdline"), b"-auth") if server else ""
    return Display(
        "x11",
        f":{number}",
        path,
        found.st_ino,
        uid,
        server,
        named or _own_authority(root, uid),
        bool(named) and found.st_uid == 0,
        session=_about(session, server, proc),
    )


def _about(session: Mapping[str, str] | None, server: int, proc: Path) -> Session:
    """What is told of a session; without one the audit session of the server, which has the same numbers."""
    if session:
        name = session["ID"]
        return Session(int(name) & _UNSET if name.isdigit() else 0, name, session.get("REMOTE_HOST", ""))
    text = _bytes(proc / str(server) / "sessionid").strip() if server else b""
    number = int(text) if text.isdigit() else _UNSET
    return Session(number if number < _UNSET else 0)


def _sessions(root: str) -> Iterator[Mapping[str, str]]:
    """What systemd-logind keeps of sessions (sd-login(3) reads the same), with the name of each as ID."""
    for name in _names(root, "/run/systemd/sessions")[:_MOST]:
        if name.endswith(".ref"):
            continue
        lines = _bytes(Path(f"{root}/run/systemd/sessions/{name}")).decode("utf-8", "replace").splitlines()
        facts = {key: value for key, _, value in (line.partition("=") for line in lines)}
        if facts.get("UID", "").isdigit():
            yield {**facts, "ID": name}


def _session_of(sessions: list[Mapping[str, str]], uid: int, kind: str) -> Mapping[str, str] | None:
    own = [s for s in sessions if int(s["UID"]) == uid and s.get("TYPE") in ("x11", "wayland", "mir")]
    return next((s for s in own if s["TYPE"] == kind), own[0] if own else None)


def _server(lock: str, uid: int, proc: Path) -> int:
    """The process that a lock file names, if it may be believed: the file and the process are the socket owner's."""
    try:
        if os.lstat(lock).st_uid != uid:
            return 0
        text = _bytes(Path(lock)).strip()
        server = int(text) if text.isdigit() else 0
        return server if server and os.stat(proc / str(server)).st_uid in (uid, 0) else 0
    except (OSError, ValueError):
        return 0


def _peer(path: str) -> tuple[int, int]:
    """The process that listens at a socket, and its user; zeros if nobody does."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.setblocking(False)
        try:
            asking.connect(path)
            server, uid, _ = _CREDENTIALS.unpack(asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        except OSError:
            return 0, 0
        return server, uid


def _holder(lock: str, proc: Path) -> int:
    """The process that has locked a file (proc(5), /proc/locks)."""
    try:
        inode = os.stat(lock).st_ino
    except OSError:
        return 0
    for line in _bytes(proc / "locks").splitlines():
        fields = line.split()
        if len(fields) > 5 and fields[1] == b"FLOCK" and fields[5].endswith(b":%d" % inode) and fields[4].isdigit():
            return int(fields[4])
    return 0


def _parent(pid: int, proc: Path) -> int:
    with suppress(ValueError, IndexError):
        return int(_bytes(proc / str(pid) / "stat").rpartition(b")")[2].split()[1])
    return 0


def _own_authority(root: str, uid: int) -> str:
    """The file of a user of /etc/passwd; directories of users are not asked, for they may hang."""
    for line in _bytes(Path(f"{root}/etc/passwd")).decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) > 5 and fields[2] == str(uid) and fields[5].startswith("/"):
            return f"{fields[5]}/.Xauthority"
    return ""


def _option(arguments: bytes, name: bytes) -> str:
    words = arguments.split(b"\0")
    value = next((words[i + 1] for i in range(len(words) - 1) if words[i] == name), b"")
    return os.fsdecode(value) if value.startswith(b"/") else ""


def _bytes(path: Path) -> bytes:
    """The beginning of a file; empty if it cannot be read, or is none."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(file, _LARGEST) if stat.S_ISREG(os.fstat(file).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(file)
