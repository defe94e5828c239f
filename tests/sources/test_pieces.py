"""A log in pieces is the log: the same events in the same order, and damages at the same places."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.formats.entries import entry
from tests.rules.build import event

from pysmon.formats.evtx.layout import CHUNK_SIZE, FILE_HEADER_SIZE
from pysmon.formats.json_line import json_line
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.evtx import EvtxFileSink
from pysmon.sources.open import open_sources
from pysmon.sources.pieces import pieces
from pysmon.sources.source import Source, Tally

CHUNKS = 6


@pytest.fixture
def evtx(tmp_path: Path) -> Path:
    path = tmp_path / "log.evtx"
    sink = EvtxFileSink(path)
    sink.write([entry(event(CommandLine="x" * 3000), n) for n in range(1, 60)])
    sink.close()
    assert path.stat().st_size >= FILE_HEADER_SIZE + CHUNKS * CHUNK_SIZE
    return path


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "log.json"
    path.write_bytes(b"".join(json_line(entry(event(), n)) + b"\n" for n in range(1, 100)))
    return path


def opened(path: Path) -> Source:
    (source,) = open_sources([path])
    return source


def whole(path: Path) -> tuple[list[Entry[Event]], Tally]:
    source = opened(path)
    return list(source.entries()), source.tally


def in_pieces(path: Path, size: int) -> tuple[list[Entry[Event]], Tally, int]:
    made = pieces(opened(path), size)
    assert sum(piece.size for piece in made) == path.stat().st_size
    entries: list[Entry[Event]] = []
    tally = Tally()
    for piece in made:
        entries += piece.source.entries()
        tally.add(piece.tally)
    return entries, tally, len(made)


@pytest.mark.parametrize("size", [1, CHUNK_SIZE, 2 * CHUNK_SIZE, 100 * CHUNK_SIZE])
def test_an_evtx_file_is_cut_between_chunks(evtx: Path, size: int) -> None:
    entries, tally, count = in_pieces(evtx, size)
    assert (entries, tally) == whole(evtx)
    assert (count > 2) is (size <= 2 * CHUNK_SIZE)


@pytest.mark.parametrize("size", [1, 700, 5000, 1 << 20])
def test_lines_are_cut_between_lines(lines: Path, size: int) -> None:
    entries, tally, count = in_pieces(lines, size)
    assert (entries, tally) == whole(lines)
    assert (count > 2) is (size <= 5000)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_damaged_chunk_is_told_where_it_is(evtx: Path, chunk: int) -> None:
    data = bytearray(evtx.read_bytes())
    at = FILE_HEADER_SIZE + chunk * CHUNK_SIZE
    data[at + 700 : at + 1500] = bytes(800)
    evtx.write_bytes(data)
    entries, tally, _ = in_pieces(evtx, CHUNK_SIZE)
    assert (entries, tally) == whole(evtx)
    assert tally.damaged[0].place.startswith(f"chunk {chunk + 1} at byte {at:#x}")


def test_chunks_that_the_header_knows_and_that_are_empty_are_told_and_others_are_not(evtx: Path) -> None:
    data = bytearray(evtx.read_bytes())
    data[FILE_HEADER_SIZE + 3 * CHUNK_SIZE :][:CHUNK_SIZE] = bytes(CHUNK_SIZE)
    at = FILE_HEADER_SIZE + 3 * CHUNK_SIZE
    data[at : at + CHUNK_SIZE] = bytes(CHUNK_SIZE)
    evtx.write_bytes(data + bytes(2 * CHUNK_SIZE))
    entries, tally, _ = in_pieces(evtx, CHUNK_SIZE)
    assert (entries, tally) == whole(evtx)
    assert [damage.place for damage in tally.damaged] == [f"chunk 4 at byte {at:#x}"]


def test_a_damaged_line_is_told_where_it_is(lines: Path) -> None:
    data = lines.read_bytes().splitlines(keepends=True)
    for n in (1, 40, 97):
        data[n] = b"{no\n"
    lines.write_bytes(b"".join(data))
    entries, tally, count = in_pieces(lines, 2000)
    assert (entries, tally) == whole(lines)
    assert count > 5
    assert [damage.place for damage in tally.damaged] == ["line 2", "line 41", "line 98"]


def test_what_cannot_be_cut_is_one_piece(tmp_path: Path, lines: Path, evtx: Path) -> None:
    headless = tmp_path / "headless.evtx"
    headless.write_bytes(evtx.read_bytes()[FILE_HEADER_SIZE:])
    (source,) = open_sources([headless])
    assert len(pieces(source, 1)) == 1
    array = tmp_path / "array.json"
    array.write_bytes(b"[" + b",".join(lines.read_bytes().splitlines()) + b"]")
    for source in open_sources([array], "pysmon"):
        assert len(pieces(source, 1)) == 1
