"""EVTX files of our own making, to read and to damage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.formats.entries import any_event

from pysmon.formats.evtx.layout import CHUNK_SIZE, FILE_HEADER_SIZE
from pysmon.formats.linux_xml import CHANNEL, PROVIDER, PROVIDER_GUID
from pysmon.schema.catalogue import ProcessCreate
from pysmon.schema.entry import Entry, Foreign, Origin
from pysmon.schema.event import EVENTS, Event
from pysmon.sinks.evtx import EvtxFileSink

FIELDS = tuple(f.name for f in ProcessCreate.type.fields)
ORIGIN = Origin("IEWIN7.lab", 1912, 996, 0, Foreign(PROVIDER, PROVIDER_GUID, CHANNEL, "S-1-5-18", 5, FIELDS))
TIME = 1556380673_368_863_200  # 2019-04-27T15:57:53.368863200Z
LARGE = 6000  # characters of a command line: ten such events fill a chunk


def creations(count: int, length: int = 0) -> list[Entry[Event]]:
    """Creations with the record ids 1, 2, ...; the command lines have at least that length."""
    return [
        Entry(
            number,
            TIME,
            any_event(
                EVENTS[1],
                UtcTime="2019-04-27 15:57:53.368",
                LogonId="0x3e7",
                Image=f"C:\\Windows\\{number}.exe",
                CommandLine=f"run {number} {'x' * length}",
            ),
            ORIGIN,
        )
        for number in range(1, count + 1)
    ]


def evtx(path: Path, entries: Sequence[Entry[Event]]) -> Path:
    """A file with these entries."""
    sink = EvtxFileSink(path)
    sink.write(entries)
    sink.close()
    return path


def chunk_at(number: int) -> int:
    """Where in a file a chunk begins; the first is 1."""
    return FILE_HEADER_SIZE + (number - 1) * CHUNK_SIZE
