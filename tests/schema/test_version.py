"""Schema versions: reading, comparing, writing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.schema.version import SchemaVersion


@given(st.integers(0, 9999), st.integers(0, 99))
def test_a_version_reads_back_from_what_it_prints(major: int, minor: int) -> None:
    version = SchemaVersion(major, minor)
    assert SchemaVersion.parse(str(version)) == version


@pytest.mark.parametrize(("one", "other"), [("4.1", "4.10"), ("4.9", "4.90"), ("4", "4.00"), (" 4.90 ", "4.90")])
def test_two_spellings_of_one_version_are_equal(one: str, other: str) -> None:
    assert SchemaVersion.parse(one) == SchemaVersion.parse(other)


def test_versions_compare_by_number_and_not_by_text() -> None:
    parse = SchemaVersion.parse
    assert parse("3.2") > parse("3.10")
    assert parse("4.9") > parse("4.22")
    assert parse("10.0") > parse("9.99")


def test_digits_beyond_the_second_are_rounded_as_sysmon_does() -> None:
    assert SchemaVersion.parse("4.226") == (4, 23)
    assert SchemaVersion.parse("4.999") == (5, 0)
    assert [SchemaVersion.parse(text).minor for text in ("4.215", "4.225", "4.235")] == [21, 22, 24]  # as "%.2f" does


@pytest.mark.parametrize("text", ["", "four", "4.", ".5", "4.x", "-4.1", "4.1.2", "4,90"])
def test_what_is_no_number_is_refused_and_named(text: str) -> None:
    with pytest.raises(ValueError, match="not a schema version") as caught:
        SchemaVersion.parse(text)
    assert repr(text) in str(caught.value)
