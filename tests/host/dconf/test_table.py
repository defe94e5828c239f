"""Databases of dconf are read whole, or refused with the reason; bytes of an attacker cost no more than they weigh."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.host.dconf.databases import NO_PARENT, database, number, text, with_items

from pysmon.errors import RecordError
from pysmon.host.dconf.table import LARGEST, read_table

SCHEME, LOCK = "/org/gnome/desktop/interface/color-scheme", "/org/gnome/desktop/screensaver/lock-enabled"
VALUES = {SCHEME: text("prefer-dark"), LOCK: b"\1\0b", "/x": number(7)}
AFTER_ONE, AFTER_TWO = 24 + 8 + 24, 24 + 8 + 48  # where the heap begins behind so many items
_NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8)


def test_values_are_found_by_their_whole_keys() -> None:
    assert read_table(database(VALUES)) == VALUES
    assert read_table(database({}, bloom=0, buckets=0)) == {}
    assert read_table(b"") == {}


@given(
    st.dictionaries(st.lists(_NAMES, min_size=1, max_size=4).map(lambda n: "/" + "/".join(n)), st.binary(max_size=9))
)
def test_whatever_was_written_is_read(values: dict[str, bytes]) -> None:
    folders = {key[: n + 1] for key in values for n, letter in enumerate(key) if letter == "/"}
    plain = {key: value for key, value in values.items() if f"{key}/" not in folders}
    assert read_table(database(plain)) == plain


@given(st.binary(max_size=300).map(lambda tail: b"GVariant" + bytes(8) + tail) | st.binary(max_size=40))
@example(database(VALUES)[:-1])
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    found = read_or_refused(data)
    assert all(key.startswith("/") for key in found)
    assert sum(map(len, found.values())) <= len(data)


@given(st.integers(0, len(database(VALUES)) - 1), st.integers(0, 255))
def test_a_byte_that_was_changed_does_no_harm(at: int, byte: int) -> None:
    data = bytearray(database(VALUES))
    data[at] = byte
    assert all(key.startswith("/") for key in read_or_refused(bytes(data)))


def read_or_refused(data: bytes) -> dict[str, bytes]:
    try:
        return read_table(data)
    except RecordError:
        return {}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GVariant", "a database of 8 bytes"),
        (b"GVariant" + bytes(LARGEST), "a database of 1048584 bytes"),
        (b"raVGtnai" + bytes(16), "no database of dconf"),
        (b"GVariant\1" + bytes(15), "no database of dconf"),
        (b"GVariant" + bytes(8) + b"\x18\0\0\0\xff\0\0\0", "goes from 24 to 255"),
        (b"GVariant" + bytes(8) + b"\x18\0\0\0\x18\0\0\0", "a table of 0 bytes"),
        (with_items((NO_PARENT, AFTER_ONE, 1, b"v", AFTER_ONE, AFTER_ONE), heap=b"x"), "a key begins with b'x'"),
        (with_items((0, AFTER_ONE, 1, b"v", AFTER_ONE, AFTER_ONE), heap=b"/"), "goes round in circles"),
        (with_items((9, AFTER_ONE, 1, b"v", AFTER_ONE, AFTER_ONE), heap=b"/"), "parent is number 9 of 1"),
        (with_items((NO_PARENT, AFTER_ONE, 2000, b"v", 0, 0), heap=b"/" * 2000), "more than 1024 bytes"),
        (with_items((NO_PARENT, AFTER_ONE, 1, b"v", 9, 8), heap=b"/"), "goes from 9 to 8"),
    ],
)
def test_what_is_damaged_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        read_table(data)


def test_values_that_lie_over_each_other_are_refused_before_they_cost_anything() -> None:
    whole = (NO_PARENT, AFTER_TWO, 1, b"v", 0, AFTER_TWO + 1)
    with pytest.raises(RecordError, match="lie over each other"):
        read_table(with_items(whole, whole, heap=b"/"))


def test_tables_in_the_table_are_left_out() -> None:
    item = (NO_PARENT, AFTER_ONE, 6, b"H", 0, 0)
    assert read_table(with_items(item, heap=b".locks")) == {}
