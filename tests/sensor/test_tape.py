"""Tapes: what is written is read, and what is no tape is refused by the byte."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.errors import RecordError
from pysmon.layout.c_text import digest
from pysmon.sensor.records import RECORDS
from pysmon.sensor.tape import Tape, TapeWriter

TITLE = f"pysmon tape 1 {digest(RECORDS.values()):08x}\n".encode()
FACTS = st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.none()))


def frame(letter: bytes, data: bytes) -> bytes:
    return letter + struct.pack("<I", len(data)) + data


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@given(st.lists(st.one_of(st.binary(max_size=100), FACTS)))
def test_a_tape_gives_back_its_records_in_order_and_the_latest_facts(
    tmp_path_factory: pytest.TempPathFactory, items: list[bytes | dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("tapes") / "a.tape"
    facts: dict[str, Any] = {}
    with TapeWriter(path) as writer:
        for item in items:
            if isinstance(item, bytes):
                writer.record(item)
            else:
                writer.facts(**item)
                facts |= item
    tape = Tape(path)
    assert tape.records == [item for item in items if isinstance(item, bytes)]
    assert tape.facts == facts


def test_a_tape_is_there_only_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    writer = TapeWriter(path)
    writer.record(b"x")
    assert not path.exists()
    writer.close()
    writer.close()
    assert [p.name for p in tmp_path.iterdir()] == ["a.tape"]
    assert path.read_bytes() == TITLE + frame(b"R", b"x")


def test_a_closed_tape_takes_nothing_more(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path / "a.tape")
    writer.close()
    with pytest.raises(ValueError, match=r"the tape .*a\.tape is closed"):
        writer.record(b"x")


def test_a_tape_cannot_be_begun_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        TapeWriter(tmp_path / "absent" / "a.tape")


@pytest.mark.parametrize(
    "title",
    [b"", b"pysmon tape 1 00000000\n", b"pysmon tape 2 " + TITLE[14:], b"\x7fELF\x02\x01", TITLE[:-1] + b" \n"],
    ids=["empty", "other layouts", "other version", "another file", "more"],
)
def test_a_file_that_is_no_tape_of_this_version_is_refused_by_its_first_line(tmp_path: Path, title: bytes) -> None:
    path = written(tmp_path / "a.tape", title + frame(b"R", b"x"))
    with pytest.raises(RecordError, match=r"a\.tape: not a tape of this version: it begins") as refused:
        Tape(path)
    assert repr(TITLE) in str(refused.value)
    assert "the version of pysmon that recorded" in refused.value.hint


def test_an_empty_file_is_no_tape(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="not a tape"):
        Tape(written(tmp_path / "a.tape", b""))


def test_a_tape_without_frames_is_an_empty_one(tmp_path: Path) -> None:
    tape = Tape(written(tmp_path / "a.tape", TITLE))
    assert (tape.records, tape.facts) == ([], {})


def test_a_tape_that_is_cut_off_anywhere_is_refused_with_the_byte(tmp_path: Path) -> None:
    whole = TITLE + frame(b"F", b'{"a": 1}') + frame(b"R", b"record")
    ends = {len(TITLE), len(TITLE) + 13, len(whole)}
    for length in range(len(TITLE), len(whole)):
        path = written(tmp_path / "a.tape", whole[:length])
        if length in ends:
            Tape(path)
            continue
        begin = max(e for e in ends if e < length)
        place = begin if length < begin + 5 else begin + 5
        with pytest.raises(RecordError, match=rf"cut off at byte {place}: \d+ bytes expected, {length - place} found"):
            Tape(path)


@pytest.mark.parametrize("garbage", [b"X\x01\0\0\0a", b"R\0\0\x20\0a", b"\0\0\0\0\0", b"F\xff\xff\xff\xff"])
def test_a_frame_that_is_none_is_refused_with_its_byte(tmp_path: Path, garbage: bytes) -> None:
    path = written(tmp_path / "a.tape", TITLE + frame(b"R", b"ok") + garbage)
    with pytest.raises(RecordError, match=rf"a\.tape: no frame of a tape at byte {len(TITLE) + 7}: "):
        Tape(path)


@pytest.mark.parametrize("facts", [b"{", b"\xff", b"[1]", b"5", b'"text"', b""])
def test_facts_that_are_no_object_are_refused_with_their_byte(tmp_path: Path, facts: bytes) -> None:
    path = written(tmp_path / "a.tape", TITLE + frame(b"R", b"ok") + frame(b"F", facts))
    with pytest.raises(RecordError, match=rf"a\.tape: no facts at byte {len(TITLE) + 12}:"):
        Tape(path)
