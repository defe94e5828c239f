"""X authority files."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pysmon.sensor.clipboard.authority import NO_COOKIE, cookie, read_authority

COOKIE = b"MIT-MAGIC-COOKIE-1"


def entry(number: bytes, data: bytes, name: bytes = COOKIE) -> bytes:
    parts = (b"host", number, name, data)
    return b"\1\0" + b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def test_the_cookie_of_the_display_is_taken_before_one_for_any() -> None:
    data = entry(b"", b"any") + entry(b"1", b"one") + entry(b"11", b"eleven")
    assert cookie(data, "1") == (COOKIE, b"one")
    assert cookie(data, "2") == (COOKIE, b"any")


def test_other_kinds_of_keys_are_none() -> None:
    assert cookie(entry(b"1", b"secret", b"XDM-AUTHORIZATION-1"), "1") == NO_COOKIE


@given(st.binary(max_size=200))
def test_no_bytes_are_too_odd(data: bytes) -> None:
    assert cookie(data, "1") == NO_COOKIE or COOKIE in data


@given(st.integers(0, 60))
def test_an_entry_that_is_cut_is_none(size: int) -> None:
    whole = entry(b"1", b"one")
    assert cookie(whole[:size], "1") == (NO_COOKIE if size < len(whole) else (COOKIE, b"one"))


def test_only_files_are_read_and_none_that_is_too_long(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "long").write_bytes(bytes(1 << 17))
    (tmp_path / "good").write_bytes(b"x")
    found = [read_authority(str(tmp_path / name)) for name in ("fifo", "long", "absent", "good", "nul\0")]
    assert found == [b"", b"", b"", b"x", b""]
