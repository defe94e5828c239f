"""Where a thing stands in a file, and the one small tree of exceptions for callers who can act."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A spot in a text file. Lines and columns count from 1; a column counts characters; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Read as compilers write it: `file:line:column`, leaving out what is unknown."""
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts)


class PysmonError(Exception):
    """What pysmon raises for a caller who can act: a message (what, where, expected) and a `hint` (what would help)."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep the message as the exception's text and the hint beside it."""
        super().__init__(message)
        self.hint = hint


class MisuseError(PysmonError):
    """The caller asked for something that makes no sense; the command line exits with 2."""


class SensorError(PysmonError):
    """The kernel sensor cannot run here: rights, kernel or library are missing; the command line exits with 3."""


class RecordError(PysmonError):
    """Bytes are not the record that they claim to be."""


class SinkError(PysmonError):
    """An output cannot be opened or written."""
