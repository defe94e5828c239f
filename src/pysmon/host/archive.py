"""The archive of deleted files and clipboards: a folder for root alone, files named by what is in them, a quota."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from pysmon.errors import MisuseError

QUOTA = 1 << 30  # bytes
LARGEST = 32 << 20  # bytes of one file; it is copied while records wait
FREE = 256 << 20  # bytes that stay free on its disk, whatever the quota says
_CHUNK = 1 << 20
_NO_NAME = re.compile(r"[^0-9A-Za-z]")


class Archive:
    """Copies of files. What was there longest makes way when the quota is used up; the same content is kept once."""

    def __init__(self, folder: Path, quota: int = QUOTA, *, free: int = FREE) -> None:
        """Make the folder, mode 0700, if it is not there; `quota` and `free` in bytes. MisuseError if that fails."""
        self.folder, self._quota, self._free = folder, quota, free
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._ages = self._found()
        except OSError as error:
            raise MisuseError(f"the archive {folder} cannot be used: {error.strerror}") from error
        self._used = sum(self._ages.values())

    def keep(self, content: str, hashes: str, name: str, *, prefix: str = "") -> str:
        """Copy the file that the path `content` leads to; "true", or "false" with the reason: the text for Archived.

        It is named by its hashes (`SHA256=..` and so on, as the field Hashes has them), with the extension of `name`
        behind them and `prefix` before.
        """
        digest = "".join(part.partition("=")[2] for part in hashes.split(",") if "=" in part)
        if not digest:
            return _refused("it has no hash to be named by")
        extension = _NO_NAME.sub("", Path(name).suffix)[:16]
        kept = prefix + digest + (f".{extension}" if extension else "")
        if kept in self._ages:
            self._ages[kept] = self._ages.pop(kept)
            with suppress(OSError):
                os.utime(self.folder / kept)  # it is new again
            return "true"
        try:
            return self._copy(content, kept)
        except OSError as error:
            return _refused(error.strerror or str(error))

    def _copy(self, content: str, kept: str) -> str:
        source = os.open(content, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            size = os.fstat(source).st_size
            if size > min(LARGEST, self._quota):
                return _refused(f"it is larger than {min(LARGEST, self._quota)} bytes")
            self._make_way(size)
            disk = os.statvfs(self.folder)
            if disk.f_bavail * disk.f_frsize < size + self._free:
                return _refused("insufficient disk space")
            aside = self.folder / f".{kept}.new"
            aside.unlink(missing_ok=True)
            copy = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                copied = _copied(source, copy)
                os.rename(aside, self.folder / kept)
            except BaseException:
                aside.unlink(missing_ok=True)
                raise
            finally:
                os.close(copy)
        finally:
            os.close(source)
        self._ages[kept] = copied
        self._used += copied
        return "true"

    def _make_way(self, size: int) -> None:
        while self._ages and self._used + size > self._quota:
            oldest = next(iter(self._ages))
            (self.folder / oldest).unlink(missing_ok=True)
            self._used -= self._ages.pop(oldest)

    def _found(self) -> dict[str, int]:
        """The sizes of what is there, the oldest first; what a run that was cut short left is removed."""
        found: list[tuple[int, str, int]] = []
        for entry in os.scandir(self.folder):
            if entry.name.startswith(".") and entry.name.endswith(".new"):
                os.unlink(entry.path)
            elif entry.is_file(follow_symlinks=False):
                about = entry.stat(follow_symlinks=False)
                found.append((about.st_mtime_ns, entry.name, about.st_size))
        return {name: size for _, name, size in sorted(found)}


def _copied(source: int, copy: int) -> int:
    """From its beginning, whoever else reads it; gives how many bytes."""
    at = 0
    while chunk := os.pread(source, _CHUNK, at):
        at += len(chunk)
        while chunk:
            chunk = chunk[os.write(copy, chunk) :]
    return at


def _refused(reason: str) -> str:
    return f"false - {reason}"
