"""Tapes: recorded kernel records. A tape is a sensor without a kernel, and a bug report that one can run.

A tape is a line of text that says what it is, then frames: one letter, a 32-bit little-endian length, the bytes. `R` is
a record, `T` the text that was read of the file which the record before it speaks of, `F` facts as JSON: those that
come later replace earlier ones of the same name.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from pysmon.errors import RecordError
from pysmon.layout.c_text import digest
from pysmon.sensor.records import RECORDS

_FRAME = struct.Struct("<cI")
_MAX_FRAME = 1 << 20  # bytes; no record is a tenth of that


def _title() -> bytes:
    return f"pysmon tape 1 {digest(RECORDS.values()):08x}\n".encode()


class TapeWriter:
    """Writes a tape beside its final name and puts it there when it is closed: a tape is whole or not there."""

    def __init__(self, path: Path) -> None:
        """Begin the tape that will be at `path`; OSError if its folder cannot be written."""
        self._path = path
        self._draft = path.with_name(path.name + ".part")
        self._file: BinaryIO | None = self._draft.open("wb")
        self._file.write(_title())

    def facts(self, **facts: Any) -> None:
        """Note facts about the recording (machine, clock, users, counts) as JSON values."""
        self._frame(b"F", json.dumps(facts).encode())

    def record(self, data: bytes) -> None:
        """Add one record."""
        self._frame(b"R", data)

    def text(self, text: str) -> None:
        """Add what the file of the last record held."""
        self._frame(b"T", text.encode("utf-8", "replace"))

    def close(self) -> None:
        """Finish; a second call does nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._draft.replace(self._path)

    def _frame(self, letter: bytes, data: bytes) -> None:
        if self._file is None:
            raise ValueError(f"the tape {self._path} is closed")
        self._file.write(_FRAME.pack(letter, len(data)) + data)

    def __enter__(self) -> Self:
        """Give the writer itself."""
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close."""
        self.close()


class Tape:
    """A tape that was read: its facts, its records oldest first, and texts by the numbers of their records."""

    def __init__(self, path: Path) -> None:
        """Read the whole tape; RecordError names the byte where it stops being one."""
        data = path.read_bytes()
        title, expected = data[: data.find(b"\n") + 1] or data, _title()
        if title != expected:
            raise RecordError(
                f"{path}: not a tape of this version: it begins {title[:60]!r}, expected {expected!r}",
                hint="tapes are played by the version of pysmon that recorded them",
            )
        self.facts: dict[str, Any] = {}
        self.records: list[bytes] = []
        self.texts: dict[int, str] = {}
        for place, letter, frame in _frames(path, data, len(title)):
            if letter == b"F":
                self.facts.update(_facts(path, place, frame))
            elif letter == b"T":
                self.texts[len(self.records) - 1] = frame.decode("utf-8", "replace")
            else:
                self.records.append(frame)


def _facts(path: Path, place: int, frame: bytes) -> dict[str, Any]:
    try:
        found = json.loads(frame)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RecordError(f"{path}: no facts at byte {place}: a JSON object expected, {frame[:60]!r} found")
    return found


def _frames(path: Path, data: bytes, at: int) -> Iterator[tuple[int, bytes, bytes]]:
    """The place of each frame's bytes, its letter, its bytes."""
    while at < len(data):
        if len(data) - at < _FRAME.size:
            raise RecordError(f"{path}: cut off at byte {at}: {_FRAME.size} bytes expected, {len(data) - at} found")
        letter, size = _FRAME.unpack_from(data, at)
        begin = at + _FRAME.size
        if letter not in (b"R", b"T", b"F") or size > _MAX_FRAME:
            raise RecordError(f"{path}: no frame of a tape at byte {at}: {data[at:begin]!r}")
        if begin + size > len(data):
            raise RecordError(f"{path}: cut off at byte {begin}: {size} bytes expected, {len(data) - begin} found")
        yield begin, letter, data[begin : begin + size]
        at = begin + size
