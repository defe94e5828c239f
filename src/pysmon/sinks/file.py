"""Writes entries to a file of whole lines, rotates it by size and age, and follows when somebody else has moved it."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pysmon.errors import SinkError
from pysmon.formats.table import Render
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.descriptor import cause, hint, write_fully
from pysmon.sinks.packing import Packing
from pysmon.sinks.rotation import move_aside
from pysmon.sinks.sink import WriteError

# Without waiting: a pipe (FIFO) that nobody reads must not hold us.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
_MODE = 0o640  # command lines hold secrets: not for everybody


class FileSink:
    """A sink on a file, appended to. Older files are `name.1` (the newest) to `name.N`, or `name.1.gz` and so on.

    Other programs may rename or remove the file (logrotate without `copytruncate`): the next flush opens it anew.
    A rotation that fails is told, and meanwhile the file grows on: nothing is lost by it.
    """

    def __init__(
        self,
        path: Path,
        render: Render,
        *,
        rotate: int = 0,
        keep: int = 5,
        age: int = 0,
        compress: bool = False,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        """Open the file. `rotate` is the size in bytes that it may reach, 0 for any; `keep` counts the older files.

        `age` are the seconds after which a new file begins, counted from 1970: of a day, at midnight (UTC); 0 for
        never. `compress`: older files are gzipped, a few megabytes at each `flush`. `now` is in ns since 1970.
        """
        self.name = str(path)
        self._path = path
        self._render = render
        self._rotate = rotate
        self._keep = keep
        self._age, self._now = age, now
        self._packing = Packing(path, keep) if compress and keep else None
        self._fd = -1
        self._size = 0
        self._limit = 0  # where it is turned over; 0 for never
        self._period = 0  # of the file's entries
        self._regular = False
        self._closed = False
        self._reach()

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Append them all; what an error cut off in the middle of an entry is taken back."""
        if self._closed:
            raise WriteError(f"{self.name} is closed", written=0)
        block: list[bytes] = []
        size, out = 0, 0
        failed = self._turned_over() if entries and self._is_of_the_past() else None
        for entry in entries:
            line = self._render(entry) + b"\n"
            if self._limit and self._size + size and self._size + size + len(line) > self._limit:
                self._append(block, out)
                out, size, block = out + len(block), 0, []
                failed = self._turned_over() or failed
            block.append(line)
            size += len(line)
        self._append(block, out)
        if failed is not None:
            raise WriteError(str(failed), written=len(entries), hint=failed.hint) from failed

    def flush(self) -> None:
        """Follow the name of the file if it is another file now, or none; begin a new one if it is time to; pack."""
        if self._closed or (self._fd >= 0 and not self._regular):
            return
        if self._fd < 0 or not self._is_named():
            self.reopen()
        failed = self._turned_over() if self._is_of_the_past() else None
        if failed is None and self._packing is not None:
            failed = self._packing.step()
        if failed is not None:
            raise failed

    def reopen(self) -> None:
        """Open the file by its name again, as after a SIGHUP of logrotate."""
        self._let_go()
        self._reach()

    def close(self) -> None:
        """Close the file; a second call does nothing. What is not packed yet, the next run packs."""
        self._closed = True
        if self._packing is not None:
            self._packing.abandon()
        self._let_go()

    def _reach(self) -> None:
        try:
            fd = os.open(self._path, _FLAGS, _MODE)
        except OSError as error:
            raise SinkError(f"cannot open {self.name}: {cause(error)}", hint=hint(error)) from error
        state = os.fstat(fd)
        self._regular = stat.S_ISREG(state.st_mode)
        if (self._rotate or self._age) and not self._regular:
            os.close(fd)
            raise SinkError(f"cannot rotate {self.name}: it is not a regular file", hint="leave --rotate away")
        self._fd, self._size, self._limit = fd, state.st_size if self._regular else 0, self._rotate
        self._period = self._period_of(state.st_mtime_ns if self._size else self._now())
        if self._size and _last_byte(self._path, self._size) != b"\n":
            self._append([b"\n"], 0)  # a line that a crash cut short must not swallow the next one

    def _is_named(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(self._path))
        except OSError:
            return False

    def _period_of(self, moment: int) -> int:
        return moment // (self._age * 1_000_000_000) if self._age else 0

    def _is_of_the_past(self) -> bool:
        return bool(self._size) and self._period_of(self._now()) > self._period

    def _append(self, lines: list[bytes], before: int) -> None:
        if self._fd < 0:
            try:
                self._reach()
            except SinkError as closed:
                raise WriteError(str(closed), written=before, hint=closed.hint) from closed
        done, error = write_fully(self._fd, b"".join(lines))
        if error is None:
            self._size += done
            return
        whole, kept = 0, 0
        while whole < len(lines) and kept + len(lines[whole]) <= done:
            kept += len(lines[whole])
            whole += 1
        if done > kept and self._regular:
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - (done - kept))
        self._size += kept
        message = f"cannot write to {self.name}: {cause(error)}"
        raise WriteError(message, written=before + whole, hint=hint(error)) from error

    def _turned_over(self) -> SinkError | None:
        try:
            if self._packing is not None:
                self._packing.move_aside()
            move_aside(self._path, self._keep, self._numbered)
        except OSError as error:
            self._limit = self._size + self._rotate if self._rotate else 0  # try again when it has grown by as much
            self._period = self._period_of(self._now())
            return SinkError(f"cannot rotate {self.name}: {cause(error)}", hint=hint(error))
        self._let_go()  # the next line opens the new file
        self._size = 0
        return None

    def _let_go(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _last_byte(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(size - 1)
            return file.read(1)
    except OSError:
        return b"\n"  # it may be written but not read: then it is taken as it is
