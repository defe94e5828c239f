"""Writes entries to an event log file of Windows (.evtx), appended to and rotated by size."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from pysmon.errors import SinkError
from pysmon.formats.evtx.layout import CHUNK_SIZE, FILE_HEADER_SIZE
from pysmon.formats.evtx.write_end import End, end_of
from pysmon.formats.evtx.write_entry import Rows
from pysmon.formats.evtx.write_template import Definitions
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.descriptor import cause, hint
from pysmon.sinks.evtx_file import EvtxFile
from pysmon.sinks.rotation import move_aside
from pysmon.sinks.sink import WriteError

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY
_MODE = 0o640  # command lines hold secrets: not for everybody
_MOST_CHUNKS = 0xFFFF  # the header counts them in 16 bits: 4 GB
_U64 = (1 << 64) - 1
_ASIDE = "move it away, or name another file"


class EvtxFileSink:
    """A sink on an EVTX file. Older files are `name.1.evtx` (the newest) to `name.N.evtx`.

    When `write` returns, its entries are in the file. Records are numbered on from where the file ends. EventRecordID
    is the entry's own id; if a run counts anew, its ids go on behind the last one in the file.
    """

    def __init__(self, path: Path, *, rotate: int = 0, keep: int = 5) -> None:
        """Open the file, or begin it. `rotate` is the size in bytes that it may reach, 0 for any.

        SinkError if it is no file that pysmon wrote, or another process writes it.
        """
        self.name = str(path)
        self._path, self._rotate, self._keep = path, rotate, keep
        self._limit = rotate  # where it is turned over; 0 for never
        self._rows, self._definitions = Rows(), Definitions()
        self._file: EvtxFile | None = None
        self._closed = False
        self._next_id = 1  # of a record in a new file
        self._last_shown = 0  # EventRecordID of the last record
        self._shift: int | None = None  # what is added to the ids of pysmon's own entries
        self._remarks: list[str] = []
        self._told_cuts = 0
        self._reach()

    def write(self, entries: Sequence[Entry[Event]]) -> None:
        """Append them all. WriteError tells how many are in the file."""
        if self._closed:
            raise WriteError(f"{self.name} is closed", written=0)
        written = 0
        trouble: SinkError | None = None
        try:
            file = self._file or self._reach()
            for number, entry in enumerate(entries):
                row, filetime = self._rows.of(entry, self._shown_id(entry, file))
                if not file.add(row, filetime):
                    file.put()
                    written = number
                    file, failed = self._next(file)
                    trouble = failed or trouble
                    file.add(row, filetime)  # rows are made to fit into an empty chunk
            file.put()
        except OSError as error:
            if self._file:
                self._file.forget()
            raise WriteError(_message("write to", self.name, error), written=written, hint=hint(error)) from error
        except SinkError as error:
            raise WriteError(str(error), written=written, hint=error.hint) from error
        if trouble:
            raise WriteError(str(trouble), written=len(entries), hint=trouble.hint)

    def flush(self) -> None:
        """Follow the name of the file if it is another file now, or none."""
        if not self._closed and not (self._file and self._file.is_named(self._path)):
            self.reopen()

    def reopen(self) -> None:
        """Close the file in good order, and open the one that has its name now."""
        self._let_go()
        self._reach()

    def close(self) -> None:
        """Close the file in good order; a second call does nothing."""
        self._closed = True
        self._let_go()

    def remarks(self) -> list[str]:
        """What a crash had left behind, and what was cut to fit, since the last call."""
        told, self._remarks = self._remarks, []
        cuts = self._rows.cuts
        more = cuts.records - self._told_cuts
        if more:
            some = "1 entry was" if more == 1 else f"{more} entries were"
            told.append(f"{self.name}: {some} too large for a record of 64 KB and cut; the latest: {cuts.last}")
            self._told_cuts = cuts.records
        return told

    def _reach(self) -> EvtxFile:
        try:
            fd = os.open(self._path, _FLAGS, _MODE)
        except OSError as error:
            raise SinkError(_message("open", self.name, error), hint=hint(error)) from error
        try:
            end = self._end(fd)
            self._file = EvtxFile(fd, end, self._definitions)
        except OSError as error:
            os.close(fd)
            raise SinkError(_message("begin", self.name, error), hint=hint(error)) from error
        except SinkError:
            os.close(fd)
            raise
        self._limit = self._rotate
        if end.chunks:
            self._last_shown, self._shift = end.event_record_id, None
        return self._file

    def _end(self, fd: int) -> End:
        state = os.fstat(fd)
        if not stat.S_ISREG(state.st_mode):
            raise SinkError(f"cannot write EVTX to {self.name}: it is not a regular file", hint="name one that is")
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SinkError(f"cannot append to {self.name}: another process writes it", hint=_ASIDE) from error
        if not state.st_size:
            return End(0, next_id=self._next_id)
        try:
            with os.fdopen(os.dup(fd), "rb") as file:
                end = end_of(file, state.st_size)
        except ValueError as error:
            raise SinkError(f"cannot append to {self.name}: {error}", hint=_ASIDE) from error
        if end.torn:
            lost = state.st_size - FILE_HEADER_SIZE - end.chunks * CHUNK_SIZE
            self._remarks.append(f"{self.name}: the last {lost} bytes were no whole chunk and are written over")
        return end

    def _next(self, file: EvtxFile) -> tuple[EvtxFile, SinkError | None]:
        """The file for the next chunk, a new one if this is full; and why it is this one although it is."""
        size = FILE_HEADER_SIZE + (file.chunks + 1) * CHUNK_SIZE
        if not self._limit or size <= self._limit:
            if file.chunks >= _MOST_CHUNKS:
                raise SinkError(f"{self.name} has reached 4 GB, the most an EVTX file can have", hint="use --rotate")
            file.next_chunk()
            return file, None
        try:
            move_aside(self._path, self._keep, self._numbered)
        except OSError as error:
            self._limit = size + self._rotate  # try again when it has grown by as much
            file.next_chunk()
            return file, SinkError(_message("rotate", self.name, error), hint=hint(error))
        self._let_go()
        return self._reach(), None

    def _shown_id(self, entry: Entry[Event], file: EvtxFile) -> int:
        shown = entry.record_id
        if entry.origin.foreign is None:
            if self._shift is None:
                self._shift = max(self._last_shown + 1 - shown, 0)
            shown += self._shift
        elif not shown:  # its log did not say
            shown = file.next_id
        self._last_shown = min(shown, _U64)
        return self._last_shown

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            self._next_id = file.next_id
            try:
                file.close()
            except OSError as error:
                raise SinkError(_message("close", self.name, error), hint=hint(error)) from error

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.stem}.{number}{self._path.suffix}")


def _message(what: str, name: str, error: OSError) -> str:
    return f"cannot {what} {name}: {cause(error)}"
