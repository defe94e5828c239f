"""Streams out of packed bytes: gzip, zip, zstd. What stands before damage is given before the damage is told.

`zipfile` and `gzip` take large pieces and check what they hold before they give it: one wrong bit at the end would cost
all of the last piece, which may be the whole log. So members of archives are unpacked here.
"""

from __future__ import annotations

import gzip
import importlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO, Protocol, cast

from pysmon.sources.source import SourceError

UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)  # while reading
_PACKINGS = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}  # by how they begin
_HIDDEN = ("__MACOSX/", ".")  # members of archives that no one put there on purpose
_BUFFER = 1 << 17  # bytes
_LINES_PIECE = 1 << 16  # bytes
_PACKED_PIECE = 1 << 14  # bytes that are unpacked at once
_LOCAL = struct.Struct("<4s22xHH")  # the header before a member: magic, length of its name and of its extra field


def read_up_to(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, or what there is: also what came before a break, which the next call raises then."""
    pieces: list[bytes] = []
    read = getattr(stream, "read1", stream.read)  # what is asked for in several readings at once is lost at a break
    try:
        while size > 0 and (piece := read(size)):
            pieces.append(piece)
            size -= len(piece)
    except UNREADABLE:
        if not pieces:
            raise
    return b"".join(pieces)


def lines_of(stream: BinaryIO, longest: int) -> Iterator[bytes]:
    """The lines without their ends, one that is longer in pieces. What is unreadable is raised behind the last one."""
    for line in raw_lines_of(stream, longest):
        yield line[:-1] if line.endswith(b"\n") else line


def raw_lines_of(stream: BinaryIO, longest: int) -> Iterator[bytes]:
    """The same with their ends: to take these away is a copy of each line."""
    whole = _UpToBreak(stream)
    with io.BufferedReader(whole, _LINES_PIECE) as buffered:
        yield from iter(partial(buffered.readline, longest), b"")
    if whole.broken is not None:
        raise whole.broken


class _UpToBreak(io.RawIOBase):
    """A stream that ends where it breaks: what a buffer holds before an error is lost with it."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._readinto = getattr(stream, "readinto1", None) or partial(_read_into, stream)
        self.broken: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.broken is not None:
            return 0
        try:
            return self._readinto(buffer)
        except UNREADABLE as error:
            self.broken = error
            return 0


def _read_into(stream: BinaryIO, buffer: Any) -> int:
    piece = read_up_to(stream, len(buffer))
    buffer[: len(piece)] = piece
    return len(piece)


def packing_of(head: bytes) -> str:
    """How bytes are packed, by the first four: gzip, zip, zstd, or empty."""
    return next((packing for begin, packing in _PACKINGS.items() if head.startswith(begin)), "")


def gunzipped(packed: BinaryIO) -> BinaryIO:
    """What a gzip stream holds."""
    return _buffered(gzip.open(packed, "rb"))


def unzstd(packed: BinaryIO, name: str) -> BinaryIO:
    """What a zstd stream holds; SourceError without the package."""
    return io.BufferedReader(_Zstd(zstd(name), packed), _BUFFER)


def member(archive: BinaryIO, name: str) -> BinaryIO:
    """What a member of a zip archive holds; what is wrong with it shows when it is read."""
    return _buffered(_Member(archive, name))


def members(archive: BinaryIO, name: str) -> list[str]:
    """The names of the members that hold something; SourceError if it is damaged, or encrypted."""
    try:
        with zipfile.ZipFile(archive) as opened:
            infos = [i for i in opened.infolist() if i.filename and not i.is_dir() and i.file_size]
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:  # ValueError: a name that is not UTF-8
        raise SourceError(f"{name}: a damaged zip archive: {error}", hint="unpack it with another program") from error
    if any(info.flag_bits & 1 for info in infos):
        raise SourceError(f"{name}: the archive is encrypted", hint="unpack it first: pysmon asks for no passwords")
    return [i.filename for i in infos if not i.filename.startswith(_HIDDEN)]


def zstd(name: str) -> Any:
    """The package that unpacks zstd; SourceError if it is not there."""
    try:
        return importlib.import_module("zstandard")
    except ImportError as error:
        raise SourceError(
            f"{name}: packed with zstd, which needs the package zstandard", hint="pip install zstandard, or unpack it"
        ) from error


class _Packed(Protocol):
    def read1(self, size: int, /) -> bytes: ...


def _buffered(packed: _Packed) -> BinaryIO:
    """A stream with a large buffer: lines of gzip and zip themselves are slow."""
    return io.BufferedReader(_Pieces(packed), _BUFFER)


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
    """A member of a zip archive; that it is missing or damaged shows when it is read."""

    def __init__(self, archive: BinaryIO, name: str) -> None:
        self._archive, self._name = archive, name
        self._stream: _Packed | None = None

    def read1(self, size: int) -> bytes:
        if self._stream is None:
            self._stream = self._opened()
        return self._stream.read1(size)

    def _opened(self) -> _Packed:
        try:
            with zipfile.ZipFile(self._archive) as archive:
                info = archive.getinfo(self._name)
                if info.header_offset < 0:
                    raise zipfile.BadZipFile(f"a member that begins {-info.header_offset} bytes before the archive")
                if info.compress_type == zipfile.ZIP_DEFLATED:
                    return _Deflated(self._archive, info)
                return cast("_Packed", archive.open(self._name))  # it has the file by itself
        except (KeyError, ValueError) as error:
            raise zipfile.BadZipFile(str(error)) from error


class _Deflated:
    """A deflated member, in small pieces; its checksum is looked at when all of it was given."""

    def __init__(self, archive: BinaryIO, info: zipfile.ZipInfo) -> None:
        archive.seek(info.header_offset)
        header = archive.read(_LOCAL.size)
        if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
            raise zipfile.BadZipFile(f"no member begins at byte {info.header_offset:#x}")
        _, name_length, extra_length = _LOCAL.unpack(header)
        archive.seek(name_length + extra_length, io.SEEK_CUR)
        self._archive, self._info, self._left = archive, info, info.compress_size
        self._unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        self._held = b""
        self._sum, self._given = 0, 0
        self._broken: Exception | None = None

    def read1(self, size: int) -> bytes:
        while not self._held:
            if self._broken is not None:
                raise self._broken
            if self._unpacker.eof or not self._left:
                self._check()
                return b""
            self._unpack()
        piece, self._held = self._held[:size], self._held[size:]
        self._sum = zlib.crc32(piece, self._sum)
        self._given += len(piece)
        return piece

    def _unpack(self) -> None:
        piece = self._archive.read(min(_PACKED_PIECE, self._left))
        if not piece:
            raise EOFError("the archive ends within the member")
        self._left -= len(piece)
        before = self._unpacker.copy()
        try:
            self._held = self._unpacker.decompress(piece)
        except zlib.error as error:
            self._held, self._broken = _up_to_damage(before, piece), error

    def _check(self) -> None:
        if not self._unpacker.eof:
            raise EOFError(f"the member ends after {self._given} of {self._info.file_size} bytes")
        if self._sum != self._info.CRC:
            raise zipfile.BadZipFile(f"the checksum is {self._sum:08x} (expected {self._info.CRC:08x})")


def _up_to_damage(unpacker: Any, piece: bytes) -> bytes:
    """What of a piece can be unpacked: byte by byte, since an error costs all that was asked for at once."""
    found = bytearray()
    try:
        for at in range(len(piece)):
            found += unpacker.decompress(piece[at : at + 1])
    except zlib.error:
        pass
    return bytes(found)


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
