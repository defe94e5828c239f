"""Values are shown as `dconf read` shows them; what is not in normal form is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.errors import RecordError
from pysmon.host.dconf.variant import variant_text

CASES: dict[bytes, str] = {  # shown as the right side by dconf 0.40
    b"\5\0\0\0\0i": "5",
    b"\7\0\0\0\0u": "uint32 7",
    b"\xf7\xff\0n": "int16 -9",
    b"\1\0\0q": "uint16 1",
    b"\xf7\xff\xff\xff\xff\xff\xff\xff\0x": "int64 -9",
    b"\1\0\0\0\0\0\0\0\0t": "uint64 1",
    b"\t\0y": "byte 0x09",
    b"\1\0b": "true",
    b"\0\0b": "false",
    struct.pack("<d", 0.1) + b"\0d": "0.10000000000000001",
    struct.pack("<d", 3.0) + b"\0d": "3.0",
    struct.pack("<d", 1e300) + b"\0d": "1.0000000000000001e+300",
    b"it\0\0s": "'it'",
    "it's \" \\ x\n\t\1 é\0\0s".encode(): '"it\'s \\" \\\\ x\\n\\t\\u0001 é"',
    "\U000e0001\0\0s".encode(): r"'\U000e0001'",
    b"/a/b\0\0o": "objectpath '/a/b'",
    b"as\0\0g": "signature 'as'",
    b"a\0bb\0\0\2\5\6\0as": "['a', 'bb', '']",
    b"\0as": "@as []",
    b"\0a{sv}": "@a{sv} {}",
    b"\1\0\0\0\2\0\0\0\0ai": "[1, 2]",
    b"\1\2\0ay": "[byte 0x01, 0x02]",
    b"hi'\1\\\0\0ay": 'b"hi\'\\001\\\\"',
    b"\1\0\0\0\2\0\0\0\4\x08\0aau": "[[uint32 1], [2]]",
    b"a\0us\0\2\0(ss)": "('a', 'us')",
    b"\1\0\0\0\0(i)": "(1,)",
    b"\0\0()": "()",
    b"a\0\0\0\1\0\0\0\1\2\0(sub)": "('a', uint32 1, true)",
    b"\5\0\0\0\0\0\0\0\0x\0v": "<int64 5>",
    b"\4\0\0\0\0mi": "@mi 4",
    b"\0ms": "@ms nothing",
    b"\0\0mms": "@mms just nothing",
    b"\1\0\0\0a\0\0\0\2\0\0\0b\0\6\x0e\0a{us}": "{uint32 1: 'a', 2: 'b'}",
}


@pytest.mark.parametrize(("data", "shown"), CASES.items())
def test_a_value_is_shown_as_dconf_shows_it(data: bytes, shown: str) -> None:
    assert variant_text(data) == shown


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"i",
        b"\0\0",
        b"\0z",
        b"\0ii",
        b"\0(i",
        b"\0{vs}",
        b"\0{i}",
        b"\0\xff",
        b"\1\0i",
        b"\2\0b",
        b"no end\0s",
        b"two\0ends\0\0s",
        b"\xff\0\0s",
        b"a\0\x09\0as",
        b"\1\2\3\0ai",
        b"a\0us\0\x09\0(ss)",
        b"\0" + b"a" * 40 + b"i",
        b"\5\0\0\0\0i" + b"\0v" * 40,
    ],
)
def test_what_is_not_in_normal_form_is_refused(data: bytes) -> None:
    with pytest.raises(RecordError):
        variant_text(data)


@given(st.binary(max_size=40), st.sampled_from(["as", "a{sv}", "(isv)", "aay", "mas", "(yt(s))", "av", "a(ss)", "a()"]))
def test_any_bytes_are_shown_or_refused(data: bytes, kind: str) -> None:
    assert shown_or_refused(data + b"\0" + kind.encode())


def shown_or_refused(data: bytes) -> str:
    try:
        return variant_text(data)
    except RecordError as error:
        return str(error)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_a_text_stands_on_one_line_and_in_its_quotes(value: str) -> None:
    shown = variant_text(value.encode() + b"\0\0s")
    assert shown[0] == shown[-1]
    assert shown[0] in "'\""
    assert shown.isprintable()
