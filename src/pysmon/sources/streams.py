"""Bytes of files: plain, gzip, zip and zstd, told apart by what they begin with; and how far they were read."""

from __future__ import annotations

import gzip
import importlib
import io
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from pysmon.sources.source import SourceError

STDIN = "-"
SAMPLE = 1 << 16  # bytes of the beginning that are looked at
_BUFFER = 1 << 17  # bytes
UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)  # while reading
_PACKINGS = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}  # by how they begin
_HIDDEN = ("__MACOSX/", ".")  # members of archives that no one put there on purpose


@dataclass(slots=True)
class Bytes:
    """One stream of bytes: a file, a member of an archive, or standard input."""

    name: str
    path: Path | None  # None: standard input
    member: str = ""  # of a zip archive
    packing: str = ""  # gzip, zip, zstd; empty: plain
    size: int = 0  # of the file, packed
    _head: bytes = b""  # what was taken from standard input already
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
            yield self._unpacked(_after(self._head, sys.stdin.buffer))
            return
        with self.path.open("rb") as raw:
            self._raw = raw
            try:
                if self.packing == "zip":
                    yield _buffered(_Member(raw, self.member))
                else:
                    yield self._unpacked(raw)
            finally:
                self._raw = None

    def _unpacked(self, raw: BinaryIO) -> BinaryIO:
        if self.packing == "gzip":
            return _buffered(gzip.open(raw, "rb"))
        if self.packing == "zstd":
            return io.BufferedReader(_Zstd(_zstd(self.name), raw), _BUFFER)
        return raw

    def sample(self) -> bytes:
        """The first bytes. Of standard input what was taken from it already; it can be read all the same."""
        if self.path is None:
            return _first(self._unpacked(cast("BinaryIO", io.BytesIO(self._head))), SAMPLE)
        with self.open() as stream:
            return _first(stream, SAMPLE)


def packing_of(head: bytes) -> str:
    """How bytes are packed, by the first four: gzip, zip, zstd, or empty."""
    return next((packing for begin, packing in _PACKINGS.items() if head.startswith(begin)), "")


def bytes_of(path: Path | str) -> Iterator[Bytes]:
    """The streams of a file: one, or one for each member of a zip archive. SourceError, OSError."""
    if str(path) == STDIN:
        head = _first(sys.stdin.buffer, SAMPLE)
        packing = packing_of(head)
        if packing == "zip":
            raise SourceError("a zip archive cannot be read from standard input", hint="name the file, or unpack it")
        yield Bytes("standard input", None, packing=packing, _head=head)
        return
    path = Path(path)
    if path.is_fifo():
        raise SourceError(f"{path}: a pipe cannot be read by its name", hint="a log is looked at twice: pipe it to `-`")
    with path.open("rb") as file:
        packing = packing_of(file.read(4))
    size = path.stat().st_size
    if packing == "zstd":
        _zstd(str(path))  # is it there?
    if packing == "zip":
        for member in _members(path):
            yield Bytes(f"{path}: {member}", path, member=member, packing=packing, size=size)
    else:
        yield Bytes(str(path), path, packing=packing, size=size)


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [i for i in archive.infolist() if i.filename and not i.is_dir() and i.file_size]
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:  # ValueError: a name that is not UTF-8
        raise SourceError(f"{path}: a damaged zip archive: {error}", hint="unpack it with another program") from error
    if any(info.flag_bits & 1 for info in infos):
        raise SourceError(f"{path}: the archive is encrypted", hint="unpack it first: pysmon asks for no passwords")
    return [i.filename for i in infos if not i.filename.startswith(_HIDDEN)]


def _zstd(name: str) -> Any:
    try:
        return importlib.import_module("zstandard")
    except ImportError as error:
        raise SourceError(
            f"{name}: packed with zstd, which needs the package zstandard", hint="pip install zstandard, or unpack it"
        ) from error


def _first(stream: BinaryIO, size: int) -> bytes:
    pieces: list[bytes] = []
    with suppress(*UNREADABLE):  # told when it is read in earnest
        read = getattr(stream, "read1", stream.read)  # what came before a break is not lost with it
        while size > 0 and (piece := read(size)):
            pieces.append(piece)
            size -= len(piece)
    return b"".join(pieces)


def _after(head: bytes, stream: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(_Joined(head, stream)))


def _buffered(packed: _Packed) -> BinaryIO:
    """A stream with a large buffer: lines of gzip and zip themselves are slow."""
    return io.BufferedReader(_Pieces(packed), _BUFFER)


class _Packed(Protocol):
    def read1(self, size: int, /) -> bytes: ...


class _Pieces(io.RawIOBase):
    """What a packed stream holds, as it comes: reading more at once would lose what stands before a break."""

    def __init__(self, packed: _Packed) -> None:
        super().__init__()
        self._packed = packed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._packed.read1(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


class _Member:
    """A member of a zip archive; what is wrong with it shows when it is read."""

    def __init__(self, packed: BinaryIO, name: str) -> None:
        self._packed, self._name = packed, name
        self._stream: _Packed | None = None

    def read1(self, size: int, /) -> bytes:
        if self._stream is None:
            self._stream = self._opened()
        return self._stream.read1(size)

    def _opened(self) -> _Packed:
        try:
            with zipfile.ZipFile(self._packed) as archive:
                return cast("_Packed", archive.open(self._name))  # it has the file by itself
        except (KeyError, ValueError) as error:
            raise zipfile.BadZipFile(str(error)) from error


class _Zstd(io.RawIOBase):
    """What a zstd stream holds; its package has an error of its own, which becomes OSError."""

    def __init__(self, package: Any, packed: BinaryIO) -> None:
        super().__init__()
        self._error = package.ZstdError
        self._stream = package.ZstdDecompressor().stream_reader(packed, read_across_frames=True)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return int(self._stream.readinto(buffer))
        except self._error as error:
            raise OSError(f"damaged zstd data: {error}") from error


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
        piece = self._head[: len(view)] or self._stream.read(len(view))
        self._head = self._head[len(piece) :]
        view[: len(piece)] = piece
        return len(piece)
