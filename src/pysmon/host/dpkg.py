"""The package database of Debian and its kin: which package a file belongs to, and the digest that it came with."""

from __future__ import annotations

import os
import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from pysmon.host.package import Owner, Package

_MOST_PACKAGES = 1 << 16  # their numbers share 64 bits with a hash of the path
_MOST_PATHS = 1 << 22  # 32 MB of index; a full desktop has a tenth of it
_MOST_BYTES = 1 << 27  # of one file of the database
_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32")
_REST = 20  # times as long as building the index took, until it is built again
_FACTS = (b"Package", b"Architecture", b"Version", b"Maintainer", b"Description")


class Dpkg:
    """Looks owners up in an index of all paths, built when it is first asked for, and again when dpkg was at work.

    The index holds 8 bytes for each path: a hash of 48 bits and the package's number. What it finds is looked up in the
    package's own lists. Several threads may ask.
    """

    def __init__(self, root: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        """`root` is the directory that stands for `/`."""
        self._root = root
        self._state = Path(f"{root}/var/lib/dpkg")
        self._clock = clock
        self._lock = threading.Lock()
        self._signature: tuple[int, ...] = ()
        self._rest_until = 0.0
        self._index = array("Q")
        self._lists: list[str] = []  # names of packages as files in the database have them, by number
        self._packages: dict[str, Package] = {}
        self._merged: tuple[bytes, ...] = ()
        self._diverted_to: dict[str, tuple[str, str]] = {}  # where a file was moved: its own path, and for whom
        self._diverted: dict[str, str] = {}  # and for whom, by its own path
        self.built = 0  # how often the index was built

    def signature(self) -> tuple[int, ...]:
        """Changes whenever dpkg changes anything; empty where there is no such database."""
        try:
            times = [os.stat(self._state / name) for name in ("status", "info")]
        except OSError:
            return ()
        return tuple(n for found in times for n in (found.st_mtime_ns, found.st_ino, found.st_size))

    def owner(self, path: str, *, fresh: bool = False) -> Owner | None:
        """Whose file it is; None if no package owns that path. Paths are the kernel's: without symbolic links.

        While dpkg is at work an answer may be some seconds old, unless it must be `fresh`.
        """
        with self._lock:
            self._refresh(at_once=fresh)
            return self._find(path)

    def _find(self, path: str) -> Owner | None:
        moved = self._diverted_to.get(path)
        owned, besides = moved or (path, "")
        only = "" if moved else self._diverted.get(path, "")
        for name in self._candidates(os.fsencode(owned)):
            package = name.partition(":")[0]
            if package == besides or (only and package != only):
                continue
            found = self._look(name, owned)
            if found is not None:
                return Owner(self._packages.get(name) or Package(package), "MD5", found)
        return None

    def _refresh(self, *, at_once: bool) -> None:
        signature = self.signature()
        began = self._clock()
        if signature == self._signature or (began < self._rest_until and not at_once):
            return
        self._signature = signature
        self._merged = tuple(f"/{name}/".encode() for name in _MERGED if _is_merged(f"{self._root}/{name}"))
        self._packages = {}
        self._read_status()
        self._read_lists()
        self._read_diversions()
        self.built += 1
        now = self._clock()
        self._rest_until = now + _REST * (now - began)

    def _read_status(self) -> None:
        for stanza in _bytes(self._state / "status").split(b"\n\n"):
            facts = dict(_facts(stanza))
            name = facts.get("Package")
            if name is None or len(self._packages) >= 2 * _MOST_PACKAGES:
                continue
            package = Package(name, *(facts.get(f, "-") for f in ("Version", "Description", "Maintainer")))
            self._packages[f"{name}:{facts.get('Architecture', '')}"] = self._packages[name] = package

    def _read_lists(self) -> None:
        self._lists = []
        entries: list[int] = []
        with suppress(OSError), os.scandir(self._state / "info") as files:
            for file in files:
                if not file.name.endswith(".list"):
                    continue
                if len(self._lists) >= _MOST_PACKAGES or len(entries) >= _MOST_PATHS:
                    break
                number = len(self._lists)
                self._lists.append(file.name.removesuffix(".list"))
                entries += [_key(self._kernel_s(line)) | number for line in _bytes(Path(file.path)).split(b"\n")]
        self._index = array("Q", sorted(entries))

    def _read_diversions(self) -> None:
        lines = os.fsdecode(_bytes(self._state / "diversions")).split("\n")
        triples = list(zip(lines[::3], lines[1::3], lines[2::3], strict=False))
        places = [(self._text(path), self._text(to), by) for path, to, by in triples]
        self._diverted_to = {to: (path, by) for path, to, by in places}
        self._diverted = {path: by for path, _, by in places}

    def _candidates(self, path: bytes) -> Iterator[str]:
        key = _key(path)
        at = bisect_left(self._index, key)
        while at < len(self._index) and self._index[at] & ~(_MOST_PACKAGES - 1) == key:
            yield self._lists[self._index[at] & (_MOST_PACKAGES - 1)]
            at += 1

    def _look(self, name: str, path: str) -> str | None:
        """The digest that the package has of the file, empty if it has none; None if it is not the package's."""
        wanted = os.fsencode(path)
        for line in _bytes(self._state / "info" / f"{name}.md5sums").split(b"\n"):
            digest, _, of = line.partition(b"  ")
            if of and self._kernel_s(b"/" + of) == wanted:
                return digest.decode("ascii", "replace").lower()
        lines = _bytes(self._state / "info" / f"{name}.list").split(b"\n")
        return "" if any(self._kernel_s(line) == wanted for line in lines) else None

    def _kernel_s(self, path: bytes) -> bytes:
        """As the kernel names it, where /lib and its kin are links into /usr but packages do not know it."""
        return b"/usr" + path if self._merged and path.startswith(self._merged) else path

    def _text(self, path: str) -> str:
        return os.fsdecode(self._kernel_s(os.fsencode(path)))


def _key(path: bytes) -> int:
    return hash(path) & 0xFFFF_FFFF_FFFF_0000


def _facts(stanza: bytes) -> Iterator[tuple[str, str]]:
    for line in stanza.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon and name in _FACTS:
            yield name.decode(), value.strip().decode("utf-8", "replace")


def _is_merged(path: str) -> bool:
    try:
        return os.readlink(path).strip("/") == f"usr/{os.path.basename(path)}"
    except OSError:
        return False


def _bytes(path: Path) -> bytes:
    """The file's content; nothing if it cannot be read or is larger than any that is real."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError:
        return b""
    return content if len(content) <= _MOST_BYTES else b""
