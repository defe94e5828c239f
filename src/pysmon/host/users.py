"""Names of users, remembered until the user database changes."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable

_LIMIT = 4096
_UNKNOWN = 60  # calls of `refresh` for which it is believed that a user is unknown: directories may come late in a boot
_Stamp = tuple[int, int, int] | None


def _name_of(uid: int) -> str:
    return pwd.getpwuid(uid).pw_name


class Users:
    """Turns user ids into names. What the system does not know keeps its number."""

    __slots__ = ("_ask", "_database", "_limit", "_looks", "_names", "_stamp", "edition")

    def __init__(
        self, *, ask: Callable[[int], str | None] = _name_of, database: str = "/etc/passwd", limit: int = _LIMIT
    ) -> None:
        """`ask` raises KeyError for an unknown user, and gives None if it can tell only later: the number must do until
        then. `limit` is how many names are remembered.
        """
        self._ask = ask
        self._database = database
        self._limit = limit
        self._names: dict[int, str] = {}
        self._stamp = _stamp(database)
        self._looks = 0
        self.edition = 0  # of the user database: another number, other names

    def name(self, uid: int) -> str:
        """The user's name, or the number as text."""
        known = self._names.get(uid)
        return known if known is not None else self._learn(uid)

    def known(self) -> dict[int, str]:
        """All names that were asked for so far, by user id."""
        return dict(self._names)

    def refresh(self) -> None:
        """Forget all names if the user database is another than before; call it every second or so.

        Once a minute, users are forgotten that nobody knew: they are asked for again.
        """
        self._looks += 1
        if self._looks % _UNKNOWN == 0:
            self._names = {uid: name for uid, name in self._names.items() if name != str(uid)}
        stamp = _stamp(self._database)
        if stamp != self._stamp:
            self._stamp = stamp
            self._names.clear()
            self.edition += 1

    def _learn(self, uid: int) -> str:
        name: str | None
        try:
            name = self._ask(uid)
        except (KeyError, OverflowError, ValueError):
            name = str(uid)
        if name is None:
            return str(uid)
        if len(self._names) >= self._limit:
            self._names.clear()
        self._names[uid] = name
        return name


def _stamp(path: str) -> _Stamp:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
