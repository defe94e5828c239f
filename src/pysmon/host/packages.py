"""Whether a file is what an installed package brought: the nearest thing to a signature that files of Linux have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pysmon.host.dpkg import Dpkg
from pysmon.host.hashes import Expected, Hashes, find
from pysmon.host.package import Owner, Package
from pysmon.host.rpm import Rpm

_NONE = "-"
_ELSEWHERE = "the path leads to another file on this machine: it belongs to a container, or is gone"


@dataclass(frozen=True, slots=True)
class Origin:
    """The values of the fields Signed, Signature and SignatureStatus; `package` if the file is as it was packed."""

    signed: str = _NONE
    signature: str = _NONE
    status: str = _NONE
    package: Package | None = None
    skipped: str = ""  # why nothing is known, in words


class Database(Protocol):
    """A package database of this machine."""

    def signature(self) -> tuple[int, ...]:
        """Changes whenever the database does; empty where there is none."""

    def owner(self, path: str, *, fresh: bool = False) -> Owner | None:
        """Whose file it is; None if no package owns that path."""


class Packages:
    """Asks the package databases of this machine, and holds files against the digests in them. Several threads may."""

    def __init__(self, databases: Sequence[Database] | None = None) -> None:
        """Those of the machine, if none are given."""
        self._databases = tuple(databases) if databases is not None else (Dpkg(), Rpm())
        self._digests = {name: Hashes([name]) for name in ("MD5", "SHA256")}

    def signature(self) -> tuple[tuple[int, ...], ...]:
        """Changes whenever a database does; what was found before may be wrong then."""
        return tuple(database.signature() for database in self._databases)

    def prepare(self) -> bool:
        """Read what takes long to read, so that the first answer does not; True."""
        for database in self._databases:
            database.owner("/")
        return True

    def origin(self, path: str, expected: Expected, *places: str) -> Origin:
        """Where the `expected` file comes from that a process knows by `path`; `places`: its names here, if others."""
        places = places or (path,)
        databases = [d for d in self._databases if d.signature()]
        if not databases:
            return Origin(skipped="there is no package database that can be read")
        if find(*places, expected=expected) is None:
            return Origin(skipped=_ELSEWHERE)
        for database in databases:
            owner = database.owner(path)
            if owner is None:
                continue
            origin = self._verify(owner, expected, places)
            if origin.status != "Changed":
                return origin
            owner = database.owner(path, fresh=True)  # the package may have been changed just now, and the file with it
            return self._verify(owner, expected, places) if owner else Origin("false", status="Unavailable")
        return Origin("false", status="Unavailable")

    def _verify(self, owner: Owner, expected: Expected, places: tuple[str, ...]) -> Origin:
        name = str(owner.package)
        if not owner.digest:
            return Origin("false", name, "Unknown", owner.package, "the package tells no digest of the file")
        hashed = self._digests[owner.algorithm].of(*places, expected=expected)
        if hashed.text == _NONE:
            return Origin(_NONE, name, "Unknown", owner.package, hashed.skipped)
        if hashed.text == f"{owner.algorithm}={owner.digest}":
            return Origin("true", name, "Valid", owner.package)
        return Origin("false", name, "Changed")
