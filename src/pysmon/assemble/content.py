"""What is in a file that was written or removed: its hashes, whether it is a program, and a copy in the archive."""

from __future__ import annotations

import os
from collections.abc import Callable
from posixpath import basename, splitext

from pysmon.config.model import Options
from pysmon.host.archive import Archive
from pysmon.host.hashes import Hashes
from pysmon.layout.record import Record
from pysmon.schema.catalogue import (
    FileBlockExecutable,
    FileBlockShredding,
    FileDelete,
    FileDeleteDetected,
    FileExecutableDetected,
)
from pysmon.schema.event import Event
from pysmon.sensor.filewatch.held import HeldFiles, is_program
from pysmon.sensor.records import FileDeleteRecord, FileOverwriteRecord, FileWrittenRecord

# Of the same records events about persistence may come, which say nothing of content.
OF_CONTENT = (FileDelete, FileDeleteDetected, FileBlockExecutable, FileBlockShredding, FileExecutableDetected)
_Event = FileDelete | FileDeleteDetected | FileBlockExecutable | FileBlockShredding | FileExecutableDetected
_RECORDS = (FileDeleteRecord, FileOverwriteRecord, FileWrittenRecord)
_NOT_HELD = "false - it was not seen to be written or run"
_HAS_NAMES = "false - it has other names still"


class Contents:
    """Asks files that are held open. `catch_up` waits, a moment at most, for those that were closed just now."""

    def __init__(
        self,
        held: HeldFiles,
        hashes: Hashes,
        *,
        catch_up: Callable[[], object],
        reads: Callable[[int], frozenset[str]],
        options: Options | None = None,
        archive: Archive | None = None,
        idle: Callable[[], bool] = lambda: False,
    ) -> None:
        """`reads` tells by event id which fields the rules read; `options` say what is worth a copy.

        `idle`: is nothing held, and can nothing come that is?
        """
        self._held, self._hashes, self._catch_up = held, hashes, catch_up
        self._is_idle = idle
        self._reads, self._options, self._archive = reads, options or Options(), archive
        self._last: tuple[Record, str] | None = None  # two events may come of one record

    def holds(self, device: int, inode: int, path: str) -> bool:
        """Is a file held that was removed? If it may be on its way, that is waited for, once for all of a batch."""
        if self._is_idle():
            return False
        self._catch_up()
        return bool(self._held.find(device, inode, path))

    def decides(self, event_id: int) -> bool:
        """Do the rules read of these events what only the content tells?"""
        return bool(self._reads(event_id) & {"Hashes", "IsExecutable"})

    def early(self, event: Event, record: Record) -> None:
        """Before the verdict, if that hangs on it."""
        if isinstance(event, OF_CONTENT) and isinstance(record, _RECORDS) and self.decides(event.type.id):
            self._add(event, record)

    def late(self, event: Event, record: Record) -> None:
        """Once the event is kept: what is missing, and the copy."""
        if isinstance(event, OF_CONTENT[2:]) and isinstance(record, (FileOverwriteRecord, FileWrittenRecord)):
            self._add(event, record)
        elif isinstance(record, FileDeleteRecord) and isinstance(event, (FileDelete, FileDeleteDetected)):
            self._add(event, record)
            if isinstance(event, FileDelete) and self._archive and self._is_worth(event):
                event.Archived = self._archived(event, record, self._archive)

    def _add(self, event: _Event, record: FileDeleteRecord | FileOverwriteRecord | FileWrittenRecord) -> None:
        path = self._path(record, event)
        if not path or event.Hashes != "-":
            return
        made = self._hashes.of(path)
        event.Hashes = made.text
        if made.skipped:
            event.extra = {**(event.extra or {}), "HashesSkipped": made.skipped}
        if isinstance(event, (FileDelete, FileDeleteDetected)):
            event.IsExecutable = is_program(path)

    def _path(self, record: FileDeleteRecord | FileOverwriteRecord | FileWrittenRecord, event: Event) -> str:
        if self._last and self._last[0] is record:
            return self._last[1]
        name = str(getattr(event, "TargetFilename", ""))
        path = self._held.find(record.device, record.inode, name)
        if not path and isinstance(record, FileDeleteRecord):
            self._catch_up()
            path = self._held.find(record.device, record.inode, name)
        self._last = (record, path)
        return path

    def _archived(self, event: FileDelete, record: FileDeleteRecord, archive: Archive) -> str:
        path = self._path(record, event)
        if not path:
            return _NOT_HELD
        try:
            if os.stat(path).st_nlink:
                return _HAS_NAMES
        except OSError:
            return _NOT_HELD
        return archive.keep(path, event.Hashes, event.TargetFilename)

    def _is_worth(self, event: FileDelete) -> bool:
        """What CopyOnDelete* ask for; without any of them, everything that the rules keep."""
        options = self._options
        wishes = (
            options.copy_on_delete_pe,
            options.copy_on_delete_extensions,
            options.copy_on_delete_processes,
            options.copy_on_delete_sids,
        )
        if not any(wishes):
            return True
        extension = splitext(event.TargetFilename)[1].lstrip(".").lower()
        return (
            bool(options.copy_on_delete_pe and event.IsExecutable)
            or extension in [e.lstrip("*.").lower() for e in options.copy_on_delete_extensions or ()]
            or any(p in (event.Image, basename(event.Image)) for p in options.copy_on_delete_processes or ())
            or event.User in (options.copy_on_delete_sids or ())
        )
