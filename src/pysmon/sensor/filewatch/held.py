"""Files that were written or run lately, held open: what is in them outlives their names."""

from __future__ import annotations

import os

from pysmon.sensor.filewatch.magic import HEAD, kind_of

LIMIT = 2048  # files
AGE = 3600 * 1_000_000_000  # ns that a file is held: as long as it is, its file system cannot be unmounted


class HeldFiles:
    """By device (as the kernel numbers it) and inode; the oldest make way."""

    def __init__(self, limit: int = LIMIT, age: int = AGE) -> None:
        """`age` in ns."""
        self._limit, self._age = limit, age
        self._files: dict[tuple[int, int], tuple[int, str, int]] = {}  # the open file, its path, since when
        self._names: dict[str, tuple[int, int]] = {}

    def __len__(self) -> int:
        """How many are held."""
        return len(self._files)

    def hold(self, file: int, found: os.stat_result, path: str, now: int) -> None:
        """Take over an open file with what fstat says of it; `now` is in ns of a clock that only goes forward."""
        key = (kernel_device(found.st_dev), found.st_ino)
        self._drop(key)
        self._files[key] = (file, path, now)
        self._names[path] = key
        self._make_way(now - self._age)

    def find(self, device: int, inode: int, path: str) -> str:
        """A path that leads to the content of a file that was there; empty if it is not held.

        A hook that knows no inode gives 0: then the name must be the one it had when it was held. File systems without
        a device of their own (btrfs, overlay) show another number to stat than the kernel uses: the name helps, too.
        """
        held = self._files.get((device, inode)) if inode else None
        if held is None:
            key = self._names.get(path)
            held = self._files.get(key) if key and inode in (0, key[1]) else None
        return f"/proc/self/fd/{held[0]}" if held else ""

    def close(self) -> None:
        """Let go of all."""
        for key in list(self._files):
            self._drop(key)

    def _drop(self, key: tuple[int, int]) -> None:
        held = self._files.pop(key, None)
        if held:
            file, path, _ = held
            os.close(file)
            if self._names.get(path) == key:
                del self._names[path]

    def _make_way(self, since: int) -> None:
        """Drop the oldest: those that are too many, and those held since then or longer."""
        while self._files:
            key = next(iter(self._files))
            if len(self._files) <= self._limit and self._files[key][2] > since:
                return
            self._drop(key)


def kernel_device(number: int) -> int:
    """A device as stat gives it, in the kernel's own numbering: major << 20 | minor."""
    return os.major(number) << 20 | os.minor(number)


def is_program(path: str) -> bool | None:
    """Whether what is in a file is a program; None if it cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return None
    try:
        return bool(kind_of(os.pread(file, HEAD, 0)))
    except OSError:
        return None
    finally:
        os.close(file)
