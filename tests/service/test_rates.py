"""How fast something goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.service.rates import NO_RATES, Meter, Rates

SECOND = 1_000_000_000


def steady(per_second: int, seconds: int) -> Meter:
    meter = Meter(0)
    for second in range(1, seconds + 1):
        meter.note(second * SECOND, second * per_second)
    return meter


def test_a_steady_pace_is_the_same_over_any_time() -> None:
    assert steady(7, 100).rates(100 * SECOND, 700) == Rates(7.0, 7.0, 7.0)


def test_a_burst_shows_in_the_last_seconds_first() -> None:
    meter = steady(0, 100)
    assert meter.rates(100 * SECOND, 120) == Rates(12.0, 2.0, 1.2)


def test_a_burst_of_long_ago_shows_only_since_the_start() -> None:
    meter = Meter(0, 1000)
    for second in range(1, 100):
        meter.note(second * SECOND, 1000 + 990)
    assert meter.rates(99 * SECOND, 1000 + 990) == Rates(0.0, 0.0, 10.0)


def test_a_time_that_has_not_passed_yet_counts_as_long_as_it_is() -> None:
    assert Meter(0).rates(2 * SECOND, 10) == Rates(5.0, 5.0, 5.0)


def test_at_the_start_there_is_no_rate() -> None:
    assert Meter(5, 100).rates(5, 100) == NO_RATES


def test_who_looks_rarely_still_gets_a_rate() -> None:
    meter = Meter(0)
    meter.note(3600 * SECOND, 3600)
    assert meter.rates(3605 * SECOND, 3650).ten_seconds == pytest.approx(3650 / 3605)


@given(st.lists(st.tuples(st.integers(0, 5 * SECOND), st.integers(0, 1000)), max_size=300))
def test_no_rate_counts_more_than_there_was(steps: list[tuple[int, int]]) -> None:
    meter, now, count = Meter(0), 0, 0
    for passed, more in steps:
        now, count = now + passed, count + more
        meter.note(now, count)
    rates = meter.rates(now, count)
    assert rates.since_start * now / SECOND == pytest.approx(count if now else 0)
    for rate, window in ((rates.ten_seconds, 10), (rates.minute, 60)):
        assert 0 <= rate * min(now / SECOND, window) <= count * 1.000001


def test_a_meter_remembers_little_however_long_it_runs() -> None:
    assert len(steady(3, 10_000)) <= 62


def test_a_meter_that_is_asked_often_remembers_no_more() -> None:
    meter = Meter(0)
    for step in range(10_000):
        meter.note(step * SECOND // 100, step)
    assert len(meter) <= 62
