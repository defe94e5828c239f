"""Writing the log: batches in one transaction each, synced to the disk at least once in a while."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.store.actors import prepare
from pysmon.store.classes import Limits
from pysmon.store.failure import FAILURES, StoreError, code_of, failure
from pysmon.store.memory import Memory
from pysmon.store.migrations import bring_up
from pysmon.store.open import WriterLock, connect_writer, identity, make_file, set_aside
from pysmon.store.retention import give_back, to_drop, used_bytes
from pysmon.store.segments import all_segments
from pysmon.store.state import AGED, CLOSED, END, LAST_RECORD, LAST_TIME, SYNCED, read_state, write_state

ROWS = 1000  # removed in one step, at least
_LOOKS = 256  # retention looks after each such part of the log
_LOOK_EVERY = 5.0  # seconds, for what becomes too old
_PASSING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}  # the connection stays good


@dataclass(frozen=True, slots=True)
class Gap:
    """The log was not closed in good order: what came after its last entry is not in it."""

    record_id: int  # of the last entry
    time: int  # of the last entry, in ns since 1970
    unsynced: int  # entries at the end that came after the last sync; if the machine went down there were more of them


class Writer:
    """The one writer of a log. A batch that failed is not in the log, and the next one may be tried at any time.

    After `write` the entries are the system's: they outlive this process. They outlive the machine after the next
    sync, which comes with the first `write` or `sync` that is `sync_every` seconds after the last.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits | None = None,
        *,
        sync_every: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        changing: Callable[[Path], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        """Open the log, or make one; StoreError if that cannot be, or another process writes it.

        `changing` is entered while the file is made or put aside, for somebody who watches it.
        """
        self.path = path
        self.limits = limits or Limits()
        self.damaged: Path | None = None  # where a damaged log was put before this one was made in its place
        self._sync_every, self._clock, self._changing = sync_every, clock, changing
        self._synced_at = self._checked_at = clock()
        self._tidy = False  # whether there was nothing to do when retention was last looked at
        self._unchecked = 0  # bytes written since retention was last looked at
        self._unsynced = 0  # entries
        self._aged = 0  # as of when it was last tidied up
        self._memory: Memory | None = None  # None: to be read from the file
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        with changing(path):
            make_file(path)
        self._lock = WriterLock(path)
        try:
            self.gap = self._begun()
        except BaseException:
            self._let_go()
            raise

    @property
    def end(self) -> int:
        """The position of the last entry; StoreError if the file cannot be read."""
        return self._ready("read")[1].end

    @property
    def last_record_id(self) -> int:
        """The record id of the last entry, 0 in a log that is new; StoreError."""
        with self._telling("read") as (connection, _):
            return read_state(connection, LAST_RECORD)

    @property
    def aged(self) -> int:
        """As of when the log was last tidied up, or else the time of its last entry, in ns since 1970; 0 in a new one.

        StoreError.
        """
        with self._telling("read") as (connection, _):
            return self._aged or read_state(connection, AGED) or read_state(connection, LAST_TIME)

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Append the entries in one transaction: all or, with StoreError, none."""
        if not entries:
            return
        due = self._is_due()
        with self._transaction("write", sync=due) as (connection, memory):
            self._unchecked += memory.take(connection, entries)
            last = entries[-1]
            state = {END: memory.end, LAST_RECORD: last.record_id, LAST_TIME: last.time}
            if self._aged:
                state[AGED] = self._aged
            write_state(connection, state | {SYNCED: memory.end} if due else state)
        self._unsynced = 0 if due else self._unsynced + len(entries)

    def sync(self) -> None:
        """Have the disk's word for all that was written, if that is due; called often. StoreError."""
        if self._unsynced and self._is_due():
            with self._transaction("write", sync=True) as (connection, memory):
                write_state(connection, {SYNCED: memory.end})
            self._unsynced = 0

    def tidy(self, now: int, rows: int = ROWS) -> bool:
        """Do one small step of what retention asks for, as of `now` (ns since 1970); whether there was one. StoreError.

        `rows` is how many entries a step may remove: more than came since the last one.
        """
        self._aged = now
        if self._tidy and not self._is_time_to_look():
            return False
        with self._telling("tidy up") as (connection, memory):
            chosen = []
            if not memory.dropped:
                chosen = to_drop(all_segments(connection), self.limits, used_bytes(connection), now)
            if not memory.dropped and not chosen:
                self._tidy = not give_back(connection, self.limits)
                return not self._tidy
        with self._transaction("tidy up") as (connection, memory):
            memory.drop(connection, chosen)
            memory.remove_some(connection, max(rows, ROWS))
        self._tidy = False
        return True

    @property
    def calm(self) -> bool:
        """Is nothing to be synced, and was nothing to be tidied up when that was last looked at?"""
        return self._tidy and not self._unsynced

    def close(self) -> None:
        """Sync, note that it was closed in good order, and let go of it; a second call does nothing. StoreError."""
        if self._connection is None and not self._lock.held:
            return
        try:
            with self._transaction("close", sync=True) as (connection, memory):
                write_state(connection, {CLOSED: 1, SYNCED: memory.end} | ({AGED: self._aged} if self._aged else {}))
        finally:
            self._let_go()

    def _begun(self) -> Gap | None:
        try:
            return self._begin()
        except StoreError:
            if self.damaged is None:
                raise
            return self._begin()  # in a new log: that one was put aside

    def _begin(self) -> Gap | None:
        with self._transaction("open", sync=True) as (connection, memory):
            gap = None
            if memory.end and not read_state(connection, CLOSED):
                gap = Gap(
                    record_id=read_state(connection, LAST_RECORD),
                    time=read_state(connection, LAST_TIME),
                    unsynced=memory.end - read_state(connection, SYNCED),
                )
            write_state(connection, {CLOSED: 0, SYNCED: memory.end})
        return gap

    def _is_due(self) -> bool:
        return self._clock() - self._synced_at >= self._sync_every

    def _is_time_to_look(self) -> bool:
        now = self._clock()
        if self._unchecked < self.limits.total // _LOOKS and now - self._checked_at < _LOOK_EVERY:
            return False
        self._unchecked, self._checked_at = 0, now
        return True

    @contextmanager
    def _transaction(self, doing: str, *, sync: bool = False) -> Iterator[tuple[sqlite3.Connection, Memory]]:
        with self._telling(doing) as (connection, memory):
            if sync:
                connection.execute("PRAGMA synchronous = FULL")  # its commit syncs what others left unsynced, too
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection, memory
                connection.execute("COMMIT")
            except BaseException:
                self._memory = None  # it is ahead of the file
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                if sync:
                    connection.execute("PRAGMA synchronous = NORMAL")
                    self._synced_at = self._clock()

    @contextmanager
    def _telling(self, doing: str) -> Iterator[tuple[sqlite3.Connection, Memory]]:
        ready = self._ready(doing)
        try:
            yield ready
        except FAILURES as error:
            raise self._failed(doing, error) from error

    def _ready(self, doing: str) -> tuple[sqlite3.Connection, Memory]:
        if not self._lock.held:
            raise StoreError(f"cannot {doing} {self.path}: it is closed")
        if self._connection is not None and identity(self.path) != self._identity:
            self._disconnect()
        try:
            if self._connection is None:
                with self._changing(self.path):
                    self._connection = self._connect()
            if self._memory is None:
                self._memory = Memory(self._connection, self.limits)
        except FAILURES as error:
            raise self._failed(doing, error) from error
        return self._connection, self._memory

    def _connect(self) -> sqlite3.Connection:
        try:
            return self._connected()
        except FAILURES as error:
            if code_of(error) != sqlite3.SQLITE_CORRUPT:
                raise
            self.damaged = set_aside(self.path)
            return self._connected()

    def _connected(self) -> sqlite3.Connection:
        make_file(self.path)
        self._identity = identity(self.path)
        made = connect_writer(self.path)
        try:
            bring_up(made, str(self.path))
            prepare(made)
        except BaseException:
            made.close()
            raise
        return made

    def _failed(self, doing: str, error: Exception) -> StoreError:
        self._memory = None
        if code_of(error) not in _PASSING:
            self._disconnect()
        if code_of(error) == sqlite3.SQLITE_CORRUPT:
            with self._changing(self.path):
                self.damaged = set_aside(self.path)  # the next batch begins a new log
        return failure(doing, str(self.path), error)

    def _disconnect(self) -> None:
        connection, self._connection, self._memory = self._connection, None, None
        if connection is not None:
            connection.close()

    def _let_go(self) -> None:
        try:
            self._disconnect()
        finally:
            self._lock.close()
