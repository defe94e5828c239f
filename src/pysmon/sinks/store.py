"""Writes entries to the event log; pauses while it cannot be written, and goes on by itself."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pysmon.errors import SinkError
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.sink import Changing, WriteError, unwatched
from pysmon.store.age import AgeClock
from pysmon.store.classes import Limits
from pysmon.store.failure import StoreError
from pysmon.store.writer import Gap, Writer

_BATCH = 2000  # entries in one transaction: a few tens of milliseconds
_PAUSES = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR}  # what may pass by itself


class StoreSink:
    """A sink on an event log.

    When the disk is full, fails or is read-only, entries are refused (and counted by whoever runs the sinks) and the
    log is tried again after `retry` seconds. A log that cannot be opened for such a reason does not stop a start.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits | None = None,
        *,
        sync_every: float = 1.0,
        retry: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        """Open the log, or make one; SinkError if that cannot be and will not pass, as when another process writes it.

        `now` is the time of day in ns since 1970, by which entries become too old; should it jump ahead, they do so
        gradually (`pysmon.store.age`).
        """
        self.name = str(path)
        self.changing: Changing = unwatched
        self._path, self.limits = path, limits or Limits()
        self._sync_every, self._retry, self._clock, self._now = sync_every, retry, clock, now
        self._writer: Writer | None = None
        self._age = AgeClock(0, clock())
        self._closed = False
        self._resting_until: float | None = None
        self._trouble = StoreError("")
        try:
            self._opened()
        except StoreError as error:
            if error.code not in _PAUSES:
                raise SinkError(str(error), hint=error.hint) from error
            self._rest(error)

    @property
    def is_open(self) -> bool:
        """Could the log be opened, since the start or since its last trouble?"""
        return self._writer is not None

    @property
    def gap(self) -> Gap | None:
        """What the log says of its last writer, if that one was ended by force."""
        return self._writer.gap if self._writer else None

    @property
    def damaged(self) -> Path | None:
        """Where a damaged log was put, if one was found."""
        return self._writer.damaged if self._writer else None

    @property
    def last_record_id(self) -> int | None:
        """The record id of the last entry in the log, after which a run may go on counting; None if it is not known."""
        try:
            return self._writer.last_record_id if self._writer else None
        except StoreError:
            return None

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Append them, a few thousand in one transaction."""
        written = 0
        try:
            writer = self._ready()
            for start in range(0, len(entries), _BATCH):
                batch = entries[start : start + _BATCH]
                writer.write(batch)
                written += len(batch)
                writer.tidy(self._age.at(self._now(), self._clock()), 2 * len(batch))
        except StoreError as error:
            self._rest(error)
            raise WriteError(str(error), written=written, hint=error.hint) from error

    def flush(self) -> None:
        """Let the disk keep what was written, if that is due, and tidy up a little."""
        if self._closed or self._is_resting():
            return
        try:
            writer = self._ready()
            writer.sync()
            writer.tidy(self._age.at(self._now(), self._clock()))
        except StoreError as error:
            self._rest(error)
            raise SinkError(str(error), hint=error.hint) from error

    @property
    def calm(self) -> bool:
        """Does the disk have all, and was nothing to be tidied up the last time?"""
        return self._writer is not None and not self._is_resting() and self._writer.calm

    def close(self) -> None:
        """Close the log in good order; a second call does nothing."""
        writer, self._writer, self._closed = self._writer, None, True
        if writer is not None:
            try:
                writer.close()
            except StoreError as error:
                raise SinkError(str(error), hint=error.hint) from error

    def _ready(self) -> Writer:
        if self._closed:
            raise StoreError(f"{self.name} is closed")
        if self._is_resting():
            raise self._trouble
        self._resting_until = None
        return self._opened()

    def _opened(self) -> Writer:
        if self._writer is None:
            self._writer = Writer(
                self._path,
                self.limits,
                sync_every=self._sync_every,
                clock=self._clock,
                changing=lambda path: self.changing(path),
            )
            self._age = AgeClock(self._writer.aged, self._clock())
        return self._writer

    def _is_resting(self) -> bool:
        return self._resting_until is not None and self._clock() < self._resting_until

    def _rest(self, error: StoreError) -> None:
        if not self._is_resting():
            self._trouble, self._resting_until = error, self._clock() + self._retry
