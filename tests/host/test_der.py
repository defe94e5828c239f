"""Values of ASN.1: what is whole is read, what is not is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.errors import RecordError
from pysmon.host.der import OID, SEQUENCE, Value, dotted, inside, parts, text

VALUES = st.lists(st.tuples(st.sampled_from([0x02, 0x04, 0x0C, 0x30, 0xA0]), st.binary(max_size=300)), max_size=5)


def value(tag: int, content: bytes) -> bytes:
    """A value with its length in as few bytes as can be."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


@given(VALUES)
def test_what_is_put_together_comes_apart_again(values: list[tuple[int, bytes]]) -> None:
    assert parts(b"".join(value(*each) for each in values)) == [Value(*each) for each in values]


@given(VALUES.filter(bool), st.integers(1, 3))
def test_a_value_that_is_cut_off_is_refused(values: list[tuple[int, bytes]], missing: int) -> None:
    last = value(*values[-1])
    with pytest.raises(RecordError):
        parts(last[: max(1, len(last) - missing)])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x30", "cut off"),
        (b"\x1f\x81\x01\x00", "more than one byte"),
        (b"\x30\x80\x00\x00", "length of 0 bytes"),
        (b"\x30\x85\x00\x00\x00\x00\x00", "length of 5 bytes"),
        (b"\x30\x84\xff\xff\xff\xff", "4294967295 bytes"),
        (b"\x05\x00" * 300, "more than 256 parts"),
    ],
)
def test_what_the_encoding_forbids_is_refused_by_name(data: bytes, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        parts(data)


def test_another_tag_than_the_one_that_is_looked_for_is_refused() -> None:
    with pytest.raises(RecordError, match=r"the signer has the tag 0x04 \(expected 0x30\)"):
        inside(Value(0x04, b""), SEQUENCE, "the signer")
    assert inside(Value(SEQUENCE, b"\x05\x00"), SEQUENCE, "it") == [Value(5, b"")]


@pytest.mark.parametrize(
    ("content", "shown"),
    [("550403", "2.5.4.3"), ("2a864886f70d010702", "1.2.840.113549.1.7.2"), ("00", "0.0"), ("883703", "2.999.3")],
)
def test_an_object_identifier_is_shown_in_numbers(content: str, shown: str) -> None:
    assert dotted(bytes.fromhex(content)) == shown


@pytest.mark.parametrize("content", [b"", b"\x55\x84", b"\xff" * 20 + b"\x01"])
def test_an_object_identifier_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(RecordError, match="object identifier"):
        dotted(content)


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (Value(0x0C, "Käse".encode()), "Käse"),
        (Value(0x13, b"plain"), "plain"),
        (Value(0x1E, "Käse".encode("utf-16-be")), "Käse"),
        (Value(0x0C, b"\xff"), "\ufffd"),
        (Value(OID, b"x"), ""),
    ],
)
def test_texts_of_all_kinds_are_read(made: Value, shown: str) -> None:
    assert text(made) == shown
