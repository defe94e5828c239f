"""Times as Sysmon writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pysmon.assemble.utc import UtcTexts, utc_text


def test_a_time_is_cut_to_milliseconds() -> None:
    assert utc_text(1_795_241_433_206_999_999) == "2026-11-21 06:10:33.206"
    assert utc_text(0) == "1970-01-01 00:00:00.000"


@given(st.lists(st.integers(0, 4_000_000_000_000_000_000), min_size=1, max_size=5))
def test_times_in_any_order_are_those_of_the_calendar(times: list[int]) -> None:
    texts = UtcTexts()
    for ns in times:
        then = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ns // 1_000_000)
        assert texts.text(ns) == then.strftime("%Y-%m-%d %H:%M:%S.") + f"{then.microsecond // 1000:03d}"
