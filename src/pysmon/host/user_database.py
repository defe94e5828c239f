"""The users of this machine: its own from /etc/passwd, those of a directory service by way of the system.

The system's way (NSS) may lead to an LDAP server that is slow or gone. Users of the machine itself are never asked for
there, so their names come at once and always.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path

from pysmon.host.errands import Errands

PATIENCE = 0.1  # s: an answer from this machine, or from a cache on it, takes a few ms
_ABOUT = "the user database"
_Stamp = tuple[int, int, int]


def _by_system(uid: int) -> str:
    return pwd.getpwuid(uid).pw_name


class UserDatabase:
    """Gives the name of a user: at once if he is the machine's own, within a bounded time otherwise, or later."""

    def __init__(
        self,
        errands: Errands,
        *,
        path: Path = Path("/etc/passwd"),
        ask: Callable[[int], str] = _by_system,
        patience: float = PATIENCE,
    ) -> None:
        """`path` holds the machine's own users; `ask` tells all others, KeyError for one that there is not.

        `patience` is for how many seconds an answer is waited for.
        """
        self._errands, self._path, self._ask, self._patience = errands, path, ask, patience
        self._stamp: _Stamp | None = None
        self._own: dict[int, str] = {}
        self._answers: dict[int, str | None] = {}  # to be given the next time; None: there is no such user

    def __call__(self, uid: int) -> str | None:
        """The name; None if it is not known yet, KeyError if there is no such user."""
        self._look()
        name = self._own.get(uid)
        if name is not None:
            return name
        if uid not in self._answers and not self._errands.ask(
            _ABOUT, lambda: self._learn(uid), patience=self._patience
        ):
            return None
        name = self._answers.pop(uid)
        if name is None:
            raise KeyError(uid)
        return name

    def _learn(self, uid: int) -> bool:
        """In another thread: this may take for ever."""
        try:
            self._answers[uid] = self._ask(uid)
        except (KeyError, OverflowError, ValueError):
            self._answers[uid] = None
        return True

    def _look(self) -> None:
        """Read the machine's own users again if they have changed."""
        try:
            found = self._path.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                self._own = _read(self._path)
                self._stamp = stamp
        except OSError:
            self._own, self._stamp = {}, None


def _read(path: Path) -> dict[int, str]:
    """By user id, the first name that has it. OSError."""
    names: dict[int, str] = {}
    for line in path.read_bytes().splitlines():
        fields = line.split(b":")
        if len(fields) > 2 and fields[0] and fields[2].isdigit():
            names.setdefault(int(fields[2]), os.fsdecode(fields[0]))
    return names
