"""EVTX: what is written is read again, fast or slow, whole or damaged."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.formats.entries import any_event
from tests.sources.evtx_files import LARGE, ORIGIN, TIME, chunk_at, creations, evtx

from pysmon.formats.evtx.layout import CHUNK_SIZE, FILE_HEADER_SIZE, RECORD, ChunkHeader, filetime
from pysmon.formats.evtx.read_template import Definitions
from pysmon.formats.logged import logged
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sources.evtx_odd import found_at
from pysmon.sources.found import entry_of
from pysmon.sources.open import open_sources
from pysmon.sources.source import Source, Tally

TIME_BYTES = filetime(TIME).to_bytes(8, "little")


def opened(path: Path) -> Source:
    (source,) = open_sources([path])
    assert source.form == "evtx"
    return source


@pytest.fixture
def three_chunks(tmp_path: Path) -> Path:
    path = evtx(tmp_path / "x.evtx", creations(12, LARGE))
    assert path.stat().st_size == chunk_at(4)
    return path


def damaged(path: Path, change: Callable[[bytearray], object]) -> tuple[list[int], list[str]]:
    """The record ids that are still read, and what is told."""
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    source = opened(path)
    return [entry.record_id for entry in source.entries()], [str(damage) for damage in source.tally.damaged]


def put(data: bytearray, at: int, piece: bytes) -> None:
    data[at : at + len(piece)] = piece


def test_every_event_type_is_read_as_it_was_written(tmp_path: Path) -> None:
    entries: list[Entry[Event]] = []
    for number, made in enumerate(EVENTS.values(), 1):
        foreign = ORIGIN.foreign
        assert foreign is not None
        fields = tuple(f.name for f in made.fields)
        values = {f.name: "0x1f" for f in made.fields if f.kind.name.startswith("hex")}
        values |= {f.name: "2019-04-27 15:57:53.368" for f in made.fields if f.kind.name == "time"}
        said = foreign.__class__(foreign.provider, foreign.guid, foreign.channel, foreign.user, made.version, fields)
        origin = ORIGIN.__class__(ORIGIN.computer, 1912, 996, 0, said)
        entries.append(Entry(number, TIME, any_event(made, **values), origin))
    assert list(opened(evtx(tmp_path / "x.evtx", entries)).entries()) == entries


def test_odd_texts_are_read_as_they_were_written(tmp_path: Path) -> None:
    texts = ["", "-", "ä🜚\U0010ffff", "a\tb\r\nc", " x ", "%%1", "{365abb72-7c01-5cc4-0000-00102b3e0c00}", "z" * 20000]
    entries = [
        Entry(n, TIME, any_event(EVENTS[1], UtcTime="2019-04-27 15:57:53.368", LogonId="0x3e7", CommandLine=t), ORIGIN)
        for n, t in enumerate(texts, 1)
    ]
    read = opened(evtx(tmp_path / "x.evtx", entries)).entries()
    assert [entry.event.text("CommandLine") for entry in read] == texts


def test_a_logon_that_is_a_user_id_of_linux_stays_decimal(tmp_path: Path) -> None:
    event = any_event(EVENTS[1], UtcTime="2019-04-27 15:57:53.368", LogonId="1000")
    (read,) = opened(evtx(tmp_path / "x.evtx", [Entry(1, TIME, event, ORIGIN)])).entries()
    assert read.event.text("LogonId") == "1000"


def test_the_slow_way_and_the_fast_way_read_the_same(tmp_path: Path) -> None:
    decimal = any_event(EVENTS[1], UtcTime="2019-04-27 15:57:53.368", LogonId="1000")
    path = evtx(tmp_path / "x.evtx", [*creations(2), Entry(3, TIME, decimal, ORIGIN)])
    data = path.read_bytes()[FILE_HEADER_SIZE:]
    fast = list(opened(path).entries())
    at, tally = 512, Tally()
    for entry in fast:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found = found_at(data, at + RECORD.size, at + size, Definitions())
        assert entry_of(found, tally) == entry
        at += size
    assert tally.entries == len(fast) == 3


def test_rows_hold_what_is_wanted_and_make_the_entry(tmp_path: Path) -> None:
    source = opened(evtx(tmp_path / "x.evtx", creations(20, LARGE)))
    rows = list(source.rows({1: ("CommandLine", "ProcessId", "Image"), 3: ("Image",)}))
    assert rows[-1][:2] == (1, (f"run 20 {'x' * LARGE}", 7, "C:\\Windows\\20.exe"))
    assert source.tally.entries == 20
    made = [make() for _, _, make in rows]  # long after their chunks were read
    assert made == list(source.entries()) == creations(20, LARGE)


def test_a_field_that_the_log_does_not_have_is_not_known(tmp_path: Path) -> None:
    foreign = ORIGIN.foreign
    assert foreign is not None
    without = tuple(name for name in foreign.fields or () if name not in ("ParentUser", "ParentProcessId"))
    said = foreign.__class__(foreign.provider, foreign.guid, foreign.channel, foreign.user, 5, without)
    old = Entry(1, TIME, creations(1)[0].event, ORIGIN.__class__("old", 1, 1, 0, said))
    source = opened(evtx(tmp_path / "x.evtx", [old, *creations(1)]))
    wanted = {1: ("ParentUser", "ParentProcessId")}
    assert [values for _, values, _ in source.rows(wanted)] == [("-", None), ("-", 7)]
    first, _ = source.entries()
    assert first.origin.foreign is not None
    assert first.origin.foreign.fields == without


def test_a_chunk_that_is_none_costs_that_chunk(three_chunks: Path) -> None:
    header = ChunkHeader.unpack(three_chunks.read_bytes()[chunk_at(2) :])
    ids, told = damaged(three_chunks, lambda data: put(data, chunk_at(2), bytes(100)))
    assert ids == [*range(1, header.first_id), *range(header.last_id + 1, 13)]
    assert 0 < len(ids) < 12
    assert len(told) == 1
    assert told[0].startswith(f"chunk 2 at byte {chunk_at(2):#x}: no chunk: ")


def test_a_torn_record_costs_that_record(three_chunks: Path) -> None:
    second = chunk_at(1) + 512 + int.from_bytes(three_chunks.read_bytes()[chunk_at(1) + 516 :][:4], "little")
    ids, told = damaged(three_chunks, lambda data: put(data, second + 4, (99992).to_bytes(4, "little")))
    assert ids == [1, *range(3, 13)]
    assert told[0].endswith("the checksum of its records is wrong; read as far as it goes")
    assert f"record at {second - chunk_at(1):#x}: a record of 99992 bytes (expected 28 to " in told[1]


def test_a_record_whose_sizes_differ_is_told_with_both(three_chunks: Path) -> None:
    first = chunk_at(1) + 512
    size = int.from_bytes(three_chunks.read_bytes()[first + 4 : first + 8], "little")
    ids, told = damaged(three_chunks, lambda data: put(data, first + size - 4, bytes(4)))
    assert ids == list(range(2, 13))
    assert f"a torn record: its size is {size} at its beginning and 0 at its end" in told[1]


def test_a_header_that_knows_of_too_few_chunks_is_not_believed(three_chunks: Path) -> None:
    def forget(data: bytearray) -> None:
        put(data, 42, (1).to_bytes(2, "little"))
        put(data, 120, (1).to_bytes(4, "little"))  # dirty
        put(data, 124, zlib.crc32(data[:120]).to_bytes(4, "little"))

    assert damaged(three_chunks, forget) == (list(range(1, 13)), [])


def test_a_file_without_its_header_is_read(three_chunks: Path) -> None:
    ids, told = damaged(three_chunks, lambda data: put(data, 0, bytes(4096)))
    assert (ids, len(told)) == (list(range(1, 13)), 1)
    ids, told = damaged(three_chunks, lambda data: data.__delitem__(slice(0, 4096)))
    assert (ids, len(told)) == (list(range(1, 13)), 1)


def test_chunks_that_are_out_of_place_are_found(three_chunks: Path) -> None:
    ids, told = damaged(three_chunks, lambda data: data.__setitem__(slice(chunk_at(2), chunk_at(2)), b"noise" * 100))
    assert ids == list(range(1, 13))
    assert told == [
        f"chunk 2 at byte {chunk_at(2):#x}: no chunk: it begins with 6e 6f 69 73 65 6e 6f 69 (expected ElfChnk)"
    ]


def test_what_is_cut_off_is_told_and_the_rest_is_read(three_chunks: Path) -> None:
    ids, told = damaged(three_chunks, lambda data: data.__delitem__(slice(chunk_at(2) + 30000, None)))
    assert ids[:5] == [1, 2, 3, 4, 5]
    assert 5 < len(ids) < 10
    assert told[0] == f"chunk 2 at byte {chunk_at(2):#x}: cut off: 30000 bytes (expected {CHUNK_SIZE})"


def test_empty_chunks_at_the_end_are_no_damage(three_chunks: Path) -> None:
    assert damaged(three_chunks, lambda data: data.extend(bytes(3 * CHUNK_SIZE))) == (list(range(1, 13)), [])


def test_an_empty_chunk_that_the_header_counts_is_told(three_chunks: Path) -> None:
    _, told = damaged(three_chunks, lambda data: put(data, chunk_at(2), bytes(CHUNK_SIZE)))
    assert told == [f"chunk 2 at byte {chunk_at(2):#x}: empty: nothing but zeros (expected ElfChnk)"]


def test_a_file_without_chunks_is_empty(tmp_path: Path) -> None:
    source = opened(evtx(tmp_path / "x.evtx", []))
    assert list(source.entries()) == []
    assert source.tally.words() == []


def test_a_time_that_is_none_is_told_as_it_stands(three_chunks: Path) -> None:
    data = bytearray(three_chunks.read_bytes())
    at = data.index(TIME_BYTES, chunk_at(1) + 512 + RECORD.size)
    put(data, at, bytes([255]) * 8)
    three_chunks.write_bytes(data)
    first = next(iter(opened(three_chunks).entries()))
    assert first.event.extra == {"TimeCreated": "0xffffffffffffffff"}
    assert logged(first) == first.time == TIME - TIME % 1_000_000
