"""What happened to the service lately, as its own events 255 tell it: for its status."""

from __future__ import annotations

from collections.abc import Sequence

from pysmon.schema.catalogue import ErrorReport
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.service.finding import Finding

EACH = 5  # of each kind that are kept in mind
_ELSEWHERE = ("CANARY", "CAPABILITY", "OUTPUT", "QUEUE", "RECONCILIATION")  # what other parts of a status tell better
_FINE = ("SERVICE",)  # what is nothing to worry about


class Remembered:
    """The last ones of each kind. One thread notes, any may ask."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._findings: tuple[Finding, ...] = ()  # never changed, only replaced

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The oldest of each kind first; what was told again has the moment of the last time."""
        return self._findings

    def note(self, entries: Sequence[Entry[Event]]) -> None:
        """Look at what goes into the log."""
        for entry in entries:
            event = entry.event
            if isinstance(event, ErrorReport) and event.ID not in _ELSEWHERE + _FINE:
                found = Finding("warn", event.ID.lower(), event.Description, when=entry.time)
                others = [f for f in self._findings if f.about != found.about]
                alike = [f for f in self._findings if f.about == found.about and f.text != found.text]
                self._findings = (*others, *alike[1 - EACH :], found)
