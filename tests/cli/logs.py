"""Logs to read in tests: the same entries as a file of JSON lines and as a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pysmon.formats.json_line import json_line
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.store import StoreSink

KINDS = ("--from", "--store")


def written(kind: str, folder: Path, entries: Sequence[Entry[Event]]) -> tuple[str, Path]:
    """The options that name a log with these entries."""
    path = folder / "log"
    if kind == "--from":
        path.write_bytes(b"".join(json_line(entry) + b"\n" for entry in entries))
    else:
        sink = StoreSink(path)
        sink.write(entries)
        sink.close()
    return kind, path
