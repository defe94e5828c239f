"""Hashes of files: safe to open, read once for all algorithms, remembered as long as the file does not change."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from pysmon.host.errands import Errands
from pysmon.host.imphash import NEEDS, imphash

ALGORITHMS = ("SHA1", "MD5", "SHA256", "IMPHASH")  # the order in which Sysmon writes them
LIMIT = 32 << 20  # bytes; a longer file would hold up what waits behind it
_REMEMBERED = 4096
_CHUNK = 1 << 18
# A file system counts change times in steps of some ms: a file that changed just now may change again unseen.
SETTLED = 1_000_000_000  # ns
_READERS = {"SHA1": hashlib.sha1, "MD5": hashlib.md5, "SHA256": hashlib.sha256}
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a FIFO or a terminal must not hold us


class Expected(NamedTuple):
    """Which file is meant, as the kernel numbers it (device: major << 20 | minor)."""

    device: int
    inode: int
    size: int
    change_time: int = 0  # of its inode, in ns since 1970; 0 if not known. It changes with names and rights, too


@dataclass(frozen=True, slots=True)
class Hashed:
    """`text` for the field Hashes; `skipped` says in words why it is `-`, or why an algorithm is missing."""

    text: str = "-"
    skipped: str = ""


class Hashes:
    """Hashes files with the chosen algorithms."""

    def __init__(
        self,
        algorithms: Sequence[str],
        *,
        limit: int = LIMIT,
        remembered: int = _REMEMBERED,
        imports: Callable[[bytes], str | None] = imphash,
        clock: Callable[[], int] = time.time_ns,
        errands: Errands | None = None,
    ) -> None:
        """`algorithms` of ALGORITHMS, `limit` in bytes; `remembered` is how many files are kept in mind.

        `errands` read the files, so that no file system can hold up the caller; without them he reads them himself.
        """
        unknown = set(algorithms) - set(ALGORITHMS)
        if unknown:
            raise ValueError(f"not a hash algorithm: {', '.join(sorted(unknown))} (expected {', '.join(ALGORITHMS)})")
        self._chosen = [a for a in ALGORITHMS if a in algorithms]
        self._limit = limit
        self._remembered = remembered
        self._imports = imports
        self._clock = clock
        self._errands = errands
        self._known: dict[tuple[int, ...], Hashed] = {}
        self._lock = threading.Lock()  # of what is known: errands that were late remember, too

    def of(self, *paths: str, expected: Expected | None = None) -> Hashed:
        """The hashes of the first path that leads to the `expected` file; `-` if none does or it cannot be read."""
        if not self._chosen:
            return Hashed()
        if expected and (known := self.known(*expected)):
            return known
        if self._errands is None:
            return self._look(paths, expected)
        made = self._errands.ask(file_system(expected.device if expected else 0), lambda: self._look(paths, expected))
        return made or Hashed(skipped="its file system does not answer in time")

    def known(self, device: int, inode: int, size: int, change_time: int) -> Hashed | None:
        """What `of` gives for such an expected file without a look at it: it is the same as it was then."""
        if not self._chosen:
            return Hashed()
        return self._recall((device, inode, size, change_time)) if change_time else None

    def _look(self, paths: Sequence[str], expected: Expected | None) -> Hashed:
        there = find(*paths, expected=expected)
        if there is None:
            return Hashed(skipped="the file is no longer there")
        path, found = there
        return self._recall(_key(found)) or self._open(path, expected)

    def of_bytes(self, data: bytes) -> str:
        """The hashes of bytes that no file has by itself, such as an extended attribute."""
        made = (f"{a}={_READERS[a](data, usedforsecurity=False).hexdigest()}" for a in self._chosen if a in _READERS)
        return ",".join(made) or "-"

    def _open(self, path: str, expected: Expected | None) -> Hashed:
        try:
            file = os.open(path, _FLAGS)
        except (OSError, ValueError) as error:
            return Hashed(skipped=f"the file cannot be opened: {getattr(error, 'strerror', None) or error}")
        try:
            return self._read(file, expected)
        except OSError as error:
            return Hashed(skipped=f"the file cannot be read: {error.strerror}")
        finally:
            os.close(file)

    def _read(self, file: int, expected: Expected | None) -> Hashed:
        before = os.fstat(file)
        if not fits(before, expected):
            return Hashed(skipped="another file has taken its place")
        if before.st_size > self._limit:
            return Hashed(skipped=f"larger than {self._limit} bytes")
        made = self._digest(file)
        if made is None or _key(os.fstat(file)) != _key(before):
            return Hashed(skipped="the file changed while it was read")
        if before.st_ctime_ns + SETTLED < self._clock():
            self._remember(_key(before), made)
            if expected and expected.change_time == before.st_ctime_ns:
                self._remember(expected, made)
        return made

    def _digest(self, file: int) -> Hashed | None:
        """One pass; None if the file turns out longer than the limit."""
        states = {a: _READERS[a](usedforsecurity=False) for a in self._chosen if a in _READERS}
        kept: list[bytes] = []
        total = 0
        keep = False
        while chunk := os.read(file, _CHUNK):
            keep = keep if total else "IMPHASH" in self._chosen and chunk.startswith(b"MZ")
            total += len(chunk)
            if total > self._limit:
                return None
            for state in states.values():
                state.update(chunk)
            if keep:
                kept.append(chunk)
        texts = [f"{a}={states[a].hexdigest()}" for a in self._chosen if a in states]
        imports = self._imports(b"".join(kept)) if keep else ""
        if imports:
            texts.append(f"IMPHASH={imports}")
        return Hashed(",".join(texts) or "-", NEEDS if imports is None else "")

    def _recall(self, key: tuple[int, ...]) -> Hashed | None:
        if len(self._known) <= self._remembered // 2:  # it is long until one has to go
            return self._known.get(key)
        with self._lock:
            known = self._known.pop(key, None)
            if known:
                self._known[key] = known  # the last used is the last to go
        return known

    def _remember(self, key: tuple[int, ...], made: Hashed) -> None:
        with self._lock:
            if len(self._known) >= self._remembered:
                del self._known[next(iter(self._known))]
            self._known[key] = made


def file_system(device: int) -> str:
    """What errands call the file system with that number (major << 20 | minor), as `findmnt` shows it; 0: any."""
    return f"the file system {device >> 20}:{device & 0xFFFFF}" if device else "a file system"


def find(*paths: str, expected: Expected | None) -> tuple[str, os.stat_result] | None:
    """The first path that leads to the `expected` file, or to any regular one; None if none does."""
    for path in paths:
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            continue
        if fits(found, expected):
            return path, found
    return None


def open_regular(path: str) -> BinaryIO:
    """Open a file to read that somebody may have put something else in place of; unbuffered. OSError if that fails."""
    return os.fdopen(os.open(path, _FLAGS), "rb", buffering=0)


def _key(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns, -1  # one longer: never equal to an Expected


def fits(found: os.stat_result, expected: Expected | None) -> bool:
    """Is it a regular file, and the expected one?

    File systems without a device of their own (btrfs, overlay, nfs) show another number to stat than the kernel uses
    inside: there inode and size must do.
    """
    if not stat.S_ISREG(found.st_mode):
        return False
    if expected is None:
        return True
    if (found.st_ino, found.st_size) != (expected.inode, expected.size):
        return False
    major = os.major(found.st_dev)
    return not major or not expected.device >> 20 or major << 20 | os.minor(found.st_dev) == expected.device
