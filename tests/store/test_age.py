"""The time by which entries become too old, and a clock that is set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.store.entries import SECOND, START

from pysmon.store.age import FASTEST, AgeClock

HOUR = 3600


def test_it_shows_the_time_of_day() -> None:
    made = AgeClock(0, 100.0)
    assert made.at(START, 100.0) == START
    assert made.at(START + 5 * SECOND, 105.0) == START + 5 * SECOND


def test_a_jump_ahead_is_followed_slowly_and_a_jump_back_at_once() -> None:
    made = AgeClock(START, 0.0)
    year = 365 * 24 * HOUR * SECOND
    assert made.at(START + year, 0.0) == START
    assert made.at(START + year, float(HOUR)) == START + FASTEST * HOUR * SECOND
    assert made.at(START - 7, float(HOUR)) == START - 7


def test_after_a_weekend_without_the_machine_it_is_right_again_the_day_after() -> None:
    made, weekend = AgeClock(START, 0.0), 60 * HOUR * SECOND
    for hour in range(25):
        shows = made.at(START + weekend + hour * HOUR * SECOND, float(hour * HOUR))
    assert shows == START + weekend + 24 * HOUR * SECOND


@given(st.integers(0, START), st.lists(st.tuples(st.integers(0, 2 * START), st.floats(0, 1e6)), min_size=1))
def test_it_is_never_ahead_of_the_clock_nor_faster_than_it_may_be(last: int, looks: list[tuple[int, float]]) -> None:
    made, clock, before = AgeClock(last, 0.0), 0.0, last
    for now, passed in looks:
        clock += passed
        shows = made.at(now, clock)
        assert shows <= now
        if before:
            assert shows <= before + passed * FASTEST * SECOND + SECOND
        before = shows
