"""One output with its own thread and queue: slow or dead, it holds up nobody else, and goes on when it returns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pysmon.errors import SinkError
from pysmon.formats.visible import visible
from pysmon.pipeline.spill import Spill
from pysmon.pipeline.waiting import Entries, LaneLimits, Waiting
from pysmon.sinks.descriptor import cause
from pysmon.sinks.sink import Calms, Remarks, Reopens, Sink, WriteError

BATCH = 2000  # entries that are written in one call, at most
IDLE = 0.5  # s between the calls of `flush` when nothing comes,
CALM = 10.0  # and if there is nothing to flush: the output may have to follow a file, or to drop what is too old
_MANY = 32  # failures after which the pause certainly grows no more


@dataclass(frozen=True, slots=True)
class LaneState:
    """How an output fares: at every moment `found + put = queued + spilled + written + lost`, in entries."""

    name: str
    found: int  # that an earlier run left on the disk
    put: int
    queued: int
    queued_bytes: int  # about
    spilled: int
    spilled_bytes: int
    written: int
    lost: int
    lost_at: int | None  # the moment of the last loss that was noticed, in ns since 1970
    trouble: str  # why it rests; "" if it works
    since: int | None  # the moment when that began, in ns since 1970


class Lane:
    """An output, what waits for it, and the thread that writes. Three threads meet here: who puts, who writes, and
    who moves to the disk what has no room; no lock is held while anything is written anywhere."""

    def __init__(self, sink: Sink, limits: LaneLimits, spill: Spill | None, spill_over: Callable[[], None]) -> None:
        """`spill_over` is called when there is something for `move`; it must not block."""
        self.sink, self.limits, self.spill = sink, limits, spill
        self._spill_over = spill_over
        self._ready = threading.Condition()
        self._books = Waiting(limits, disk=spill is not None)
        if spill is not None:
            self._books.found = self._books.spilled = spill.entries
            self._books.spilling = bool(spill.entries)
        self._trouble, self._since, self._lost_at = "", 0, 0
        self._lost_seen, self._failures, self._retry_at, self._called_at = 0, 0, 0.0, 0.0
        self._spill_trouble, self._disk_rests_until, self._unread = "", 0.0, False
        self._remarks: list[str] = [] if spill is None else list(spill.remarks)
        self._write_failed = False  # the last failure was that of a `write`: only a `write` shows that it is over
        self._reopen = self._closing = self._gave_up = self._hurried = self._abandoned = False
        self._thread = threading.Thread(target=self._run, name=f"pysmon {sink.name}", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, entries: Entries, size: int) -> None:
        """Take the entries, about `size` bytes, which nobody may change from now on. Never waits for the output."""
        with self._ready:
            if self._closing:
                self._books.refuse(entries)
                return
            self._books.take_in(entries, size)
            over = self._books.to_move
            self._ready.notify()
        if over:
            self._spill_over()

    def move(self) -> None:
        """Write to the disk what is on its way there."""
        if self.spill is None or self._disk_rests_until > time.monotonic():
            return
        with self._ready:
            entries = self._books.move()
        if not entries:
            return
        kept, self._spill_trouble = self.spill.append(entries)
        if kept < len(entries):
            self._disk_rests_until = time.monotonic() + self.limits.retry
        with self._ready:
            self._books.moved(kept)
            self._ready.notify()

    def reopen(self) -> None:
        """Have the output opened anew soon, and tried at once if it failed."""
        with self._ready:
            self._reopen = True
            self._ready.notify()

    def finish(self) -> None:
        """Take no more entries, write what can be written, and end."""
        with self._ready:
            self._closing = True
            self._ready.notify()

    def wait(self, patience: float) -> bool:
        """After `finish`: wait so long (s) for the end; whether it came."""
        self._thread.join(max(patience, 0.0))
        return not self._thread.is_alive()

    def hurry(self) -> None:
        """After `finish`: begin no further call of the output."""
        with self._ready:
            self._hurried = True
            self._ready.notify()

    def settle(self, *, disk: bool) -> None:
        """At the end: what is left goes to the disk if that may be used, or is lost. Nobody may `move` any more."""
        with self._ready:
            self._abandoned = True  # a call that still hangs has no say any more
            older, newer = self._books.rest()
        kept = 0
        if self.spill is not None and disk:
            for entries, keep in ((older, self.spill.put_before), (newer, self.spill.append)):
                if entries:
                    count, self._spill_trouble = keep(entries)
                    kept += count
            self.spill.close()
        with self._ready:
            self._books.rested(kept)

    def let_go(self) -> None:
        """Instead of `start`: let go of the disk."""
        if self.spill is not None:
            self.spill.close()

    def state(self) -> LaneState:
        """How it fares now."""
        with self._ready:
            books = self._books
            if books.lost > self._lost_seen:
                self._lost_seen, self._lost_at = books.lost, time.time_ns()
            return LaneState(
                name=self.sink.name,
                found=books.found,
                put=books.put,
                queued=books.queued,
                queued_bytes=books.queued_bytes,
                spilled=books.spilled,
                spilled_bytes=self.spill.bytes if self.spill else 0,
                written=books.written,
                lost=books.lost,
                lost_at=self._lost_at or None,
                trouble=self._trouble or self._stall(),
                since=self._since or None,
            )

    def remarks(self) -> list[str]:
        """What happened to entries since the last call, beside what `state` tells."""
        with self._ready:
            told, self._remarks = self._remarks, []
        return told

    @property
    def spill_trouble(self) -> str:
        """Why the disk did not take entries the last time that it was asked; "" if it did."""
        return self._spill_trouble

    def _stall(self) -> str:
        waited = time.monotonic() - self._called_at if self._called_at else 0.0
        if waited < self.limits.stalled or not self._called_at:
            if not self._trouble:
                self._since = 0
            return ""
        if not self._since:
            self._since = time.time_ns() - int(waited * 1e9)
        return "it takes nothing"

    def _run(self) -> None:
        while not self._has_ended():
            entries, from_disk = self._next()
            self._deliver(entries, from_disk)
        self._call(self.sink.close)

    def _has_ended(self) -> bool:
        with self._ready:
            if not self._closing:
                return False
            return self._hurried or self._gave_up or not (self._books.queued or self._books.spilled)

    def _next(self) -> tuple[Entries, bool]:
        """What to write next, and whether it comes from the disk; nothing after a while in which there is nothing."""
        with self._ready:
            if not self._wait_until_due():
                return (), False
            found = self._books.next(BATCH)
            if found:
                return found, False
            waiting = self._books.spilled
            if not waiting:
                if not self._books.end_spilling() and (self._books.queued or not self._closing):
                    self._ready.wait(CALM if isinstance(self.sink, Calms) and self.sink.calm else IDLE)
                return (), False
        if self.spill is None:
            return (), False
        try:
            entries, lost = self.spill.read(min(waiting, BATCH))
        except OSError as error:
            with self._ready:
                if not self._unread:
                    self._remarks.append(f"what waits on the disk cannot be read, and is tried again: {cause(error)}")
                self._unread = True
                self._ready.wait(self.limits.retry)
            return (), False
        self._unread = False
        if lost:
            with self._ready:
                self._books.lost_from_disk(lost)
                self._remarks.append(f"lost on the disk, being unreadable: {lost}")
        return entries, True

    def _wait_until_due(self) -> bool:
        """Wait for the next try if the output failed; whether it is time."""
        if self._reopen or self._closing:
            return True
        left = self._retry_at - time.monotonic()
        if left > 0:
            self._ready.wait(left)
        return left <= 0

    def _deliver(self, entries: Entries, from_disk: bool) -> None:
        if self._reopen:
            self._reopen, self._retry_at = False, 0.0
            if isinstance(self.sink, Reopens):
                self._call(self.sink.reopen)
        written, lost = self._written(entries) if entries else (0, 0)
        if from_disk and self.spill is not None:
            self.spill.delivered(written)
        with self._ready:
            if self._abandoned:
                return
            if from_disk:
                self._books.wrote_from_disk(written)
            elif entries:
                self._books.wrote(written)
            self._books.gave_up(lost)
            if written < len(entries) and self._books.retreat():
                self._spill_over()
            idle = not self._books.queued
        if written == len(entries) and idle and not self._is_resting():
            self._call(self.sink.flush)
        if isinstance(self.sink, Remarks):
            told = self.sink.remarks()
            if told:
                with self._ready:
                    self._remarks += told

    def _is_resting(self) -> bool:
        return self._retry_at > time.monotonic()

    def _written(self, entries: Entries) -> tuple[int, int]:
        """Write them: how many the output is done with, and how many of these it could not take for their content."""
        try:
            error = self._try(entries)
        except Exception as defect:  # one entry must not hold up all others for ever
            return self._one_by_one(entries, defect)
        return (error.written if isinstance(error, WriteError) else 0 if error else len(entries)), 0

    def _one_by_one(self, entries: Entries, defect: Exception) -> tuple[int, int]:
        done = lost = 0
        for entry in entries:
            try:
                if self._try([entry]) is not None:
                    break
            except Exception as own:
                defect = own
                lost += 1
            done += 1
        if lost:
            with self._ready:
                self._remarks.append(f"lost by a defect of pysmon ({_words(defect)}): {lost}")
        return done, lost

    def _try(self, entries: Entries) -> SinkError | None:
        self._called_at = time.monotonic()
        try:
            self.sink.write(entries)
        except SinkError as error:
            self._failed(error, write=True)
            return error
        finally:
            self._called_at = 0.0
        self._works()
        return None

    def _call(self, ask: Callable[[], None]) -> None:
        self._called_at = time.monotonic()
        try:
            ask()
        except SinkError as error:
            self._failed(error)
        except Exception as defect:  # whatever it is, the thread has to live on
            self._failed(SinkError(f"{self.sink.name} failed by a defect of pysmon: {_words(defect)}"))
        else:
            if not self._write_failed:
                self._works()
        finally:
            self._called_at = 0.0

    def _works(self) -> None:
        with self._ready:
            self._write_failed = False
            self._trouble, self._since, self._failures, self._retry_at = "", 0, 0, 0.0

    def _failed(self, error: SinkError, *, write: bool = False) -> None:
        with self._ready:
            pause = min(self.limits.retry * 2.0**self._failures, self.limits.retry_most)
            self._failures = min(self._failures + 1, _MANY)
            self._retry_at = time.monotonic() + pause
            self._since = self._since or time.time_ns()
            self._trouble = f"{error} ({error.hint})" if error.hint else str(error)
            self._write_failed = self._write_failed or write
            self._gave_up = self._closing


def _words(defect: Exception) -> str:
    return visible(f"{type(defect).__name__}: {defect}")
