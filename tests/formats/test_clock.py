"""The time of the envelope."""

from __future__ import annotations

from pysmon.formats.clock import system_time


def test_a_time_has_nine_decimals_and_a_z() -> None:
    assert system_time(0) == "1970-01-01T00:00:00.000000000Z"
    assert system_time(1795241433_486357001) == "2026-11-21T06:10:33.486357001Z"


def test_the_last_nanosecond_of_a_second_belongs_to_it() -> None:
    assert system_time(1795241433_999999999) == "2026-11-21T06:10:33.999999999Z"
    assert system_time(1795241434_000000000) == "2026-11-21T06:10:34.000000000Z"
