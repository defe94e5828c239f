"""Entries in the order in which things happened, with a bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from tests.formats.entries import any_event
from tests.sources.evtx_files import ORIGIN

from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sources.order import in_order


def entry(time: int, record: int, text: str = "-", **extra: object) -> Entry[Event]:
    return Entry(record, time, any_event(EVENTS[5], Image=text, extra=extra or None), ORIGIN)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.text(max_size=5)), max_size=30), st.integers(1, 12))
def test_entries_come_out_sorted_and_equal(rows: list[tuple[int, int, str]], part: int) -> None:
    entries = [entry(*row) for row in rows]
    expected = sorted(entries, key=lambda e: (e.time, e.record_id))
    assert list(in_order(entries, part)) == expected


def test_odd_values_survive_the_file() -> None:
    odd = [entry(3, 1, "a\udc80b", x=1 << 70, y="\ud800"), entry(2, 1, "\n\0"), entry(1, 1, "ä🜚", z=[None, 1.5])]
    assert list(in_order(odd, 1)) == odd[::-1]


def test_no_more_than_a_part_is_taken_at_a_time() -> None:
    taken = 0

    def endless() -> Iterator[Entry[Event]]:
        nonlocal taken
        for taken in range(1, 10_001):
            yield entry(taken % 7, taken)

    first = next(iter(in_order(endless(), 100)))
    assert (first.time, taken) == (0, 10_000)
