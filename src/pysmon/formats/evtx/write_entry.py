"""Entries as records of an EVTX file, in the form in which Windows writes those of Sysmon.

A record has two templates: the envelope (`<System>`), which holds the name of the computer and eighteen values, and
within it the event's own (`<EventData>`), with the types that Sysmon's manifest declares. A value that its declared
type cannot show as it is (LogonId is decimal on Linux) is written as another type, under another template.

Whose log an entry comes from is kept: provider, channel, account, version, and the fields that it had. pysmon's own
entries bear the names of Sysmon for Linux, as its XML lines do.
"""

from __future__ import annotations

from dataclasses import dataclass

from pysmon.formats.evtx.layout import filetime
from pysmon.formats.evtx.write import LARGEST, Row
from pysmon.formats.evtx.write_data import EventData
from pysmon.formats.evtx.write_envelope import Envelope
from pysmon.formats.logged import logged
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import EVENTS, Event

_MOST_KEPT = 4096  # plans
_SMALL = 40_000  # bytes of values that fit into any chunk, whatever the template and the name of the computer
_U64 = (1 << 64) - 1


@dataclass(slots=True)
class Cuts:
    """What did not fit into records. Each such field ends in `... [123 characters cut]`."""

    records: int = 0
    characters: int = 0
    last: str = ""  # the latest one in words


@dataclass(frozen=True, slots=True)
class _Plan:
    origin: Origin  # held, so that no other one has its identity
    envelope: Envelope
    data: EventData


class Rows:
    """Makes rows of entries. It remembers the kinds of entries, of which there are few, and counts what it cut."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.cuts = Cuts()
        self._plans: dict[tuple[int, int], _Plan] = {}
        self._data: dict[tuple[int, tuple[str, ...] | None], EventData] = {}

    def of(self, entry: Entry[Event], record_id: int) -> tuple[Row, int]:
        """The row of an entry, to be logged under that id, and the FILETIME of its logging."""
        event, origin = entry.event, entry.origin
        plan = self._plans.get((id(origin), event.type.id)) or self._plan(origin, event.type.id)
        written = min(max(filetime(logged(entry)), 0), _U64)
        foreign = origin.foreign is not None
        template, values = plan.data.of(event, foreign=foreign)
        envelope = plan.envelope
        row = Row(envelope.template, envelope.before, envelope.after(written, record_id), template, values)
        if len(values) > _SMALL and row.most > LARGEST:
            template, values, cuts = plan.data.cut(event, foreign=foreign, excess=row.most - LARGEST)
            row = row._replace(nested=template, values=values)
            self.cuts.records += 1
            self.cuts.characters += sum(cut.characters for cut in cuts)
            told = ", ".join(f"{cut.characters} characters of {cut.field}" for cut in cuts)
            self.cuts.last = f"event {event.type.id}, record {record_id}: {told}"
        return row, written

    def _plan(self, origin: Origin, event_id: int) -> _Plan:
        fields = origin.foreign.fields if origin.foreign else None
        data = self._data.get((event_id, fields))
        if data is None:
            if len(self._data) >= _MOST_KEPT:
                self._data.clear()
            data = self._data[event_id, fields] = EventData(event_id, fields)
        if len(self._plans) >= _MOST_KEPT:
            self._plans.clear()
        made = self._plans[id(origin), event_id] = _Plan(origin, Envelope.of(origin, EVENTS[event_id]), data)
        return made
