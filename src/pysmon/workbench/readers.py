"""Reads logs piece by piece, in this process or in several at once, and puts together what came of each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

from pysmon.errors import PysmonError
from pysmon.sources.pieces import Piece
from pysmon.sources.source import Taken, Tally, Wanted

_BATCH = 4096  # events that are taken at once
_R = TypeVar("_R", covariant=True)
_T = TypeVar("_T")


class Step(NamedTuple):
    """How far the reading has come since the step before."""

    events: int
    bytes: int


class Work(Protocol[_R]):
    """What is done with the events. Every process has one of its own."""

    @property
    def wanted(self) -> Wanted:
        """The fields whose values it takes."""

    def begin(self, piece: Piece) -> None:
        """The rows that come now are those of this piece."""

    def take(self, rows: Iterator[Taken]) -> None:
        """Do it with some events, all that there are."""

    def result(self) -> _R:
        """What came of all of them; it can go to another process."""


class Reading(Generic[_T]):
    """The reading of some pieces: iterate over its steps; then `results` and `tallies` are complete."""

    def __init__(self, pieces: Sequence[Piece], begin: Callable[[], Work[_T]], jobs: int = 1) -> None:
        """`begin` makes the work of each process. It has to be picklable, except on Linux."""
        alone = any(piece.stream.path is None for piece in pieces)  # standard input: only this process has it
        self._pieces, self._begin, self._jobs = pieces, begin, 1 if alone else min(jobs, len(pieces))
        self._told: dict[int, Tally] = {}
        self.results: list[_T] = []

    def __iter__(self) -> Iterator[Step]:
        """Read."""
        if self._jobs > 1:
            yield from self._in_processes()
            return
        work = self._begin()
        for number, piece in enumerate(self._pieces):
            yield from _read(piece, work)
            self._told[number] = piece.tally
        self.results.append(work.result())

    @property
    def tallies(self) -> dict[str, Tally]:
        """What was found in each log besides events, by its name."""
        found: dict[str, Tally] = {}
        for number in sorted(self._told):
            found.setdefault(self._pieces[number].name, Tally()).add(self._told[number])
        return found

    def _in_processes(self) -> Iterator[Step]:
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        following = context.Value("q", 0)
        crew: list[Any] = []
        ends: list[Connection] = []
        try:
            for _ in range(self._jobs):
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(
                    target=_work, args=(self._pieces, self._begin, following, theirs), daemon=True
                )
                process.start()
                theirs.close()
                crew.append(process)
                ends.append(ours)
            while ends:
                for end in cast("list[Connection]", wait(ends)):
                    try:
                        message = end.recv()
                    except EOFError:
                        raise PysmonError("a process of the reading ended before its time") from None
                    if isinstance(message, Step):
                        yield message
                        continue
                    if isinstance(message, Exception):
                        raise message
                    told, result = message
                    self._told.update(told)
                    self.results.append(result)
                    ends.remove(end)
                    end.close()
        finally:
            for process in crew:
                if ends:  # not all have come to their end
                    process.terminate()
                process.join()


def _read(piece: Piece, work: Work[object]) -> Iterator[Step]:
    work.begin(piece)
    source = piece.source
    rows, taken, shown = source.rows(work.wanted), 0, 0
    while True:
        work.take(islice(rows, _BATCH))  # one by one: lists of them would keep the garbage collector busy
        events, done = source.tally.entries, min(source.done, piece.size)
        if events == taken:
            break
        yield Step(events - taken, max(done - shown, 0))
        taken, shown = events, max(done, shown)
    yield Step(0, piece.size - shown)


def _work(pieces: Sequence[Piece], begin: Callable[[], Work[Any]], following: Any, to: Connection) -> None:
    """The whole life of another process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is told as well, and ends this one
    try:
        work, told = begin(), {}
        while True:
            with following.get_lock():
                number = following.value
                following.value += 1
            if number >= len(pieces):
                break
            for step in _read(pieces[number], work):
                to.send(step)
            told[number] = pieces[number].tally
        to.send((told, work.result()))
    except BrokenPipeError:
        os._exit(1)  # nobody waits for it any more
    except Exception as error:  # told where somebody can act
        to.send(error)
    finally:
        to.close()
