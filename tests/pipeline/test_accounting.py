"""The books: every record has one fate, and what was lost is said in the words of event 255."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pysmon.pipeline.accounting import EVENT_FAMILIES, Accounting, Books, FamilyCount, losses
from pysmon.sensor.kernel import Count
from pysmon.sensor.records import FAMILIES, RECORDS

KIND = {record.layout.family: kind for kind, record in RECORDS.items()}
NOTHING = dict.fromkeys(FAMILIES, Count(0, 0))
numbers = st.integers(0, 1000)


def test_a_fork_makes_no_event_and_is_no_family_of_the_books() -> None:
    assert "fork" not in EVENT_FAMILIES
    assert {*EVENT_FAMILIES, "fork"} == set(FAMILIES)
    assert Accounting().families(NOTHING).keys() == set(EVENT_FAMILIES)


@given(st.sampled_from(EVENT_FAMILIES), numbers, numbers, numbers, numbers)
def test_what_is_due_is_kept_filtered_or_lost(
    family: str, kept: int, filtered: int, dropped: int, garbled: int
) -> None:
    books = Accounting()
    books.records_kept[KIND[family]] = kept
    books.records_filtered[KIND[family]] = filtered
    books.unreadable[family] = garbled
    due = kept + filtered + dropped + garbled
    count = books.families(NOTHING | {family: Count(due, dropped)})[family]
    assert count == FamilyCount(seen=due, kept=kept, filtered=filtered, lost=dropped + garbled)
    assert count.exact
    assert not books.families(NOTHING | {family: Count(due + 1, dropped)})[family].exact


def test_losses_are_told_by_family_since_the_last_reading() -> None:
    before = NOTHING | {"process": Count(10, 2), "network": Count(5, 5)}
    now = NOTHING | {"process": Count(20, 5), "network": Count(9, 5), "file create": Count(4, 4)}
    assert losses(before, now) == "Events dropped from driver queue: process:3,file create:4"


def test_lost_forks_are_told_too() -> None:
    assert losses(NOTHING, NOTHING | {"fork": Count(1, 1)}) == "Events dropped from driver queue: fork:1"


def test_nothing_is_told_where_nothing_was_lost() -> None:
    assert losses(NOTHING, NOTHING | {"process": Count(10, 0)}) == ""


def test_an_equation_says_what_is_still_on_its_way() -> None:
    assert str(FamilyCount(10, 2, 7, 1)) == "10 seen = 2 kept + 7 filtered + 1 lost"
    assert str(FamilyCount(12, 2, 7, 1, 2)) == "12 seen = 2 kept + 7 filtered + 2 pushed down + 1 lost"
    assert str(FamilyCount(12, 2, 7, 1)) == "12 seen = 2 kept + 7 filtered + 1 lost + 2 in flight"


@given(numbers, numbers, numbers)
def test_books_balance_if_all_that_was_due_is_done_and_nothing_more(earlier: int, meanwhile: int, done: int) -> None:
    books = Books({}, {}, {"process": FamilyCount(earlier + meanwhile, 0, done, 0)})
    balanced = earlier <= done <= earlier + meanwhile
    assert books.unbalanced({"process": Count(earlier, 0)}) == ([] if balanced else ["process"])
