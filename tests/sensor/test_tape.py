"""Tapes: what was written is read again, and what is no whole tape of this version is refused."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.errors import RecordError
from pysmon.layout.c_text import digest
from pysmon.sensor.records import RECORDS
from pysmon.sensor.tape import Tape, TapeWriter

TITLE = b"pysmon tape 1 %08x\n" % digest(RECORDS.values())
Pieces = list[bytes | dict[str, int | str]]

json_facts = st.dictionaries(st.text(), st.one_of(st.integers(), st.text()), max_size=3)
pieces = st.lists(st.one_of(st.binary(max_size=60), json_facts), max_size=8)


def written(path: Path, contents: Pieces) -> bytes:
    with TapeWriter(path) as writer:
        for each in contents:
            if isinstance(each, bytes):
                writer.record(each)
            else:
                writer.facts(**each)
    return path.read_bytes()


def refusal(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(RecordError) as refused:
        Tape(path)
    return str(refused.value)


@given(contents=pieces)
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, contents: Pieces) -> None:
    path = tmp_path_factory.getbasetemp() / "t"
    written(path, contents)
    read = Tape(path)
    assert read.records == [c for c in contents if isinstance(c, bytes)]
    facts: dict[str, int | str] = {}
    for each in contents:
        facts |= {} if isinstance(each, bytes) else each
    assert read.facts == facts


def test_texts_are_read_again_with_their_records(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "t") as writer:
        for record, text in ((b"a", None), (b"b", "[Timer]\n"), (b"c", None), (b"d", "h\u00e9\ud800")):
            writer.record(record)
            if text is not None:
                writer.text(text)
            writer.facts(n=1)
    read = Tape(tmp_path / "t")
    assert read.records == [b"a", b"b", b"c", b"d"]
    assert read.texts == {1: "[Timer]\n", 3: "h\u00e9?"}


def test_the_title_names_the_layouts(tmp_path: Path) -> None:
    assert written(tmp_path / "t", []) == TITLE


def test_facts_that_come_later_replace_earlier_ones(tmp_path: Path) -> None:
    written(tmp_path / "t", [{"a": 1, "b": 1}, {"b": 2}])
    assert Tape(tmp_path / "t").facts == {"a": 1, "b": 2}


def test_a_tape_is_not_at_its_place_before_it_is_closed(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path / "t")
    writer.record(b"x")
    assert os.listdir(tmp_path) == ["t.part"]
    writer.close()
    assert os.listdir(tmp_path) == ["t"]
    assert Tape(tmp_path / "t").records == [b"x"]


def test_an_older_tape_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    written(tmp_path / "t", [b"old"])
    with TapeWriter(tmp_path / "t") as writer:
        writer.record(b"new")
        assert Tape(tmp_path / "t").records == [b"old"]
    assert Tape(tmp_path / "t").records == [b"new"]


def test_closing_twice_does_nothing(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path / "t")
    writer.close()
    (tmp_path / "t").unlink()
    writer.close()
    assert os.listdir(tmp_path) == []


def test_a_closed_tape_takes_nothing_more(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path / "t")
    writer.close()
    with pytest.raises(ValueError, match=r"the tape .*/t is closed"):
        writer.record(b"x")
    with pytest.raises(ValueError, match="closed"):
        writer.facts(a=1)


def test_a_folder_that_is_absent_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        TapeWriter(tmp_path / "absent" / "t")
    with pytest.raises(FileNotFoundError):
        Tape(tmp_path / "absent")


def test_a_tape_of_other_layouts_is_refused_with_both_titles(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"pysmon tape 1 00000000\n")
    with pytest.raises(RecordError) as refused:
        Tape(path)
    expected = f"{path}: not a tape of this version: it begins b'pysmon tape 1 00000000\\n', expected {TITLE!r}"
    assert str(refused.value) == expected
    assert "the version of pysmon that recorded" in refused.value.hint


@pytest.mark.parametrize(
    "data",
    [
        b"pysmon tape 2" + TITLE[13:],
        b"",
        b"\n",
        b"pysmon tape 1",
        TITLE[:-1],
        b"\x7fELF" + bytes(1000),
        b" " + TITLE,
        TITLE[:-1] + b" \n",
    ],
)
def test_what_is_no_tape_is_refused(tmp_path: Path, data: bytes) -> None:
    said = refusal(tmp_path / "t", data)
    assert "not a tape of this version" in said
    assert len(said) < 600


def test_a_tape_cut_off_in_a_frames_head_is_refused_by_the_byte(tmp_path: Path) -> None:
    whole = written(tmp_path / "t", [b"abc"])
    at = len(TITLE)
    assert f"cut off at byte {at}: 5 bytes expected, 4 found" in refusal(tmp_path / "t", whole[: at + 4])


def test_a_tape_cut_off_in_a_frame_is_refused_by_the_byte(tmp_path: Path) -> None:
    whole = written(tmp_path / "t", [b"abc", b"de"])
    at = len(TITLE) + 5 + 3 + 5
    assert f"cut off at byte {at}: 2 bytes expected, 1 found" in refusal(tmp_path / "t", whole[:-1])


@given(contents=pieces, data=st.data())
def test_every_cut_is_noticed_but_between_frames(
    tmp_path_factory: pytest.TempPathFactory, contents: Pieces, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "t"
    whole = written(path, contents)
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    try:
        Tape(path)
    except RecordError as refused:
        at = str(refused).partition("byte ")[2].partition(":")[0]
        assert cut < len(TITLE) or int(at) <= cut
    else:
        assert cut in ends_of_frames(whole)


def ends_of_frames(whole: bytes) -> list[int]:
    ends = [len(TITLE)]
    while ends[-1] < len(whole):
        ends.append(ends[-1] + 5 + struct.unpack_from("<I", whole, ends[-1] + 1)[0])
    return ends


def test_a_frame_of_no_known_letter_is_refused_by_the_byte(tmp_path: Path) -> None:
    whole = written(tmp_path / "t", [b"abc"])
    said = refusal(tmp_path / "t", whole + b"X\0\0\0\0")
    assert f"no frame of a tape at byte {len(whole)}: b'X\\x00\\x00\\x00\\x00'" in said


def test_a_frame_longer_than_any_record_is_refused_by_the_byte(tmp_path: Path) -> None:
    frame = b"R" + struct.pack("<I", (1 << 20) + 1) + bytes((1 << 20) + 1)
    assert f"no frame of a tape at byte {len(TITLE)}: b'R\\x01" in refusal(tmp_path / "t", TITLE + frame)


@pytest.mark.parametrize("facts", [b"", b"{", b"[1]", b"null", b'"text"', b"\xff\xfe\0"])
def test_facts_that_are_no_json_object_are_refused_by_the_byte(tmp_path: Path, facts: bytes) -> None:
    data = TITLE + b"F" + struct.pack("<I", len(facts)) + facts
    assert f"no facts at byte {len(TITLE) + 5}: a JSON object expected" in refusal(tmp_path / "t", data)
