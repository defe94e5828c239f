"""The sink that writes EVTX files: appending, rotating, refusing, and what it has to tell."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tests.conftest import shared
from tests.formats.entries import any_event, create
from tests.formats.evtx_files import differences, headers, numbered, written
from tests.formats.evtx_readers import READERS, by_evtx
from tests.sinks.full_disk import files_limited_to

from pysmon.errors import SinkError
from pysmon.formats.evtx.layout import CHUNK_SIZE, FILE_HEADER_SIZE, FileHeader
from pysmon.schema.catalogue import FileCreate
from pysmon.schema.entry import Entry, Foreign, Origin
from pysmon.schema.event import Event
from pysmon.sinks.evtx import EvtxFileSink
from pysmon.sinks.sink import Remarks, Reopens, WriteError


def ids(path: Path) -> list[int]:
    return [int(seen.system["EventRecordID"]) for seen in by_evtx(path)]


def size(chunks: int) -> int:
    return FILE_HEADER_SIZE + chunks * CHUNK_SIZE


def long(count: int, first: int = 1) -> list[Entry[Event]]:
    """Entries of which three fill a chunk."""
    return numbered([create(CommandLine="x" * 9000) for _ in range(count)], first)


def test_what_was_written_can_be_read_while_the_file_is_open(tmp_path: Path) -> None:
    path = tmp_path / "a.evtx"
    sink = EvtxFileSink(path)
    entries = numbered([create() for _ in range(200)])
    for at in range(0, 200, 7):
        sink.write(entries[at : at + 7])
        assert ids(path) == [entry.record_id for entry in entries[: at + 7]]
        assert FileHeader.unpack(path.read_bytes()).dirty
    sink.close()
    assert not FileHeader.unpack(path.read_bytes()).dirty


@pytest.mark.parametrize("reader", READERS)
def test_entries_that_come_one_by_one_fill_chunks_as_many_at_once_do(reader: str, tmp_path: Path) -> None:
    entries = numbered([create(CommandLine=f"{n}") for n in range(150)])
    sink = EvtxFileSink(tmp_path / "one.evtx")
    for entry in entries:
        sink.write([entry])
    sink.close()
    at_once = written(tmp_path / "many.evtx", entries)
    assert (tmp_path / "one.evtx").read_bytes() == at_once.read_bytes()
    assert differences(reader, at_once, entries) == []


@pytest.mark.parametrize("reader", READERS)
def test_appending_goes_on_with_chunks_and_ids(reader: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.evtx", numbered([create() for _ in range(100)]))
    written(path, numbered([create() for _ in range(100)]))  # as a run that counts anew
    written(path, numbered([create() for _ in range(10)], 5000))  # as a run that counts on elsewhere
    whole = numbered([create() for _ in range(200)]) + numbered([create() for _ in range(10)], 5000)
    assert differences(reader, path, whole) == []
    numbers = [(header.first_number, header.last_number) for header in headers(path)]
    assert [first for first, _ in numbers] == [1, *(last + 1 for _, last in numbers[:-1])]
    assert numbers[-1][1] == 210


def test_ids_of_foreign_entries_stay_when_appended(tmp_path: Path) -> None:
    log = Foreign("Microsoft-Windows-Sysmon", "", "", "S-1-5-18")
    entries = [create()._replace(record_id=n, origin=Origin("PC", 1, 1, 0, log)) for n in (9, 0, 4)]
    path = written(written(tmp_path / "a.evtx", entries), entries)
    assert ids(path) == [9, 2, 4, 9, 5, 4]  # one whose log did not say has the number of its record


def test_a_file_that_was_opened_and_got_nothing_is_begun_anew(tmp_path: Path) -> None:
    path = written(written(tmp_path / "a.evtx", []), long(2))
    assert ids(path) == [1, 2]
    assert len(headers(path)) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no log at all", "it does not begin with ElfFile"),
        (FileHeader(0, 0, 1, 1, 0).pack().ljust(4096, b"\0") + b"ElfChnk\0" + b"x" * 65528, "pysmon did not write it"),
        (FileHeader(0, 0, 1, 1, 0).pack().ljust(4096, b"\0") + b"something", "pysmon did not write it"),
    ],
)
def test_a_file_that_pysmon_did_not_write_is_refused_and_left_as_it_is(
    content: bytes, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.evtx"
    path.write_bytes(content)
    with pytest.raises(SinkError, match=f"cannot append to .*: {why}"):
        EvtxFileSink(path)
    assert path.read_bytes() == content


def test_a_file_of_windows_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    theirs = shared("data/evtx/python-evtx-issue_43.evtx").read_bytes()
    path = tmp_path / "a.evtx"
    for content in (theirs, theirs[: size(2)], theirs[: size(1) - 100]):
        path.write_bytes(content)
        with pytest.raises(SinkError, match=r"pysmon did not write it|damaged"):
            EvtxFileSink(path)
        assert path.read_bytes() == content


def test_a_file_that_is_damaged_in_more_than_its_last_chunk_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.evtx", long(15))
    data = bytearray(path.read_bytes())
    data[-1000] = data[-CHUNK_SIZE + 600] = data[-2 * CHUNK_SIZE + 600] = 7
    path.write_bytes(data)
    with pytest.raises(SinkError, match="its last chunks are damaged"):
        EvtxFileSink(path)


def test_two_writers_of_one_file_are_refused(tmp_path: Path) -> None:
    first = EvtxFileSink(tmp_path / "a.evtx")
    with pytest.raises(SinkError, match="another process writes it"):
        EvtxFileSink(tmp_path / "a.evtx")
    first.close()
    EvtxFileSink(tmp_path / "a.evtx").close()


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SinkError, match="not a regular file"):
        EvtxFileSink(tmp_path / "pipe")
    with pytest.raises(SinkError, match=r"cannot open .*: Is a directory"):
        EvtxFileSink(tmp_path)


def test_nobody_else_may_read_a_new_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.evtx", [])
    assert stat.S_IMODE(path.stat().st_mode) & 0o027 == 0


def test_a_full_file_becomes_the_newest_of_the_older_ones(tmp_path: Path) -> None:
    path = tmp_path / "log.evtx"
    sink = EvtxFileSink(path, rotate=size(2), keep=2)
    for entry in long(20):  # three to a chunk, six to a file
        sink.write([entry])
    sink.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log.1.evtx", "log.2.evtx", "log.evtx"]
    assert ids(path) == [19, 20]
    assert ids(tmp_path / "log.1.evtx") == [13, 14, 15, 16, 17, 18]
    assert ids(tmp_path / "log.2.evtx") == [7, 8, 9, 10, 11, 12]
    assert [(h.first_number, h.first_id) for h in headers(path)] == [(1, 19)]
    assert not FileHeader.unpack((tmp_path / "log.1.evtx").read_bytes()).dirty


def test_a_batch_larger_than_a_file_is_spread_over_several(tmp_path: Path) -> None:
    sink = EvtxFileSink(tmp_path / "log.evtx", rotate=size(1), keep=9)
    sink.write(long(10))
    sink.close()
    assert [ids(tmp_path / name) for name in ("log.3.evtx", "log.2.evtx", "log.1.evtx", "log.evtx")] == [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
        [10],
    ]


def test_a_rotation_that_fails_is_told_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.evtx"
    (tmp_path / "log.1.evtx").mkdir()
    (tmp_path / "log.1.evtx" / "in the way").touch()
    sink = EvtxFileSink(path, rotate=size(1), keep=1)
    with pytest.raises(WriteError, match="cannot rotate") as told:
        sink.write(long(4))
    assert told.value.written == 4
    sink.close()
    assert ids(path) == [1, 2, 3, 4]


def test_a_file_that_was_renamed_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "log.evtx"
    sink = EvtxFileSink(path)
    sink.write(long(2))
    path.rename(tmp_path / "moved.evtx")
    sink.flush()
    sink.write(long(1, first=3))
    sink.close()
    assert (ids(tmp_path / "moved.evtx"), ids(path)) == ([1, 2], [3])
    assert headers(path)[0].first_id == 3
    assert not FileHeader.unpack((tmp_path / "moved.evtx").read_bytes()).dirty


def test_a_closed_sink_refuses_entries(tmp_path: Path) -> None:
    sink = EvtxFileSink(tmp_path / "a.evtx")
    sink.close()
    sink.close()
    sink.flush()
    with pytest.raises(WriteError, match="closed"):
        sink.write([create()])


def test_it_reopens_and_has_remarks(tmp_path: Path) -> None:
    sink = EvtxFileSink(tmp_path / "a.evtx")
    assert isinstance(sink, Reopens)
    assert isinstance(sink, Remarks)
    assert sink.remarks() == []
    sink.close()


@pytest.mark.parametrize("reader", READERS)
def test_a_command_line_of_64_kb_is_cut_and_told(reader: str, tmp_path: Path) -> None:
    path = tmp_path / "a.evtx"
    sink = EvtxFileSink(path)
    sink.write(numbered([create(), create(CommandLine="c" * 65536, ParentCommandLine="p" * 5000, Image="/bin/x")]))
    [told] = sink.remarks()
    assert sink.remarks() == []
    sink.close()
    seen = list(READERS[reader](path))
    data = dict(seen[1].data)
    assert data["ParentCommandLine"] == "... [5000 characters cut]"
    kept, _, cut = data["CommandLine"].partition("... [")
    assert set(kept) == {"c"}
    assert len(kept) > 25_000
    assert int(cut.split()[0]) == 65536 - len(kept)
    assert data["Image"] == "/bin/x"
    assert "1 entry was too large" in told
    assert (
        f"event 1, record 2: 5000 characters of ParentCommandLine, {cut.split()[0]} characters of CommandLine" in told
    )


def test_other_texts_are_cut_evenly_when_the_command_lines_are_not_enough(tmp_path: Path) -> None:
    path, sink = tmp_path / "a.evtx", EvtxFileSink(tmp_path / "a.evtx")
    made = any_event(FileCreate.type, Image="i" * 40000, TargetFilename="\U0001f600" * 40000, RuleName="r" * 9)
    sink.write([create()._replace(event=made)])
    sink.close()
    data = dict(next(by_evtx(path)).data)
    assert data["RuleName"] == "r" * 9
    assert data["TargetFilename"].startswith("\U0001f600" * 7000)
    assert data["Image"].startswith("i" * 14000)
    for name in ("TargetFilename", "Image"):
        kept, _, cut = data[name].partition("... [")
        assert int(cut.removesuffix(" characters cut]")) == 40000 - len(kept)


def test_a_log_with_thousands_of_fields_does_not_break_it(tmp_path: Path) -> None:
    names = ("Image", *(f"F{n}" for n in range(5000)), "L" * 90000, *["Image"] * 70000, "User")
    log = Foreign("Microsoft-Windows-Sysmon", "", "", "", None, names)
    made = any_event(FileCreate.type, Image="i" * 70000, extra={f"F{n}": "f" * 70000 for n in range(5000)})
    entries = [Entry(1, 1, made, Origin("PC", 1, 1, 0, log)), create()]
    data = [dict(seen.data) for seen in by_evtx(written(tmp_path / "a.evtx", entries))]
    assert data[0]["User"] == "-"
    assert len(data[0]) == 34
    assert data[1]["Image"] == "/usr/bin/python3.11"


def test_what_just_fits_is_not_cut(tmp_path: Path) -> None:
    for length in range(29_000, 31_500, 50):
        path, sink = tmp_path / "a.evtx", EvtxFileSink(tmp_path / "a.evtx")
        sink.write([create(CommandLine="c" * length)])
        sink.close()
        seen = dict(next(by_evtx(path)).data)["CommandLine"]
        assert (seen == "c" * length) == (not sink.remarks())
        path.unlink()
        if seen != "c" * length:
            return
    pytest.fail("nothing was cut")


def test_a_full_disk_is_told_and_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "a.evtx"
    sink = EvtxFileSink(path)
    with files_limited_to(size(4) + 5000):
        with pytest.raises(WriteError, match=r"cannot write to .*: File too large") as told:
            sink.write(long(30))
        assert told.value.written == 12
        assert ids(path) == list(range(1, 13))
        with pytest.raises(WriteError) as again:
            sink.write(long(1, first=31))
        assert again.value.written == 0
    sink.write(long(5, first=32))
    sink.close()
    assert ids(path) == [*range(1, 13), *range(32, 37)]
    assert FileHeader.unpack(path.read_bytes()).chunks == len(headers(path)) == 6


def test_a_chunk_that_cannot_grow_keeps_what_it_had(tmp_path: Path) -> None:
    path = tmp_path / "a.evtx"
    sink = EvtxFileSink(path)
    sink.write(long(2))
    with files_limited_to(size(0) + 20_000), pytest.raises(WriteError, match="File too large"):
        sink.write(long(1, first=3))
    assert ids(path) == [1, 2]
    sink.write(long(1, first=4))
    sink.close()
    assert ids(path) == [1, 2, 4]


def test_a_file_that_cannot_be_begun_is_told(tmp_path: Path) -> None:
    with files_limited_to(1000), pytest.raises(SinkError, match=r"cannot begin .*: File too large"):
        EvtxFileSink(tmp_path / "a.evtx")
    EvtxFileSink(tmp_path / "a.evtx").close()
