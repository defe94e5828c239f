"""Values of every type of EVTX, as Windows shows them."""

from __future__ import annotations

import struct
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.formats.evtx.layout import ValueType, filetime, pack_sid
from pysmon.formats.evtx.read_value import Values, value_of

GUID = "{365abb72-7c01-5cc4-0000-00102b3e0c00}"
T = ValueType


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        (T.NULL, b"", None),
        (T.STRING, "ä🜚".encode("utf-16-le"), "ä🜚"),
        (T.STRING, "x\0".encode("utf-16-le"), "x"),
        (T.STRING, b"", ""),
        (T.ANSI_STRING, b"\xe4\0", "ä"),
        (T.INT8, b"\xff", -1),
        (T.UINT8, b"\xff", 255),
        (T.INT16, b"\xfe\xff", -2),
        (T.UINT16, b"\x50\0", 80),
        (T.INT32, b"\xff" * 4, -1),
        (T.UINT32, b"\xff" * 4, 4294967295),
        (T.INT64, b"\xff" * 8, -1),
        (T.UINT64, b"\xff" * 8, 2**64 - 1),
        (T.REAL32, struct.pack("<f", 0.5), 0.5),
        (T.REAL64, struct.pack("<d", -2.25), -2.25),
        (T.BOOLEAN, b"\1\0\0\0", True),
        (T.BOOLEAN, bytes(4), False),
        (T.BINARY, b"\xab\xcd", "ABCD"),
        (T.GUID, UUID(GUID).bytes_le, GUID),
        (T.SIZE, b"\x10\0\0\0\0\0\0\0", "0x10"),
        (T.FILETIME, filetime(1556380673_368863200).to_bytes(8, "little"), "2019-04-27T15:57:53.368863200Z"),
        (T.SYSTEMTIME, struct.pack("<8H", 2019, 4, 6, 27, 15, 57, 53, 368), "2019-04-27T15:57:53.368Z"),
        (T.SID, pack_sid("S-1-5-18"), "S-1-5-18"),
        (T.HEX_INT32, b"\x10\x14\0\0", "0x1410"),
        (T.HEX_INT64, b"\xe7\x03" + bytes(6), "0x3e7"),
        (T.ARRAY | T.STRING, "a\0b\0".encode("utf-16-le"), "a, b"),
        (T.ARRAY | T.UINT16, b"\1\0\2\0", "1, 2"),
        (T.UINT32, b"", None),
    ],
)
def test_a_value_is_shown_as_windows_shows_it(kind: int, data: bytes, value: object) -> None:
    assert value_of(kind, data) == value
    assert value_of(kind, data) == value  # also when it is remembered


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (T.STRING, b"x"),
        (T.UINT16, b"x"),
        (T.GUID, b"x"),
        (T.SID, b"x"),
        (T.FILETIME, b"\xff" * 8),
        (T.HEX_INT64, bytes(4)),
        (T.BINARY_XML, b"xx"),
        (0x7F, b"xx"),
        (T.ARRAY | T.BINARY, b"xx"),
        (T.ARRAY | T.UINT32, b"xxxxx"),
    ],
)
def test_bytes_that_are_no_value_are_refused(kind: int, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        value_of(kind, data)


@given(kind=st.integers(0, 255), data=st.binary(max_size=40))
def test_any_bytes_are_a_value_or_refused(kind: int, data: bytes) -> None:
    with suppress(ValueError):
        value_of(kind, data)


def test_what_is_remembered_is_bounded() -> None:
    made: list[bytes] = []

    def read(data: bytes) -> int:
        made.append(data)
        return len(data)

    values = Values(read)
    long = bytes(5000)
    assert [values[b"x"], values[b"x"], values[long], values[long]] == [1, 1, 5000, 5000]
    assert len(made) == 3
    for number in range(100_000):
        _ = values[number.to_bytes(4, "little")]
    assert len(values) <= 32768
    for number in range(10_000):
        _ = values[number.to_bytes(4000, "little")]
    assert sum(map(len, values)) <= 8 << 20
