"""Reads databases of dconf: with bounds, regular files alone, and never waited for."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pysmon.errors import RecordError
from pysmon.host.dconf.changes import Change, changes
from pysmon.host.dconf.table import LARGEST
from pysmon.host.errands import Errands
from pysmon.host.hashes import file_system

_HOMES = 64  # that are looked at when it begins
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Settings:
    """A database as it is now, and what has changed in it since it was looked at last."""

    data: bytes
    owner: int  # user id
    changes: tuple[Change, ...] = ()
    more: int = 0  # changes that are not told


class DconfReader:
    """Looks at databases for whoever must not be held up by one."""

    def __init__(self, errands: Errands, users: Path = Path("/etc/passwd")) -> None:
        """`users` tells where the home folders are."""
        self._errands, self._passwd = errands, users

    def settings(self, tgids: Sequence[int], path: str, device: int, before: bytes) -> Settings | None:
        """What is there now, as one of these processes sees the disk, or else as we do, held against `before`.

        None if there is no database that can be read.
        """
        places = [*(f"/proc/{tgid}/root{path}" for tgid in (*tgids, 1)), path]
        found = self._errands.ask(file_system(device), lambda: (_compared(places, before),))
        return found[0] if found else None

    def present(self) -> dict[str, bytes]:
        """The databases in the home folders of this machine's own users, and the machine's, by path."""
        return self._errands.ask("the home folders", self._present) or {}

    def _present(self) -> dict[str, bytes]:
        paths = [*(f"{home}/.config/dconf/user" for home in self._homes()), *_of_machine()]
        found = ((path, _read(path)) for path in paths)
        return {path: each.data for path, each in found if each is not None}

    def _homes(self) -> list[str]:
        try:
            lines = self._passwd.read_bytes().splitlines()
        except OSError:
            return []
        homes = [os.fsdecode(line.split(b":")[5]).rstrip("/") for line in lines if line.count(b":") >= 6]
        return [home for home in dict.fromkeys(homes) if home.startswith("/") and home != "/nonexistent"][:_HOMES]


def _of_machine() -> list[str]:
    try:
        return [entry.path for entry in os.scandir("/etc/dconf/db") if "." not in entry.name][:_HOMES]
    except OSError:
        return []


def _compared(places: Sequence[str], before: bytes) -> Settings | None:
    found = next((found for place in places if (found := _read(place)) is not None), None)
    if found is None:
        return None
    try:
        told, more = changes(before, found.data)
    except RecordError:  # it is no database, or is being written
        return None
    return Settings(found.data, found.owner, tuple(told), more)


def _read(path: str) -> Settings | None:
    """A regular file that is not too long; None if there is none, or it may not be read."""
    try:
        file = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > LARGEST:
            return None
        return Settings(os.read(file, LARGEST), facts.st_uid)
    except OSError:
        return None
    finally:
        os.close(file)
