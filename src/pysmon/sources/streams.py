"""Bytes of files, of standard input and of pipes: plain or packed, told apart by what they begin with; how far read."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from pysmon.errors import MisuseError
from pysmon.sources.packed import (
    UNREADABLE,
    gunzipped,
    member,
    members,
    packing_of,
    read_up_to,
    unzstd,
    zstd,
)
from pysmon.sources.source import SourceError

STDIN = "-"
SAMPLE = 1 << 16  # bytes of the beginning that are looked at
_BY_PLACES = (b"PK\x03\x04", b"SQLite format 3\0")  # how files begin that cannot be read from front to back


@dataclass(slots=True)
class Bytes:
    """One stream of bytes: a file, a member of an archive, or a stream that can be read once."""

    name: str
    path: Path | None  # None: standard input, or a pipe
    member: str = ""  # of a zip archive
    packing: str = ""  # gzip, zip, zstd; empty: plain
    size: int = 0  # of the file, packed
    trouble: str = ""  # why nothing of it can be read
    _head: bytes = b""  # what was taken from a stream already
    _stream: BinaryIO | None = field(default=None, repr=False)
    _copy: _Copy | None = field(default=None, repr=False)  # it exists as long as this
    _raw: BinaryIO | None = field(default=None, repr=False)

    @property
    def plain_file(self) -> Path | None:
        """The path if these are simply the bytes of a file."""
        return None if self.packing else self.path

    @property
    def done(self) -> int:
        """Bytes of the file that were read."""
        with suppress(OSError, ValueError):
            return 0 if self._raw is None else self._raw.tell()
        return 0

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Read from the beginning. What goes wrong while reading is one of UNREADABLE."""
        if self.path is None:
            yield self._unpacked(_after(self._head, self._stream or standard_input()))
            return
        with self.path.open("rb") as raw:
            self._raw = raw
            try:
                yield member(raw, self.member) if self.packing == "zip" else self._unpacked(raw)
            finally:
                self._raw = None

    def _unpacked(self, raw: BinaryIO) -> BinaryIO:
        if self.packing == "gzip":
            return gunzipped(raw)
        return unzstd(raw, self.name) if self.packing == "zstd" else raw

    def sample(self) -> bytes:
        """The first bytes, and less before damage. What can be read once can be read all the same."""
        with suppress(SourceError, *UNREADABLE):  # told when it is read in earnest
            return self.beginning()
        return b""

    def beginning(self, most: int = SAMPLE) -> bytes:
        """The same, but OSError or SourceError if there is nothing before the damage; more of it if that is wanted."""
        try:
            if self.path is None:
                if most > SAMPLE:
                    self._head += read_up_to(self._stream or standard_input(), most - len(self._head))
                return read_up_to(self._unpacked(cast("BinaryIO", io.BytesIO(self._head))), most)
            with self.open() as stream:
                return read_up_to(stream, most)
        except UNREADABLE as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise SourceError(f"{self.name}: damaged {self.packing} data: {error}") from error


def standard_input() -> BinaryIO:
    """The bytes of standard input; MisuseError if this process was started without one."""
    stream: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise MisuseError("standard input is closed", hint="name a file, or let something come by a pipe")
    return stream


def is_read_once(path: Path) -> bool:
    """Whether it is neither a file nor a folder, but a pipe (`<(...)` in a shell) or a device."""
    return path.exists() and not path.is_file() and not path.is_dir()


def bytes_of(path: Path | str) -> Iterator[Bytes]:
    """The streams of a file: one, or one for each member of a zip archive. SourceError, OSError.

    A pipe is opened, and its beginning taken. An archive or a store in one is copied into a file, for its reader jumps.
    """
    if str(path) == STDIN:
        yield from _of_stream("standard input", standard_input())
    elif is_read_once(Path(path)):
        yield from _of_stream(str(path), os.fdopen(os.open(path, os.O_RDONLY), "rb"))
    else:
        yield from _of_file(Path(path), str(path))


def _of_stream(name: str, stream: BinaryIO) -> Iterator[Bytes]:
    head = read_up_to(stream, SAMPLE)
    if head.startswith(_BY_PLACES):
        copy = _Copy(head, stream)
        yield from _of_file(copy.path, name, copy)
    else:
        packing = packing_of(head)
        if packing == "zstd":
            zstd(name)  # is it there?
        yield Bytes(name, None, packing=packing, _head=head, _stream=stream)


def _of_file(path: Path, name: str, copy: _Copy | None = None) -> Iterator[Bytes]:
    with path.open("rb") as file:
        packing = packing_of(file.read(4))
        names = members(file, name) if packing == "zip" else []
        size = os.fstat(file.fileno()).st_size
    if packing == "zstd":
        zstd(name)  # is it there?
    if packing == "zip":
        for each in names:
            yield Bytes(f"{name}: {each}", path, member=each, packing=packing, size=size, _copy=copy)
    else:
        yield Bytes(name, path, packing=packing, size=size, _copy=copy)


class _Copy:
    """What a stream holds as a file of our own, which is removed when nobody needs it any more."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        folder = tempfile.mkdtemp(prefix="pysmon-")
        weakref.finalize(self, _remove, folder, os.getpid())
        self.path = Path(folder, "log")
        with self.path.open("wb") as file:
            file.write(head)
            shutil.copyfileobj(stream, file)


def _remove(folder: str, maker: int) -> None:
    if os.getpid() == maker:  # a process that was forked has the same object, and others still read
        shutil.rmtree(folder, ignore_errors=True)


def _after(head: bytes, stream: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(_Joined(head, stream)))


class _Joined(io.RawIOBase):
    """What was taken from a stream already, and then the stream."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        super().__init__()
        self._head = memoryview(head)
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        piece = self._head[: len(view)] or getattr(self._stream, "read1", self._stream.read)(len(view))
        self._head = self._head[len(piece) :]
        view[: len(piece)] = piece
        return len(piece)
