"""The clipboards in a run: whether a policy asks for them, and what becomes of what they tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pysmon.assemble.clipboard import Clips
from pysmon.config.model import Configuration
from pysmon.errors import SensorError
from pysmon.host.archive import Archive
from pysmon.host.hashes import Hashes
from pysmon.pipeline.flow import Flow
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import ClipboardChange
from pysmon.schema.event import Event
from pysmon.sensor.kernel import Count
from pysmon.sensor.tape import TapeWriter

if TYPE_CHECKING:
    from pysmon.sensor.clipboard.watch import ClipboardWatch

FAMILY = "clipboard"


class Clipboards:
    """Starts the clipboard watch if it is asked for, and does without it, saying so, where that is impossible."""

    def __init__(
        self,
        displays: Iterable[Path] | None,
        configuration: Configuration | None,
        ruleset: Ruleset,
        archive: Archive | None = None,
        *,
        whole: bool,
    ) -> None:
        """Before this process has threads, and gives up rights.

        `displays`: those of these sockets; None: all of the machine, if the whole of it is watched (`whole`), else
        none. `archive` takes copies.
        """
        self._archive, self._whole = archive, whole
        self._watch: ClipboardWatch | None = None
        self._trouble = "the service has to be started again for that: it has no right any more to begin with it"
        if displays is None and not whole:
            self._trouble = "only a part of the machine is watched, and a display is of the whole"
        elif asked_for(configuration, ruleset):
            # Not before: it takes memory that who does not ask for it need not spend.
            from pysmon.sensor.clipboard.watch import ClipboardWatch

            try:
                self._watch = ClipboardWatch(displays)
            except SensorError as error:
                self._trouble = f"{error} ({error.hint})" if error.hint else str(error)

    def use(self, configuration: Configuration | None, ruleset: Ruleset) -> None:
        """Watch, or cease to, as these rules ask, as far as that is possible."""
        if self._watch:
            self._watch.want(asked_for(configuration, ruleset))

    def unwatched(self, configuration: Configuration | None) -> str:
        """Why no clipboard is read by this configuration; empty if it is."""
        if not (configuration and configuration.options.capture_clipboard):
            return "the configuration does not say <CaptureClipboard/>"
        return "" if self._watch else self._trouble

    def clips(self, hashes: Hashes, ruleset: Ruleset) -> Clips | None:
        """Who answers for what was in a clipboard; None where nobody can."""
        if self._watch is None:
            return None
        early = "Hashes" in ruleset.reads(ClipboardChange.type.id)
        return Clips(self._watch.content, hashes, self._archive, early=early)

    @property
    def fileno(self) -> int:
        """What becomes readable when there are records; -1 if none can come."""
        return self._watch.fileno() if self._watch else -1

    @property
    def due(self) -> bool:
        """Are there records that `take` gives the next time?"""
        return bool(self._watch and self._watch.waiting)

    def take(
        self, flow: Flow, tape: TapeWriter | None, survive: Callable[[Exception, str], None], *, last: bool = False
    ) -> list[tuple[Event, int]]:
        """The events that the rules keep, with the times of their records; what they do not keep is forgotten.

        Call it after the rings were read; what came since the last time is given the next time, or now if it is the
        `last` one. `survive` is given what a record fails on, and may raise it.
        """
        kept: list[tuple[Event, int]] = []
        if self._watch is None:
            return kept
        if last:
            self._watch.want(False)
        records = self._watch.turn()
        while last and self._watch.waiting:
            records += self._watch.turn()
        for record in records:
            if tape:
                tape.record(record.encode())
            try:
                if self._whole or (record.tgid and flow.knows(record.tgid)):
                    kept += [(event, record.time) for event in flow.take(record)]
                else:
                    flow.skip(record)  # of a process that nobody wants to be watched, or of nobody knows whom
            except Exception as defect:
                survive(defect, FAMILY)
            finally:
                self._watch.release(record.token)
        return kept

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


def asked_for(configuration: Configuration | None, ruleset: Ruleset) -> bool:
    """Does the configuration want clipboards to be read, and can its rules keep the event?"""
    return bool(configuration and configuration.options.capture_clipboard and ruleset.wants(ClipboardChange.type.id))
