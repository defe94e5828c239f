"""A unix socket for root alone, with that mode from its first moment on; and who is at the other end of one."""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

_MODE = 0o600
_CREDENTIALS = struct.Struct("iII")  # struct ucred: process, user, group


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end, as the kernel noted it when it connected or began to listen."""

    pid: int
    uid: int

    @property
    def may(self) -> bool:
        """Is it root's, or of our own user?"""
        return self.uid in (0, os.geteuid())


class InUseError(OSError):
    """Somebody listens there already; `who` says so in words."""

    def __init__(self, path: Path, who: str) -> None:
        """As the kernel says it."""
        super().__init__(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), str(path))
        self.who = who


def peer_of(connection: socket.socket) -> Peer:
    """Who is at the other end."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return Peer(pid, uid)


def listen(path: Path, backlog: int = socket.SOMAXCONN) -> socket.socket:
    """A listening socket at that path, which does not block; `backlog` connections may wait.

    What a process that is gone left there is replaced. OSError: FileExistsError if it is no socket, InUseError if
    somebody listens on it.
    """
    _remove_stale(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(made.fileno(), _MODE)  # the kernel gives the file no more than this when it makes it
        made.bind(str(path))
        path.chmod(_MODE)  # nor less, whatever the umask took away
        made.setblocking(False)
        made.listen(backlog)
    except BaseException:
        made.close()
        raise
    return made


def identity(path: Path) -> tuple[int, int] | None:
    """Which file that is, whatever its name; None if there is none."""
    try:
        state = path.lstat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.setblocking(False)
        outcome = trial.connect_ex(str(path))
        if outcome == errno.ECONNREFUSED:
            path.unlink()
            return
        raise InUseError(path, f"process {peer_of(trial).pid}" if outcome == 0 else "somebody")
