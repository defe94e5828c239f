"""Large logs in pieces that can be read at the same time: some chunks of an EVTX file, some of many JSON lines.

To its reader a piece is a log of the same shape: chunks stand behind a header of the file that counts them, lines begin
where one begins. Only the places of damages have to be moved to where they are in the file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from pysmon.formats.evtx.layout import CHUNK_MAGIC, CHUNK_SIZE, FILE_HEADER_SIZE, FileHeader
from pysmon.sources.json_rows import are_lines
from pysmon.sources.open import Log, shape_named
from pysmon.sources.source import Damage, Source, Tally
from pysmon.sources.streams import Bytes, bytes_of

SIZE = 16 << 20  # bytes of a piece
_LINES = {"pysmon", "splunk", "winlogbeat", "wazuh", "evtx_dump", "velociraptor", "evtxecmd", "nxlog"}
_BUFFER = 1 << 20
_CHUNK = re.compile(r"chunk (\d+) at byte (0x[0-9a-f]+)")
_LINE = re.compile(r"line (\d+)")
_LONGEST_PLACE = 1 << 22  # bytes that are looked through for the end of a line


@dataclass(slots=True)
class _Part(Bytes):
    """Some of the bytes of a file, behind a header of their own if they need one."""

    begin: int = 0
    end: int = 0
    header: bytes = b""

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Read from the beginning of the part."""
        if self.path is None:
            raise ValueError(f"{self.name} is no file")
        with self.path.open("rb", buffering=0) as raw:
            raw.seek(self.begin)
            yield io.BufferedReader(_Window(raw, self.end - self.begin, self.header), _BUFFER)

    def sample(self) -> bytes:
        """The first bytes of the whole file: they say how all of it is written."""
        (whole,) = bytes_of(str(self.path))
        return whole.sample()


class _Window(io.RawIOBase):
    """So many bytes of a file from where it stands, and what goes before them."""

    def __init__(self, raw: io.RawIOBase | io.FileIO, size: int, before: bytes) -> None:
        super().__init__()
        self._raw, self._left, self._before = raw, size, memoryview(before)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        if self._before:
            piece = self._before[: len(view)]
            self._before = self._before[len(piece) :]
            view[: len(piece)] = piece
            return len(piece)
        count = self._raw.readinto(view[: self._left]) or 0
        self._left -= count
        return count


@dataclass(frozen=True)
class Piece:
    """A log, or a piece of one. It can go to another process, unless the log is standard input."""

    name: str  # of the log
    number: int  # counts the pieces of a log from 0
    size: int  # bytes of it in the file; packed, if it is
    form: str
    stream: Bytes = field(repr=False)

    @cached_property
    def source(self) -> Source:
        """What reads it."""
        return Log(self.stream, shape_named(self.form))

    @property
    def tally(self) -> Tally:
        """What the latest reading found besides events, with places as they are in the log."""
        tally, part = self.source.tally, self.stream
        if not isinstance(part, _Part) or part.begin == 0:
            return tally
        return replace(tally, damaged=[Damage(_moved(damage.place, part), damage.why) for damage in tally.damaged])


def pieces(source: Source, size: int = SIZE) -> list[Piece]:
    """A log in pieces of that size or so; in one piece if its shape cannot be cut, or it is no plain file."""
    if isinstance(source, Log) and source.stream.plain_file is not None and source.size > size:
        parts = _parts(source.stream, source.form, size)
    else:
        parts = [source.stream] if isinstance(source, Log) else []
    return [
        Piece(source.name, number, part.end - part.begin if isinstance(part, _Part) else source.size, source.form, part)
        for number, part in enumerate(parts)
    ]


def _parts(whole: Bytes, form: str, size: int) -> list[Bytes]:
    path = whole.plain_file
    if path is None:
        return [whole]
    with path.open("rb") as file:
        if form == "evtx":
            return _chunks(whole, path, file, size)
        if form in _LINES and are_lines(whole.sample()):
            return _lines(whole, path, file, size)
    return [whole]


def _chunks(whole: Bytes, path: Path, file: BinaryIO, size: int) -> list[Bytes]:
    head = file.read(FILE_HEADER_SIZE)
    try:
        header = FileHeader.unpack(head)
    except ValueError:
        return [whole]
    step = max(size // CHUNK_SIZE, 1) * CHUNK_SIZE
    begins = [0]
    for begin in range(FILE_HEADER_SIZE + step, whole.size, step):
        file.seek(begin)
        if file.read(len(CHUNK_MAGIC)) == CHUNK_MAGIC:
            begins.append(begin)
    made: list[Bytes] = []
    for begin, end in zip(begins, [*begins[1:], whole.size], strict=True):
        left = max(header.chunks - (begin - FILE_HEADER_SIZE) // CHUNK_SIZE, 0) if begin else header.chunks
        own = replace(header, chunks=left).pack().ljust(FILE_HEADER_SIZE, b"\0") if begin else b""
        made.append(_Part(whole.name, path, size=whole.size, begin=begin, end=end, header=own))
    return made


def _lines(whole: Bytes, path: Path, file: BinaryIO, size: int) -> list[Bytes]:
    begins = [0]
    while begins[-1] + size < whole.size:
        file.seek(begins[-1] + size)
        line = file.readline(_LONGEST_PLACE)
        if file.tell() >= whole.size or not line.endswith(b"\n"):
            break
        begins.append(file.tell())
    ends = [*begins[1:], whole.size]
    return [
        _Part(whole.name, path, size=whole.size, begin=begin, end=end) for begin, end in zip(begins, ends, strict=True)
    ]


def _moved(place: str, part: _Part) -> str:
    if part.header:
        chunks = (part.begin - FILE_HEADER_SIZE) // CHUNK_SIZE
        by = part.begin - FILE_HEADER_SIZE
        return _CHUNK.sub(lambda found: f"chunk {int(found[1]) + chunks} at byte {int(found[2], 16) + by:#x}", place)
    before = _count_lines(part)
    return _LINE.sub(lambda found: f"line {int(found[1]) + before}", place)


def _count_lines(part: _Part) -> int:
    count = 0
    if part.path is not None:
        with part.path.open("rb") as file:
            left = part.begin
            while left > 0 and (piece := file.read(min(left, _BUFFER))):
                count += piece.count(b"\n")
                left -= len(piece)
    return count
