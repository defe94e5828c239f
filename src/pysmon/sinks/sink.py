"""What an output is, and how it says that it failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol, runtime_checkable

from pysmon.errors import SinkError
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event


class Sink(Protocol):
    """Where entries go. One thread at a time uses it; any method may raise SinkError, and may be called again after."""

    @property
    def name(self) -> str:
        """What messages call it: a path, or `standard output`."""

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Take the entries, in order, each whole or not at all. WriteError tells how many of them went out."""

    def flush(self) -> None:
        """Hand on what is still held back; called when there is nothing to write, and often."""

    def close(self) -> None:
        """Let go of the output; a second call does nothing."""


@runtime_checkable
class Reopens(Protocol):
    """A sink that can let go of its output and take it anew, as after a SIGHUP of logrotate."""

    def reopen(self) -> None:
        """Open the output by its name again; SinkError if that cannot be, and then the next `write` tries."""


@runtime_checkable
class Remarks(Protocol):
    """A sink that has to tell of what it did to entries: cut them, withheld them from somebody."""

    def remarks(self) -> list[str]:
        """What there is to tell since the last call, a sentence each."""


@runtime_checkable
class Calms(Protocol):
    """A sink that knows when a flush would do nothing, so that nobody has to call it often."""

    @property
    def calm(self) -> bool:
        """Is nothing held back, until the next `write`?"""


Changing = Callable[[Path], AbstractContextManager[None]]  # wraps the making of a file, which somebody watches


def unwatched(_path: Path) -> AbstractContextManager[None]:
    """For a file that nobody watches."""
    return nullcontext()


@runtime_checkable
class Makes(Protocol):
    """A sink that makes its file, or moves it, at other times than when it is opened."""

    changing: Changing  # entered meanwhile; whoever watches the file sets it


class WriteError(SinkError):
    """Some entries of a batch did not go out."""

    def __init__(self, message: str, *, written: int, hint: str = "") -> None:
        """Keep the number of entries, from the first on, that are in the output."""
        super().__init__(message, hint=hint)
        self.written = written


class ReaderGoneError(WriteError):
    """Nobody reads the other end of a pipe any more: time to stop, and nothing to complain about."""
