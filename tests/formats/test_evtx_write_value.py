"""Which type a value is written as: what the manifest declares, if that shows it as it is."""

from __future__ import annotations

import pytest
from tests.formats.entries import any_event

from pysmon.formats.evtx.layout import ValueType
from pysmon.formats.evtx.write_data import EventData
from pysmon.formats.evtx.write_value import CODECS, STRING, Codec, fitting, shown
from pysmon.schema.catalogue import ProcessCreate
from pysmon.schema.event import EVENTS

GUID = "{b635b3db-35d9-6b01-d929-6d0000000000}"


@pytest.mark.parametrize(
    ("declared", "value", "written"),
    [
        ("win:GUID", GUID, ValueType.GUID),
        ("win:GUID", GUID.upper(), ValueType.STRING),
        ("win:GUID", GUID.strip("{}"), ValueType.STRING),
        ("win:GUID", "-", ValueType.STRING),
        ("win:HexInt64", "0x3e7", ValueType.HEX_INT64),
        ("win:HexInt64", "0x0", ValueType.HEX_INT64),
        ("win:HexInt64", "1000", ValueType.UINT64),
        ("win:HexInt64", "0x3E7", ValueType.STRING),
        ("win:HexInt64", "0x03e7", ValueType.STRING),
        ("win:HexInt64", "007", ValueType.STRING),
        ("win:HexInt64", "0x1ffffffffffffffff", ValueType.STRING),
        ("win:HexInt64", "18446744073709551616", ValueType.STRING),
        ("win:HexInt32", "0x1410", ValueType.HEX_INT32),
        ("win:HexInt32", "0x100000000", ValueType.STRING),
        ("win:UInt32", 4294967295, ValueType.UINT32),
        ("win:UInt32", 4294967296, ValueType.STRING),
        ("win:UInt32", -1, ValueType.STRING),
        ("win:UInt32", None, ValueType.STRING),
        ("win:UInt32", "7", ValueType.STRING),
        ("win:UInt16", 65535, ValueType.UINT16),
        ("win:UInt64", 1 << 63, ValueType.UINT64),
        ("win:Boolean", True, ValueType.BOOLEAN),
        ("win:Boolean", None, ValueType.STRING),
        ("win:Boolean", "yes", ValueType.STRING),
        ("win:UnicodeString", "x", ValueType.STRING),
    ],
)
def test_a_value_is_written_as_the_type_that_shows_it_as_it_is(
    declared: str, value: object, written: ValueType
) -> None:
    assert fitting(declared, value).type is written


def test_every_type_of_the_manifest_is_known() -> None:
    assert {field.kind.in_type for kind in EVENTS.values() for field in kind.fields} <= CODECS.keys()


def test_one_odd_value_does_not_turn_those_after_it_into_text() -> None:
    data = EventData(ProcessCreate.type.id)
    typed, _ = data.of(any_event(ProcessCreate.type, LogonId="0x3e7"), foreign=False)
    odd, _ = data.of(any_event(ProcessCreate.type, LogonId="0x3e7", LogonGuid="-", ProcessId=None), foreign=False)
    again, _ = data.of(any_event(ProcessCreate.type, LogonId="0x3e7"), foreign=False)
    assert typed is again is not odd


def test_a_value_that_cannot_be_looked_up_is_written_as_text() -> None:
    data = EventData(ProcessCreate.type.id, ("ProcessId", "Image"))
    event = any_event(ProcessCreate.type, extra={"ProcessId": ["a", 1], "Image": {}})
    _, values = data.of(event, foreign=True)
    assert "['a', 1]".encode("utf-16-le") in values


def test_values_are_remembered_up_to_a_number_and_long_ones_not_at_all() -> None:
    made: list[str] = []

    def pack(value: str) -> bytes:
        made.append(value)
        return value.encode()

    codec = Codec(ValueType.STRING, pack)
    for number in range(20_000):
        assert codec[str(number)] == str(number).encode()
    assert len(codec) <= 8192
    assert codec["19999"] == b"19999"
    assert len(made) == 20_000
    assert codec["x" * 5000] == codec["x" * 5000]
    assert made[-2:] == ["x" * 5000] * 2


def test_text_that_xml_can_hold_stays_as_it_is() -> None:
    text = "a\tb\nc\rd \x7f\x85 \ufffd \ue000 \U0010ffff é"
    assert shown(text) == text
    assert STRING[text].decode("utf-16-le") == text
