"""Compresses older files bit by bit, so that an output is never held up for long."""

from __future__ import annotations

import gzip
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pysmon.errors import SinkError
from pysmon.sinks.descriptor import cause, hint

STEP = 4 << 20  # bytes that are packed in one step: some tens of milliseconds
_PIECE = 1 << 16  # bytes that are read at once: a larger block would leave a hole in the heap that nothing else fills
_LEVEL = 6


class Packing:
    """The older files `name.1` to `name.N` of a file, of which each becomes `name.1.gz` and so on.

    A file is there in the old form until it is on the disk in the new one. What is in work lies in `name.packing`; a
    run that is ended by force leaves it behind, and the next one begins it anew.
    """

    def __init__(self, path: Path, keep: int) -> None:
        """Look after the older files of `path`, of which there are so many at most."""
        self._path, self._keep = path, keep
        self._part = path.with_name(f"{path.name}.packing")
        self._look = True  # whether there may be a file to pack
        self._number = 0  # of the file in work
        self._from: BinaryIO | None = None
        self._to: gzip.GzipFile | None = None
        self._raw: BinaryIO | None = None

    def move_aside(self) -> None:
        """Number the packed files one further, as those that are not packed are about to be; OSError."""
        for number in range(self._keep, 0, -1):
            packed = self._packed(number)
            if packed.exists():
                if number == self._keep:
                    packed.unlink()
                else:
                    packed.replace(self._packed(number + 1))
        self._look = True
        if self._from is not None:
            self._number += 1
            if self._number > self._keep:
                self.abandon()

    def step(self) -> SinkError | None:
        """Do a part of the work, if there is any; what is in the way, which is tried again after the next rotation."""
        try:
            if self._from is None and not (self._look and self._begin()):
                return None
            self._go_on()
        except OSError as error:
            self._look = False
            self.abandon()
            return SinkError(f"cannot compress {self._plain(self._number)}: {cause(error)}", hint=hint(error))
        return None

    def abandon(self) -> None:
        """Give up what is in work; the file stays as it was."""
        had = self._from is not None
        for file in (self._to, self._raw, self._from):
            if file is not None:
                with suppress(OSError):
                    file.close()
        self._from = self._to = self._raw = None
        if had:
            self._part.unlink(missing_ok=True)

    def _begin(self) -> bool:
        for number in range(1, self._keep + 1):
            plain = self._plain(number)
            if not plain.exists():
                continue
            if self._packed(number).exists():
                plain.unlink()  # that was all that was left to do
                continue
            self._number = number
            self._from = plain.open("rb")
            mode = os.fstat(self._from.fileno()).st_mode & 0o777
            self._part.unlink(missing_ok=True)
            fd = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
            self._raw = os.fdopen(fd, "wb")
            self._to = gzip.GzipFile(self._path.name, "wb", _LEVEL, self._raw)
            return True
        self._look = False
        return False

    def _go_on(self) -> None:
        if self._from is None or self._to is None or self._raw is None:
            return
        for _ in range(STEP // _PIECE):
            data = self._from.read(_PIECE)
            self._to.write(data)
            if len(data) < _PIECE:
                break
        else:
            return
        self._to.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        plain = self._plain(self._number)
        shutil.copystat(plain, self._part)
        self._part.replace(self._packed(self._number))
        plain.unlink()
        self.abandon()

    def _plain(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _packed(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}.gz")
