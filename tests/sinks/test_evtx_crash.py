"""EVTX files whose writer was stopped by force, or that were cut: what is whole is read, and appended to."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.formats.entries import create
from tests.formats.evtx_files import headers, numbered, written
from tests.formats.evtx_readers import READERS, Seen
from tests.formats.evtx_written import expected

from pysmon.formats.evtx.layout import CHUNK_HEADER_SIZE, CHUNK_SIZE, FILE_HEADER_SIZE, FileHeader
from pysmon.sinks.evtx import EvtxFileSink

EACH_READER = pytest.mark.parametrize("reader", READERS)
WRITER = """
import itertools, os, pathlib, sys
from tests.formats.entries import create
from pysmon.sinks.evtx import EvtxFileSink
sink, sizes = EvtxFileSink(pathlib.Path(sys.argv[1])), itertools.cycle([1, 2, 40, 3, 300])
number = 0
while True:
    batch = [create(CommandLine=f"number {n} " + "x" * (n % 900))._replace(record_id=n)
             for n in range(number + 1, number + 1 + next(sizes))]
    sink.write(batch)
    number += len(batch)
    os.write(1, b"%d\\n" % number)
"""


def seen_by(reader: str, path: Path) -> list[Seen]:
    """What a reader shows until it gives up."""
    found: list[Seen] = []
    with suppress(RuntimeError, KeyError, IndexError, ValueError, AttributeError, OSError):
        found.extend(READERS[reader](path))
    return found


def stopped_writer(path: Path, after: int) -> int:
    """Let another process write until it has said `after` times how many entries are in, kill it, and say how many."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        cwd=ROOT,
    )
    assert writer.stdout is not None
    said = b""
    while said.count(b"\n") < after:
        piece = os.read(writer.stdout.fileno(), 4096)
        assert piece, "the writer ended by itself"
        said += piece
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    while select.select([writer.stdout], [], [], 0)[0] and (piece := os.read(writer.stdout.fileno(), 65536)):
        said += piece
    writer.stdout.close()
    return int(said.split(b"\n")[-2])


@pytest.mark.parametrize("after", [1, 2, 3, 7, 20, 33, 60])
def test_what_a_killed_writer_had_written_can_be_read_and_appended_to(after: int, tmp_path: Path) -> None:
    path = tmp_path / "a.evtx"
    acknowledged = stopped_writer(path, after)
    assert FileHeader.unpack(path.read_bytes()).dirty
    for reader in ("evtx", "libevtx"):
        shown = [int(seen.system["EventRecordID"]) for seen in seen_by(reader, path)]
        assert len(shown) >= acknowledged
        assert shown == list(range(1, len(shown) + 1))

    sink = EvtxFileSink(path)
    sink.write(numbered([create(CommandLine="after the crash")]))
    sink.close()
    after_it = seen_by("evtx", path)
    assert len(after_it) > acknowledged
    assert [int(seen.system["EventRecordID"]) for seen in after_it] == list(range(1, len(after_it) + 1))
    assert ("CommandLine", "after the crash") in after_it[-1].data
    assert all(header.sound for header in headers(path))


@EACH_READER
def test_a_file_that_is_cut_anywhere_reads_up_to_its_last_whole_chunk(reader: str, tmp_path: Path) -> None:
    entries = numbered([create(CommandLine=f"{n}" + "x" * 3000) for n in range(60)])
    path = written(tmp_path / "a.evtx", entries)
    data, chunks = path.read_bytes(), headers(path)
    assert len(chunks) > 5
    dice = random.Random(5)
    edges = [FILE_HEADER_SIZE + n * CHUNK_SIZE + by for n in (1, 3) for by in (-1, 0, 1, CHUNK_HEADER_SIZE)]
    for at in [*edges, *(dice.randrange(FILE_HEADER_SIZE, len(data)) for _ in range(8))]:
        path.write_bytes(data[:at])
        whole = (at - FILE_HEADER_SIZE) // CHUNK_SIZE
        count = chunks[whole - 1].last_number if whole else 0
        shown = seen_by(reader, path)
        assert len(shown) >= count
        for entry, seen in zip(entries, shown, strict=False):
            assert expected(entry).differs(seen) == []


def test_a_file_that_is_cut_anywhere_is_appended_to_behind_its_last_whole_chunk(tmp_path: Path) -> None:
    path = written(tmp_path / "a.evtx", numbered([create(CommandLine=f"{n}" + "x" * 3000) for n in range(60)]))
    data, chunks = path.read_bytes(), headers(path)
    dice = random.Random(6)
    for at in [0, 5000, FILE_HEADER_SIZE + 2 * CHUNK_SIZE, *(dice.randrange(5000, len(data)) for _ in range(20))]:
        path.write_bytes(data[:at])
        whole = max(at - FILE_HEADER_SIZE, 0) // CHUNK_SIZE
        count = chunks[whole - 1].last_number if whole else 0
        sink = EvtxFileSink(path)
        told = sink.remarks()
        assert bool(told) == (at > FILE_HEADER_SIZE + whole * CHUNK_SIZE)
        assert all("were no whole chunk" in line for line in told)
        sink.write(numbered([create(), create()]))
        sink.close()
        shown = [int(seen.system["EventRecordID"]) for seen in seen_by("evtx", path)]
        assert shown == list(range(1, count + 3))


@EACH_READER
def test_a_last_chunk_with_a_wrong_checksum_is_written_over(reader: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.evtx", numbered([create(CommandLine=f"{n}" + "x" * 3000) for n in range(30)]))
    chunks = headers(path)
    data = bytearray(path.read_bytes())
    data[FILE_HEADER_SIZE + (len(chunks) - 1) * CHUNK_SIZE + 900] ^= 1
    path.write_bytes(data)
    sink = EvtxFileSink(path)
    assert "65536 bytes were no whole chunk" in sink.remarks()[0]
    sink.write([create(CommandLine="new")])
    sink.close()
    shown = seen_by(reader, path)
    assert len(shown) == chunks[-2].last_number + 1
    assert ("CommandLine", "new") in shown[-1].data
