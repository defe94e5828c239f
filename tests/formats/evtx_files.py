"""EVTX files for tests, written by our sink."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.formats.evtx_readers import READERS, Seen, shown_by
from tests.formats.evtx_written import expected

from pysmon.formats.evtx.layout import CHUNK_SIZE, FILE_HEADER_SIZE, ChunkHeader
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.evtx import EvtxFileSink


def written(path: Path, entries: Sequence[Entry[Event]]) -> Path:
    """A file with these entries."""
    sink = EvtxFileSink(path)
    sink.write(entries)
    sink.close()
    return path


def numbered(entries: Sequence[Entry[Event]], first: int = 1) -> list[Entry[Event]]:
    """The entries with record ids that follow each other."""
    return [entry._replace(record_id=number) for number, entry in enumerate(entries, first)]


def headers(path: Path) -> list[ChunkHeader]:
    """The headers of the chunks of a file."""
    data = path.read_bytes()
    return [ChunkHeader.unpack(data[at:]) for at in range(FILE_HEADER_SIZE, len(data) - 511, CHUNK_SIZE)]


def differences(reader: str, path: Path, entries: Sequence[Entry[Event]]) -> list[str]:
    """In what a reader shows anything else than these entries."""
    seen: list[Seen] = list(READERS[reader](path))
    words = [
        f"record {number}: {word}"
        for number, (entry, found) in enumerate(zip(entries, seen, strict=False), 1)
        for word in shown_by(reader, expected(entry)).differs(found)
    ]
    return words if len(seen) == len(entries) else [*words, f"{len(seen)} records, not {len(entries)}"]
