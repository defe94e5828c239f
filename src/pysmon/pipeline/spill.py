"""Entries that wait on the disk for an output: numbered files of frames, read in order and removed when delivered.

    spill/<output>/0001000000000.frames     <- the oldest
                   0001000000001.frames
                   position                 <- how far the oldest is delivered

Each file begins with a table of names (`pysmon.formats.frame`). What a killed process wrote last may be cut: the whole
frames before it count. Files are synced when they are full and at the end, so a power cut may cost the last of them.
The position is not synced: after a power cut some entries may be delivered twice.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import threading
import zlib
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pysmon.errors import SinkError
from pysmon.formats.frame import Names, content_at, entry_of, frame, names_frame, names_of, own_names, size_of
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.descriptor import cause, hint, write_fully

FILE_SIZE = 4 << 20  # bytes that a file may reach before the next one begins
_FOLDER, _FILE = 0o700, 0o600  # command lines hold secrets
_FIRST = 1_000_000_000  # the number of the first file: there is room before it
_BEFORE = 1_000  # so many files have room before all others
_SUFFIX = ".frames"
_POSITION = struct.Struct("<QQI")
_CHUNK = 1 << 20  # bytes read at once
_PASSING = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}  # the file is as good as before
_FULL = "its part of the disk is full"


@dataclass(slots=True)
class _File:
    number: int
    path: Path
    names: Names
    size: int  # of the whole frames in it
    at: int  # where those begin that are not delivered yet
    entries: int = 0  # not delivered yet


class Spill:
    """The entries that wait for one output. Any thread may call; one of them reads, one writes.

    `entries` and `bytes` tell how much waits; `remarks` what was odd in the folder when it was opened.
    """

    def __init__(self, folder: Path, cap: int) -> None:
        """Open the folder, or make it, and count what an earlier run left. `cap` is in bytes. SinkError."""
        self.folder, self.cap = folder, cap
        self.entries = self.bytes = 0
        self.last_record_id = 0  # of the newest entry that an earlier run left
        self.remarks: list[str] = []
        self._lock = threading.Lock()
        self._files: deque[_File] = deque()
        self._next = _FIRST  # never used twice: the position is that of a number
        self._tail = self._position = self._lock_on = -1
        self._ends: list[int] = []  # of the frames that were read last
        try:
            self._open()
        except OSError as error:
            self.close()
            raise SinkError(f"cannot use {folder}: {cause(error)}", hint=hint(error)) from error

    def append(self, entries: Sequence[Entry[Event]]) -> tuple[int, str]:
        """Keep entries behind all others: how many of them, from the first on, and why the next one was refused."""
        with self._lock:
            return self._append([frame(entry) for entry in entries])

    def put_before(self, entries: Sequence[Entry[Event]]) -> tuple[int, str]:
        """Keep entries before all others, as `append` does; nothing may be read after."""
        with self._lock:
            files, self._files, self._ends = self._files, deque(), []
            self._let_go()
            following, self._next = self._next, files[0].number - _BEFORE if files else self._next
            answer = self._append([frame(entry) for entry in entries])
            self._let_go()
            self._files += files
            self._next = max(following, self._next)
            return answer

    def read(self, most: int) -> tuple[list[Entry[Event]], int]:
        """Some of the oldest entries, and how many others had to be given up because they are unreadable.

        The entries stay until they are `delivered`; those that were given up are gone. OSError if they cannot be read
        now, but perhaps later.
        """
        with self._lock:
            self._ends = []
            if not self._files:
                return [], 0
            oldest = self._files[0]
            try:
                return self._read(oldest, min(most, oldest.entries))
            except (OSError, ValueError) as error:
                if isinstance(error, OSError) and error.errno in _PASSING:
                    raise
                return [], self._given_up(oldest)

    def delivered(self, count: int) -> None:
        """Forget the first so many entries of those that were read last."""
        with self._lock:
            if not 0 < count <= len(self._ends):
                return
            oldest = self._files[0]
            oldest.at = self._ends[count - 1]
            del self._ends[:count]
            oldest.entries -= count
            self.entries -= count
            if oldest.entries:
                self._remember(oldest)
            else:
                self._drop(oldest)

    def close(self) -> None:
        """Sync what waits and let go of the folder; a second call does nothing."""
        with self._lock:
            self._let_go()
            for name in ("_position", "_lock_on"):
                fd = getattr(self, name)
                if fd >= 0:
                    setattr(self, name, -1)
                    os.close(fd)

    def _open(self) -> None:
        make_private(self.folder)
        self._lock_on = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock_on, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise SinkError(
                f"cannot use {self.folder}: another process does", hint="end that process, or name another folder"
            ) from None
        self._position = self._private("position", os.O_RDWR)
        number, at = self._remembered()
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            if path.stem.isdigit():
                self._count(path, at if int(path.stem) == number else 0)
        if number not in [file.number for file in self._files]:
            os.ftruncate(self._position, 0)
        if self._files:
            self._next = self._files[-1].number + 1

    def _count(self, path: Path, at: int) -> None:
        data = path.read_bytes()
        table = content_at(data, 0) or b""
        names: Names = {}
        with suppress(ValueError):  # then nothing in it can be read
            names = names_of(table)
        end = size_of(table) if names else 0
        file = _File(int(path.stem), path, names, size=end, at=max(at, end))
        newest = b""
        while end and (content := content_at(data, file.size)) is not None:
            file.entries += file.size >= file.at
            file.size += size_of(content)
            newest = content
        if file.size < len(data):
            self.remarks.append(f"the last {len(data) - file.size} bytes of {path} are not whole")
        if not file.entries:
            path.unlink()
            return
        self._files.append(file)
        self.entries += file.entries
        self.bytes += file.size
        try:
            self.last_record_id = max(self.last_record_id, entry_of(newest, file.names).record_id)
        except ValueError:
            return  # told when it is read

    def _append(self, frames: list[bytes]) -> tuple[int, str]:
        kept = 0
        while kept < len(frames):
            if self._tail < 0 or self._files[-1].size >= FILE_SIZE:
                if self.bytes + len(names_frame()) + len(frames[kept]) > self.cap:
                    return kept, _FULL
                error = self._begin()
                if error is not None:
                    return kept, cause(error)
            newest, part, size = self._files[-1], 0, 0
            room = min(self.cap - self.bytes, max(FILE_SIZE - newest.size, len(frames[kept])))
            while kept + part < len(frames) and size + len(frames[kept + part]) <= room:
                size += len(frames[kept + part])
                part += 1
            if not part:
                return kept, _FULL
            error = self._put(newest, frames[kept : kept + part], size)
            if error is not None:
                return kept, cause(error)
            kept += part
        return kept, ""

    def _put(self, file: _File, frames: list[bytes], size: int) -> OSError | None:
        _, error = write_fully(self._tail, b"".join(frames))
        if error is not None:
            try:
                os.ftruncate(self._tail, file.size)
            except OSError:
                self._let_go()  # what was cut stays behind the whole frames; the next ones go to another file
            return error
        file.size += size
        file.entries += len(frames)
        self.entries += len(frames)
        self.bytes += size
        return None

    def _begin(self) -> OSError | None:
        self._let_go()
        table, path = names_frame(), self.folder / f"{self._next:013}{_SUFFIX}"
        try:
            fd = self._private(path.name, os.O_WRONLY | os.O_APPEND | os.O_TRUNC)
        except OSError as error:
            return error
        _, failure = write_fully(fd, table)
        if failure is not None:
            os.close(fd)
            path.unlink()
            return failure
        self._tail = fd
        self._files.append(_File(self._next, path, own_names(), size=len(table), at=len(table)))
        self._next += 1
        self.bytes += len(table)
        return None

    def _read(self, file: _File, most: int) -> tuple[list[Entry[Event]], int]:
        with file.path.open("rb") as source:
            data = os.pread(source.fileno(), min(_CHUNK, file.size - file.at), file.at)
            if content_at(data, 0) is None:  # larger than that
                data = os.pread(source.fileno(), file.size - file.at, file.at)
        found: list[Entry[Event]] = []
        at = 0
        while len(found) < most and (content := content_at(data, at)) is not None:
            try:
                found.append(entry_of(content, file.names))
            except ValueError:
                if found:
                    break
                self._ends = [file.at + at + size_of(content)]
                return [], self._skipped(file)
            at += size_of(content)
            self._ends.append(file.at + at)
        if not found:
            raise ValueError("there is no whole frame")
        return found, 0

    def _skipped(self, file: _File) -> int:
        file.at = self._ends.pop()
        file.entries -= 1
        self.entries -= 1
        if not file.entries:
            self._drop(file)
        return 1

    def _given_up(self, file: _File) -> int:
        count, file.entries = file.entries, 0
        self.entries -= count
        self._drop(file)
        return count

    def _drop(self, file: _File) -> None:
        if self._tail >= 0 and file is self._files[-1]:
            os.close(self._tail)
            self._tail = -1
        self._files.popleft()
        self.bytes -= file.size
        try:
            file.path.unlink()
        except OSError:
            self._remember(file)  # it stays, and is known to be delivered

    def _remember(self, file: _File) -> None:
        place = struct.pack("<QQ", file.number, file.at)
        try:
            os.pwrite(self._position, _POSITION.pack(file.number, file.at, zlib.crc32(place)), 0)
        except OSError:
            return  # the next run may deliver some of them again

    def _remembered(self) -> tuple[int, int]:
        data = os.pread(self._position, _POSITION.size, 0)
        if len(data) < _POSITION.size:
            return 0, 0
        number, at, crc = _POSITION.unpack(data)
        return (number, at) if zlib.crc32(data[:16]) == crc else (0, 0)

    def _private(self, name: str, flags: int) -> int:
        fd = os.open(self.folder / name, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _FILE)
        os.fchmod(fd, _FILE)  # whatever the umask
        return fd

    def _let_go(self) -> None:
        if self._tail >= 0:
            fd, self._tail = self._tail, -1
            try:
                os.fdatasync(fd)
            except OSError:
                pass
            finally:
                os.close(fd)


def make_private(folder: Path) -> None:
    """Make a folder for this user alone, whatever the umask; OSError, also if it is somebody else's."""
    folder.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        raise PermissionError(1, "it is not a folder of this user", str(folder))
    if stat.S_IMODE(state.st_mode) != _FOLDER:
        folder.chmod(_FOLDER)
