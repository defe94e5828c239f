"""The package database of Fedora, Red Hat and their kin: which package a file belongs to, and its digest.

Of the kind that is a SQLite database (rpm 4.16 and later). Headers of packages: docs/manual/hregions.md and rpmtag.h of
rpm.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from pysmon.host.package import Owner, Package

_PLACES = ("/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite")
_MOST_BYTES = 1 << 26  # of one header: rpm's own limit is 256 MiB, a real one has less than 10
_MOST_ENTRIES, _MOST_OWNERS = 1 << 12, 1 << 8
_INT32, _STRING, _STRINGS, _I18N = 4, 6, 8, 9
_NAME, _VERSION, _RELEASE, _SUMMARY, _VENDOR = 1000, 1001, 1002, 1004, 1011
_DIGESTS, _DIR_INDEXES, _BASENAMES, _DIR_NAMES, _DIGEST_ALGORITHM = 1035, 1116, 1117, 1118, 5011
_ALGORITHMS = {1: "MD5", 8: "SHA256"}  # PGPHASHALGO_*; MD5 where none is told
_MERGED = ("/bin/", "/sbin/", "/lib/", "/lib64/")
_NONE = "-"


class Rpm:
    """Looks owners up in the database's own index. Several threads may ask."""

    def __init__(self, root: str = "") -> None:
        """`root` is the directory that stands for `/`."""
        self._root = root

    def signature(self) -> tuple[int, ...]:
        """Changes whenever rpm changes anything; empty where there is no such database."""
        return tuple(n for path in self._files() for n in _stamp(path))

    def owner(self, path: str, *, fresh: bool = False) -> Owner | None:  # noqa: ARG002 - no answer is older than the question
        """Whose file it is; None if no package owns that path. Paths are the kernel's: without symbolic links."""
        files = self._files()
        if not files:
            return None
        try:
            # Unchangeable, as we see it: SQLite would want to write beside it otherwise.
            with closing(sqlite3.connect(f"file:{files[0]}?mode=ro&immutable=1", uri=True)) as database:
                return next(_owners(database, path), None)
        except sqlite3.Error:  # rpm is at work, or it is none
            return None

    def _files(self) -> list[str]:
        """The database, and what rpm has not brought into it yet; nothing where there is none."""
        for place in _PLACES:
            path = self._root + place
            if os.path.exists(path):
                return [path, *(wal for wal in (f"{path}-wal",) if os.path.exists(wal))]
        return []


@dataclass(frozen=True, slots=True)
class _Header:
    """What rpm keeps of a package: tags with their values."""

    entries: dict[int, tuple[int, int, int]]  # type, offset and count by tag
    data: bytes

    def number(self, tag: int, index: int = 0) -> int | None:
        kind, offset, count = self.entries.get(tag, (0, 0, 0))
        at = offset + 4 * index
        if kind != _INT32 or not 0 <= index < count or not 0 <= at <= len(self.data) - 4:
            return None
        return int.from_bytes(self.data[at : at + 4])

    def text(self, tag: int, index: int = 0) -> str | None:
        kind, at, count = self.entries.get(tag, (0, 0, 0))
        if kind not in (_STRING, _STRINGS, _I18N) or not 0 <= index < count:
            return None
        for _ in range(index):
            at = self.data.find(b"\0", at) + 1
            if not at:
                return None
        end = self.data.find(b"\0", at)
        return None if end < 0 else self.data[at:end].decode("utf-8", "surrogateescape")

    def path(self, index: int) -> str | None:
        where = self.number(_DIR_INDEXES, index)
        folder = None if where is None else self.text(_DIR_NAMES, where)
        name = self.text(_BASENAMES, index)
        return None if folder is None or name is None else folder + name


def _owners(database: sqlite3.Connection, path: str) -> Iterator[Owner]:
    name = os.path.basename(path).encode("utf-8", "surrogateescape")
    rows = database.execute(
        "SELECT b.idx, p.blob FROM Basenames b JOIN Packages p ON p.hnum = b.hnum"
        " WHERE b.key = CAST(? AS TEXT) AND length(p.blob) <= ? LIMIT ?",
        (name, _MOST_BYTES, _MOST_OWNERS),
    )
    for index, blob in rows:
        header = read_header(blob) if isinstance(blob, bytes) else None
        if header is None or not isinstance(index, int):
            continue
        listed = header.path(index)
        if listed is not None and path in (listed, f"/usr{listed}" if listed.startswith(_MERGED) else listed):
            yield _owner(header, index)


def _owner(header: _Header, index: int) -> Owner:
    version, release = header.text(_VERSION), header.text(_RELEASE)
    package = Package(
        header.text(_NAME) or _NONE,
        "-".join(part for part in (version, release) if part) or _NONE,
        header.text(_SUMMARY) or _NONE,
        header.text(_VENDOR) or _NONE,
    )
    algorithm = _ALGORITHMS.get(header.number(_DIGEST_ALGORITHM) or 1, "")
    digest = header.text(_DIGESTS, index) if algorithm else None
    return Owner(package, algorithm or "MD5", (digest or "").lower())


def read_header(blob: bytes) -> _Header | None:
    """A header as the database keeps it; None if it is none. What is cut off tells nothing."""
    if len(blob) < 8:
        return None
    count, size = struct.unpack_from(">II", blob)
    begin = 8 + 16 * count
    if count > _MOST_ENTRIES or begin + size > len(blob):
        return None
    entries = struct.iter_unpack(">IIII", blob[8:begin])
    return _Header({tag: (kind, offset, values) for tag, kind, offset, values in entries}, blob[begin : begin + size])


def _stamp(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size
