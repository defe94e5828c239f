"""The end of a kernel module's file, where its signature stands; unpacked where distributions pack modules."""

from __future__ import annotations

import gzip
import importlib
import lzma
import os
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from pysmon.errors import RecordError
from pysmon.host.hashes import Expected, find, fits, open_regular
from pysmon.host.module_signature import TAIL

_MOST = 1 << 28  # bytes that a packed module may have
_MEMORY = 1 << 27  # bytes that unpacking may take
_CHUNK = 1 << 18


def end_of_module(*paths: str, expected: Expected) -> bytes:
    """The last bytes of the first path that leads to the expected file; RecordError says why there are none."""
    found = find(*paths, expected=expected)
    if found is None:
        raise RecordError("the file is no longer there")
    try:
        with open_regular(found[0]) as file:
            if not fits(os.fstat(file.fileno()), expected):
                raise RecordError("another file has taken its place")
            return _end(file)
    except OSError as error:  # also of gzip, for what is damaged
        raise RecordError(f"the file cannot be read: {error.strerror or error}") from None


def _end(file: BinaryIO) -> bytes:
    head = os.pread(file.fileno(), 4, 0)
    unpack = next((unpack for begin, unpack in _PACKINGS.items() if head.startswith(begin)), None)
    if unpack is None:
        return os.pread(file.fileno(), TAIL, max(0, os.fstat(file.fileno()).st_size - TAIL))
    kept, total = b"", 0
    try:
        for part in unpack(file):
            total += len(part)
            if total > _MOST:
                raise RecordError(f"the packed module has more than {_MOST} bytes")
            kept = (kept + part)[-TAIL:]
    except (lzma.LZMAError, zlib.error, EOFError) as error:
        raise RecordError(f"the packed module is damaged: {error}") from None
    return kept


def _of_xz(file: BinaryIO) -> Iterator[bytes]:
    unpacking = lzma.LZMADecompressor(memlimit=_MEMORY)
    while not unpacking.eof:
        chunk = file.read(_CHUNK) if unpacking.needs_input else b""
        if unpacking.needs_input and not chunk:
            raise EOFError("it is cut off")
        yield unpacking.decompress(chunk, _CHUNK)


def _of_gzip(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as stream:
        while part := stream.read(_CHUNK):
            yield part


def _of_zstd(file: BinaryIO) -> Iterator[bytes]:
    try:
        package: Any = importlib.import_module("zstandard")
    except ImportError:
        raise RecordError("the module is packed with zstd, which needs the package zstandard") from None
    try:
        stream = package.ZstdDecompressor(max_window_size=_MEMORY).stream_reader(file)
        while part := stream.read(_CHUNK):
            yield part
    except package.ZstdError as error:
        raise RecordError(f"the packed module is damaged: {error}") from None


_PACKINGS = {b"\xfd7zX": _of_xz, b"\x1f\x8b": _of_gzip, b"\x28\xb5\x2f\xfd": _of_zstd}  # by how they begin
