"""What three readers show of the EVTX files that we write."""

from __future__ import annotations

import zlib
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import shared_files
from tests.formats.entries import ORIGIN, any_event, create, entry
from tests.formats.evtx_files import differences, headers, numbered, written
from tests.formats.evtx_readers import READERS, by_evtx

from pysmon.formats.evtx.layout import CHUNK_HEADER_SIZE, CHUNK_SIZE, FILE_HEADER_SIZE, FileHeader
from pysmon.schema.catalogue import ProcessCreate, ProcessTerminate
from pysmon.schema.entry import Entry, Foreign, Origin
from pysmon.schema.event import EVENTS, Event
from pysmon.sources.open import open_sources

ENDS = (0, 0xF600, 0xFF80)  # of a plane: where the first characters lie, and the last
EACH_READER = pytest.mark.parametrize("reader", READERS)
SYSMON = Foreign(
    provider="Microsoft-Windows-Sysmon",
    guid="{5770385f-c22a-43e0-bf4c-06f5698ffbd9}",
    channel="Microsoft-Windows-Sysmon/Operational",
    user="S-1-5-18",
    version=5,
)


def foreign(event: Event, log: Foreign = SYSMON, record_id: int = 77) -> Entry[Event]:
    return Entry(record_id, 1652344440_123456700, event, Origin("PC01.corp.example", 2796, 1776, 0, log))


@EACH_READER
def test_a_file_without_events_has_no_records(reader: str, tmp_path: Path) -> None:
    assert differences(reader, written(tmp_path / "a.evtx", []), []) == []


@EACH_READER
def test_every_event_type_comes_back_as_it_was(reader: str, tmp_path: Path) -> None:
    entries = numbered([entry(any_event(kind)) for kind in EVENTS.values()])
    assert differences(reader, written(tmp_path / "a.evtx", entries), entries) == []


@EACH_READER
def test_a_single_event_comes_back(reader: str, tmp_path: Path) -> None:
    assert differences(reader, written(tmp_path / "a.evtx", [create()]), [create()]) == []


@EACH_READER
def test_many_chunks_come_back(reader: str, tmp_path: Path) -> None:
    entries = numbered([create(CommandLine=f"{'x' * (7 * n % 1500)} {n}") for n in range(300)])
    path = written(tmp_path / "a.evtx", entries)
    assert len(headers(path)) > 5
    assert differences(reader, path, entries) == []


@pytest.mark.parametrize("path", [*shared_files("data/evtx/*.evtx"), *shared_files("data/json/*.zip")])
@EACH_READER
def test_real_events_come_back_as_they_were(reader: str, path: Path, tmp_path: Path) -> None:
    """Some of each log; `make judge-evtx` takes all."""
    entries = [found for source in open_sources([path]) for found in islice(source.entries(), 0, 4000, 50)]
    shown = [e if e.record_id else e._replace(record_id=number) for number, e in enumerate(entries, 1)]
    assert differences(reader, written(tmp_path / "a.evtx", entries), shown) == []


@EACH_READER
def test_text_of_every_plane_comes_back_and_what_xml_forbids_is_spelled_out(reader: str, tmp_path: Path) -> None:
    begins = [*range(0, 0x10000, 0x1000), *(plane + end for plane in range(0x10000, 0x110000, 0x10000) for end in ENDS)]
    texts = ["".join(map(chr, range(at, at + (0x1000 if at < 0x10000 else 0x80)))) for at in begins]
    entries = numbered([create(CommandLine=f"<{text}>") for text in texts])
    path = written(tmp_path / "a.evtx", entries)
    assert differences(reader, path, entries) == []


def test_nul_surrogates_and_controls_are_spelled_out(tmp_path: Path) -> None:
    path = written(tmp_path / "a.evtx", [create(CommandLine="a\0b\udcffc\x1bd\ud800e\ufffff", Image="\0")])
    data = dict(next(by_evtx(path)).data)
    assert data["CommandLine"] == r"a\x00b\xffc\x1bd\ud800e\ufffff"
    assert data["Image"] == r"\x00"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(
            create,
            CommandLine=st.text(st.characters(), max_size=300),
            LogonId=st.one_of(st.integers(0, 2**64 - 1).map(hex), st.integers(0).map(str), st.text(max_size=5)),
            ParentProcessGuid=st.one_of(st.uuids().map(lambda u: f"{{{u}}}"), st.just("-"), st.text(max_size=40)),
            ProcessId=st.one_of(st.integers(0, 2**32 - 1), st.none(), st.integers()),
        ),
        max_size=12,
    )
)
def test_whatever_the_values_are_they_come_back(tmp_path: Path, made: list[Entry[Event]]) -> None:
    path = tmp_path / "a.evtx"
    path.unlink(missing_ok=True)
    entries = numbered(made)
    assert differences("evtx", written(path, entries), entries) == []


