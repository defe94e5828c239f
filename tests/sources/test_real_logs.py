"""Real logs: nothing in them is lost, and what is read is what other readers read."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import shared_files

from pysmon.formats.logged import logged
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sources.found import entry_of
from pysmon.sources.open import open_sources
from pysmon.sources.source import Tally
from pysmon.sources.windows_xml import found_in

Shared = Callable[[str], Path]
SYSMON = "Microsoft-Windows-Sysmon"


def test_no_event_of_a_large_set_is_lost(shared: Shared) -> None:
    folder = shared("data/json")
    counted: Counter[tuple[str, int]] = Counter()
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.startswith("__MACOSX"):
                    rows = [json.loads(line) for line in archive.read(name).splitlines() if line.strip()]
                    counted.update((path.name, r["EventID"]) for r in rows if r["SourceName"] == SYSMON)
    read: Counter[tuple[str, int]] = Counter()
    told = Tally()
    for source in open_sources([folder]):
        assert source.form == "nxlog"
        path_name = Path(source.name.split(": ")[0]).name
        read.update((path_name, entry.event.type.id) for entry in source.entries())
        told.add(source.tally)
    assert read == counted
    assert counted.total() == told.entries == 120_529
    assert (told.damages, told.unknown_events, told.odd_values, told.unknown_fields) == (0, {}, {}, {})


@pytest.mark.parametrize("path", shared_files("data/evtx/*.evtx"))
def test_an_evtx_file_is_read_as_the_reader_in_rust_reads_it(path: Path) -> None:
    rust: Any = pytest.importorskip("evtx", reason="the package evtx is not there")
    theirs: list[Entry[Event]] = []
    gave_up = ""
    try:
        for record in rust.PyEvtxParser(str(path), number_of_threads=1).records():
            entry = entry_of(found_in(record["data"]), Tally())
            assert entry is not None
            theirs.append(entry)
    except RuntimeError as reason:  # it gives up at a chunk that is none; what it read stays
        gave_up = str(reason)
    assert gave_up == "" or "Invalid EVTX chunk header magic" in gave_up
    (source,) = open_sources([path])
    ours = list(source.entries())
    assert [e.record_id for e in ours] == [e.record_id for e in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert told(one) == told(other)


def told(entry: Entry[Event]) -> dict[str, object]:
    """What both can tell: Rust cuts times to microseconds, and leaves out halves of characters."""
    values = {f.name: getattr(entry.event, f.name) for f in entry.event.type.fields}
    for name, value in values.items():
        if isinstance(value, str):
            values[name] = "".join(c for c in value if not "\ud800" <= c <= "\udfff")
    return {**values, "time": entry.time // 1000, "logged": logged(entry) // 1000, "origin": entry.origin}


def test_a_damaged_file_costs_what_is_damaged(shared: Shared) -> None:
    (source,) = open_sources([shared("data/evtx/omerbenamram-sysmon.evtx")])
    assert len(list(source.entries())) == 358
    first = source.tally.damaged[0]
    assert first.place == "chunk 10 at byte 0x91000"
    assert "expected ElfChnk" in first.why


@pytest.mark.parametrize("path", shared_files("data/linux/event-*.xml"))
def test_lines_of_sysmon_for_linux_are_all_read(path: Path) -> None:
    (source,) = open_sources([path])
    entries = list(source.entries())
    assert source.form == "linux"
    assert {entry.event.type.id for entry in entries} == {int(path.stem[-3:])}
    assert len(entries) == path.read_bytes().count(b"<Event>")
    assert source.tally.words() == []


def test_files_that_are_no_logs_are_left_out(shared: Shared) -> None:
    names = {Path(source.name).suffix for source in open_sources([shared("data/linux")])}
    assert names == {".xml"}
