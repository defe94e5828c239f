"""The control socket's place: a unix socket for root alone, of which this process is the only owner."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from pysmon.errors import PysmonError
from pysmon.service.files import make_folder
from pysmon.sinks.local import InUseError, identity, listen

_WRITABLE_BY_OTHERS = 0o022
_HINT = "end the other one, or see `pysmon status`"


class ControlError(PysmonError):
    """The control socket cannot be had."""


class Listener:
    """A listening socket at a path, with mode 0600 from the first moment on, whatever the umask is."""

    def __init__(self, path: Path, backlog: int) -> None:
        """Take the place: what a dead instance left is removed, a live one is not touched; ControlError.

        `backlog` is how many connections may wait. The folder is made (0700) if it is missing.
        """
        self.path = path
        self._folder = _claim(path)
        try:
            self.socket = _listening(path, backlog)
            self._identity = identity(path)
        except BaseException:
            os.close(self._folder)
            raise

    @property
    def is_current(self) -> bool:
        """Does the path still lead to this socket? If not, somebody removed or replaced it."""
        return identity(self.path) == self._identity

    def close(self) -> None:
        """Stop listening, and remove the socket if it is still this one; a second call does nothing."""
        if self._folder < 0:
            return
        self.socket.close()
        if self.is_current:
            with suppress(OSError):
                self.path.unlink()
        folder, self._folder = self._folder, -1
        os.close(folder)


def _claim(path: Path) -> int:
    """The folder of the socket, locked: two instances that start at once cannot both remove what they find."""
    folder = path.parent
    try:
        if not folder.exists():
            make_folder(folder)
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise _failed(path, error) from error
    state = os.fstat(fd)
    if state.st_uid not in (0, os.geteuid()) or state.st_mode & _WRITABLE_BY_OTHERS:
        os.close(fd)
        whose = f"user {state.st_uid}, mode {stat.S_IMODE(state.st_mode):o}"
        raise ControlError(
            f"{folder} is no safe place for a control socket: {whose}",
            hint="it must be root's, and writable for nobody else: chmod 0700",
        )
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise ControlError(f"another instance of pysmon has {path}", hint=_HINT) from None
    return fd


def _listening(path: Path, backlog: int) -> socket.socket:
    try:
        return listen(path, backlog)
    except InUseError as error:
        raise ControlError(f"{error.who} listens on {path} already", hint=_HINT) from error
    except FileExistsError as error:
        raise ControlError(f"{path} is there already and is no socket", hint="move it away") from error
    except OSError as error:
        raise _failed(path, error) from error


def _failed(path: Path, error: OSError) -> ControlError:
    cause = os.strerror(error.errno) if error.errno else str(error)
    return ControlError(f"cannot make the control socket {path}: {cause}", hint="may this user write to its folder?")
