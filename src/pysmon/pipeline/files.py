"""The file watch in a run: what a policy asks of it, and what becomes of those that it holds up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from pysmon.assemble.content import Contents
from pysmon.config.model import Options
from pysmon.host.archive import Archive
from pysmon.host.errands import Errands
from pysmon.host.hashes import Hashes
from pysmon.host.texts import Texts
from pysmon.host.triggers.places import HINTS
from pysmon.pipeline.flow import Flow
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import (
    FileBlockExecutable,
    FileBlockShredding,
    FileDelete,
    FileDeleteDetected,
    FileExecutableDetected,
    WmiBinding,
    WmiConsumer,
    WmiFilter,
)
from pysmon.schema.event import Event
from pysmon.sensor.filewatch.start import FilesBegun, begin_files
from pysmon.sensor.filewatch.wire import ALL, KEEP_FROM_OVERWRITING, KEEP_FROM_RUNNING, NAMED, PROGRAMS
from pysmon.sensor.kernel import Count
from pysmon.sensor.records import FileOverwriteRecord, FileWrittenRecord, kernel_path
from pysmon.sensor.tape import TapeWriter

_BITS: dict[type[Event], int] = {
    FileDelete: ALL,
    FileExecutableDetected: PROGRAMS,
    FileBlockExecutable: PROGRAMS | KEEP_FROM_RUNNING,
    FileBlockShredding: KEEP_FROM_OVERWRITING,
    WmiFilter: NAMED,
    WmiConsumer: NAMED,
    WmiBinding: NAMED,
}
_OF_CONTENT = {"Hashes", "IsExecutable"}
FAMILY = "file content"
FileRecord = FileWrittenRecord | FileOverwriteRecord


class Files:
    """Tells the file watch what is asked for, and does without it, saying so, where there is none."""

    def __init__(self, begun: FilesBegun, archive: Archive | None = None, *, whole: bool) -> None:
        """`whole`: the whole machine is watched. `archive` takes copies of files that are removed."""
        self._archive, self._whole, self._everywhere = archive, whole, begun.everywhere
        self._watch = begun.watch
        self.refused, self.unwatched = begun.refused, begun.unwatched

    def use(self, ruleset: Ruleset) -> None:
        """Watch for what these rules ask from now on, as far as that is possible."""
        if self._watch:
            self._watch.want(asked_for(ruleset), HINTS)

    def contents(self, hashes: Hashes, ruleset: Ruleset, options: Options | None) -> Contents | None:
        """Who answers for the content of files; None where nobody can."""
        if self._watch is None:
            return None
        watch = self._watch
        return Contents(
            watch.held,
            hashes,
            catch_up=watch.catch_up,
            reads=ruleset.reads,
            options=options,
            archive=self._archive,
            idle=lambda: watch.idle,
        )

    def texts(self, errands: Errands) -> Texts:
        """Who reads texts that no record holds."""
        held = self._watch.held.find if self._watch else None
        return Texts(errands, held, closes_told=self._watch is not None and self._everywhere)

    @property
    def fileno(self) -> int:
        """What becomes readable when there are records; -1 if none can come."""
        return self._watch.fileno() if self._watch and self._watch.alive else -1

    @property
    def due(self) -> bool:
        """Are there records that `turn` gives the next time?"""
        return bool(self._watch and self._watch.waiting)

    def take(
        self, flow: Flow, tape: TapeWriter | None, survive: Callable[[Exception, str], None], *, last: bool = False
    ) -> list[tuple[Event, int]]:
        """The events that the rules keep, with the times of their records; refuses what the rules want blocked.

        Call it after the rings were read, as FileWatch.turn says; what came since the last time is given the next time.
        `last`: watch for no more, and give all. `survive` is given what a record fails on, and may raise it.
        """
        kept: list[tuple[Event, int]] = []
        for record in self._records(last):
            if tape:
                tape.record(record.encode())
            events: tuple[Event, ...] = ()
            try:
                if self._whole or flow.knows(record.tgid):
                    events = flow.take(record)
                else:
                    flow.skip(record)  # of a process that nobody wants to be watched
            except Exception as defect:
                survive(defect, FAMILY)
            self._settle(record, events)
            kept += [(event, record.time) for event in events]
        return kept

    def _records(self, last: bool) -> list[FileRecord]:
        if self._watch is None:
            return []
        if not last:
            return self._watch.turn()
        self._watch.finish()
        return self._watch.turn() + self._watch.turn()

    def _settle(self, record: FileRecord, events: Iterable[Event]) -> None:
        if self._watch and record.token:
            blocked = any(isinstance(event, (FileBlockExecutable, FileBlockShredding)) for event in events)
            self._watch.settle(record.token, kernel_path(record.path), allow=not blocked)

    def look(self) -> list[str]:
        """Once a second; what went wrong, in words."""
        return self._watch.look() if self._watch else []

    def counts(self) -> dict[str, Count]:
        """What came, and what was lost."""
        return {FAMILY: Count(self._watch.due, self._watch.lost)} if self._watch else {}

    def close(self) -> None:
        """End it."""
        if self._watch:
            self._watch.close()


def files_for(ruleset: Ruleset, mounts: Iterable[Path] | None, *, whole: bool) -> FilesBegun:
    """Begin with what these rules need, as `begin_files` means the rest."""
    return begin_files(mounts, whole=whole, needed=asked_for(ruleset) > 0)


def asked_for(ruleset: Ruleset) -> int:
    """What the file watch must tell for these rules (bits of filewatch/wire.py); 0: it is not needed."""
    wanted = 0
    for kind, bits in _BITS.items():
        wanted |= bits if ruleset.wants(kind.type.id) else 0
    # Every file that is written passes through two processes then: for event 26 that must be asked for.
    detected = FileDeleteDetected.type.id
    return wanted | (ALL if ruleset.wants(detected) and _OF_CONTENT & ruleset.reads(detected) else 0)
