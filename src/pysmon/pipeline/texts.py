"""Texts of files that no record holds: noted on a tape when they are read, and read from it when it is played."""

from __future__ import annotations

from collections.abc import Sequence

from pysmon.assemble.triggers import Reader
from pysmon.sensor.tape import Tape, TapeWriter


def noted(reader: Reader, tape: TapeWriter | None) -> Reader:
    """The same reader, whose texts go onto the tape as well, if there is one."""
    return _Noting(reader, tape) if tape else reader


class _Noting:
    def __init__(self, reader: Reader, tape: TapeWriter) -> None:
        self._reader, self._tape = reader, tape
        tape.facts(closes_told=reader.closes_told)

    @property
    def closes_told(self) -> bool:
        return self._reader.closes_told

    def text(self, tgids: Sequence[int], path: str, device: int, inode: int) -> str | None:
        found = self._reader.text(tgids, path, device, inode)
        if found is not None:
            self._tape.text(found)
        return found


class TapeTexts:
    """What the reader of the recording gave for each record."""

    def __init__(self, tape: Tape, *, closes_told: bool) -> None:
        """`closes_told` is what the reader said of itself."""
        self._texts, self.closes_told = tape.texts, closes_told
        self.record = 0  # which one is taken now, counted from 0; whoever plays sets it

    def text(self, _tgids: Sequence[int], _path: str, _device: int, _inode: int) -> str | None:
        """The text; None if none was read then."""
        return self._texts.get(self.record)