def test_every_checksum_and_count_is_right(tmp_path: Path) -> None:
    path = written(tmp_path / "a.evtx", [create(CommandLine="x" * 200) for _ in range(200)])
    data, chunks = path.read_bytes(), headers(path)
    file = FileHeader.unpack(data)
    assert file.sound
    assert not file.dirty
    assert (file.chunks, file.last_chunk, file.next_record) == (len(chunks), len(chunks) - 1, 201)
    following = 1
    for number, header in enumerate(chunks):
        chunk = data[FILE_HEADER_SIZE + number * CHUNK_SIZE :][:CHUNK_SIZE]
        assert header.sound
        assert header.data_crc == zlib.crc32(chunk[CHUNK_HEADER_SIZE : header.free])
        assert chunk[header.last_record :].startswith(b"**\0\0")
        assert not chunk[header.free :].strip(b"\0")
        assert (header.first_number, header.first_id) == (following, following)
        following = header.last_number + 1
    assert following == 201


def test_a_chunk_is_never_filled_to_its_last_byte(tmp_path: Path) -> None:
    """libevtx does not see a record that ends there."""
    for size in range(1000, 1060, 4):
        path = written(tmp_path / f"{size}.evtx", [create(CommandLine="x" * size) for _ in range(40)])
        assert all(header.free < CHUNK_SIZE for header in headers(path))


@EACH_READER
def test_what_a_foreign_log_said_is_kept(reader: str, tmp_path: Path) -> None:
    log = Foreign(**{name: getattr(SYSMON, name) for name in ("provider", "guid", "channel", "user")}, version=4)
    entries = [foreign(any_event(ProcessCreate.type, LogonId="0x3e7"), log)]
    assert differences(reader, written(tmp_path / "a.evtx", entries), entries) == []


@EACH_READER
def test_only_the_fields_that_a_foreign_log_had_are_written(reader: str, tmp_path: Path) -> None:
    log = Foreign(SYSMON.provider, SYSMON.guid, SYSMON.channel, "S-1-5-18", 3, ("UtcTime", "ProcessGUID", "Image"))
    entries = [foreign(any_event(ProcessTerminate.type, Image="C:\\a.exe"), log)]
    path = written(tmp_path / "a.evtx", entries)
    guid = "b635b3db-35d9-6b01-d929-6d0000000000"
    assert next(READERS[reader](path)).data == [
        ("UtcTime", "2026-11-21 06:10:33.206"),
        ("ProcessGUID", guid),
        ("Image", "C:\\a.exe"),
    ]


def test_values_that_the_schema_has_no_place_for_are_taken_from_the_extra_facts(tmp_path: Path) -> None:
    log = Foreign(SYSMON.provider, SYSMON.guid, SYSMON.channel, "", None, ("ProcessId", "Novelty", "Gone"))
    event = any_event(ProcessTerminate.type, ProcessId=None, extra={"ProcessId": "many", "Novelty": 7})
    seen = next(by_evtx(written(tmp_path / "a.evtx", [foreign(event, log)])))
    assert seen.data == [("ProcessId", "many"), ("Novelty", "7"), ("Gone", "-")]
    assert "Security.UserID" not in seen.system


def test_extra_facts_of_our_own_entries_are_not_values(tmp_path: Path) -> None:
    made = create(extra={"Image": "another", "Container": "abc"}, Image="/bin/sh")
    data = next(by_evtx(written(tmp_path / "a.evtx", [made]))).data
    assert ("Image", "/bin/sh") in data
    assert len(data) == len(ProcessCreate.type.fields)


def test_the_time_of_logging_is_that_of_the_log_if_it_said_one(tmp_path: Path) -> None:
    event = any_event(ProcessTerminate.type, extra={"TimeCreated": "2019-02-16T10:04:04.231534400Z"})
    seen = next(by_evtx(written(tmp_path / "a.evtx", [foreign(event)])))
    assert seen.time == 1550311444_231534


def test_a_user_of_linux_is_a_sid_of_unix(tmp_path: Path) -> None:
    assert next(by_evtx(written(tmp_path / "a.evtx", [create()]))).system["Security.UserID"] == "S-1-22-1-0"


@EACH_READER
def test_entries_of_many_computers_come_back(reader: str, tmp_path: Path) -> None:
    entries = [create()._replace(record_id=n, origin=Origin(f"host-{n % 7}", n, n, n)) for n in range(1, 60)]
    assert differences(reader, written(tmp_path / "a.evtx", entries), entries) == []


@pytest.mark.parametrize("time", [-(1 << 70), -1, 0, 1 << 70])
def test_an_impossible_time_is_brought_into_what_the_format_holds(time: int, tmp_path: Path) -> None:
    path = written(tmp_path / "a.evtx", [create()._replace(time=time)])
    assert headers(path)[0].last_number == 1


def test_names_as_long_as_a_chunk_do_not_break_it(tmp_path: Path) -> None:
    log = Foreign("P" * 70000, "no guid", "C" * 70000, "nobody", 300)
    origin = Origin("h" * 70000, 1 << 40, -1, 0, log)
    path = written(tmp_path / "a.evtx", [create()._replace(origin=origin), create()._replace(origin=ORIGIN)])
    assert [dict(seen.data)["Image"] for seen in by_evtx(path)] == ["/usr/bin/python3.11"] * 2
