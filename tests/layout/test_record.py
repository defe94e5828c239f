"""Records: what is encoded comes back, what is short is refused, what has holes is no record at all."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.layout.made_up import CLASSES, any_record, records

from pysmon.errors import RecordError
from pysmon.layout.record import U16, U32, U64, Record, Tail, record
from pysmon.sensor.records import RECORDS, ExecRecord, ExitRecord, FlowRecord, decode

HEAD = struct.Struct("<HHIQQQII")  # what opens every record, written down a second time


@given(any_record())
def test_what_is_encoded_is_decoded_to_the_same_values(made: Record) -> None:
    again = type(made).decode(made.encode())
    assert again == made
    assert type(again) is type(made)


@given(any_record(), st.binary(max_size=20), st.binary(max_size=20))
def test_a_record_is_read_where_it_stands_among_other_bytes(made: Record, before: bytes, after: bytes) -> None:
    assert decode(before + made.encode() + after, len(before)) == made


@given(any_record())
def test_a_record_says_its_own_size_and_kind(made: Record) -> None:
    data = made.encode()
    assert (made.size, RECORDS[made.kind]) == (len(data), type(made))
    assert HEAD.unpack_from(data) == tuple(made)[:8]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
@settings(max_examples=20)
@given(st.data())
def test_a_record_is_refused_at_every_length_that_is_too_short(cls: type[Record], data: st.DataObject) -> None:
    encoded = data.draw(records(cls)).encode()
    for length in range(len(encoded)):
        with pytest.raises(RecordError, match=rf"{cls.__name__}: the record is short: \d+ bytes expected, {length} f"):
            cls.decode(encoded[:length])


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_a_record_that_ends_before_the_place_to_read_is_refused(cls: type[Record]) -> None:
    with pytest.raises(RecordError, match="0 found"):
        cls.decode(b"", 5)


def test_a_refusal_says_how_many_bytes_the_tails_need() -> None:
    whole = ExecRecord.make(image=b"abc", args=b"defg").encode()
    with pytest.raises(RecordError, match=f"{len(whole)} bytes expected, {len(whole) - 1} found"):
        ExecRecord.decode(whole[:-1])


def test_what_is_not_given_is_zero_or_empty() -> None:
    made = FlowRecord.make(source_port=53)
    assert (made.source_port, made.destination_port, made.source, made.time) == (53, 0, bytes(16), 0)
    assert ExecRecord.make().args == b""


def test_a_member_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="ExitRecord has no member colour, taste"):
        ExitRecord.make(taste=1, colour=2)


def test_a_tail_that_is_no_bytes_is_refused() -> None:
    with pytest.raises(TypeError, match="a tail is bytes, not 5"):
        ExecRecord.make(args=5)


def test_a_record_shows_its_members_by_name() -> None:
    assert repr(ExitRecord.make(tgid=9, code=256)) == (
        "ExitRecord(kind=3, cpu=0, size=48, time=0, start=0, exec_id=0, tgid=9, tid=0, code=256, uid=0)"
    )


def test_a_member_that_leaves_a_hole_before_it_is_refused_with_its_offset() -> None:
    with pytest.raises(TypeError, match=r"Holed\.wide at offset 42 is not aligned to 8: reorder, or name the hole"):

        @record(1, "process", {})
        class Holed(Record):
            narrow: U16
            wide: U64


def test_a_head_is_filled_up_to_eight_bytes_before_its_tails() -> None:
    @record(1, "process", {})
    class Odd(Record):
        narrow: U16
        name: Tail

    assert Odd.layout.head.size == 48
    assert Odd.make(name=b"xy").encode()[40:] == struct.pack("<HH4x", 0, 2) + b"xy"


def test_a_kind_belongs_to_one_record() -> None:
    registry: dict[int, type[Record]] = {}
    record(5, "process", registry)(type("First", (Record,), {"__annotations__": {"a": U32}}))
    with pytest.raises(ValueError, match="record kind 5 is First already"):
        record(5, "process", registry)(type("Second", (Record,), {"__annotations__": {"a": U32}}))
