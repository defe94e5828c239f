"""The books of an output: whatever happens, every entry is in exactly one place, and order is kept."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.store.entries import made

from pysmon.pipeline.waiting import Entries, LaneLimits, Waiting

LIMITS = LaneLimits(entries=20, bytes=2000)


def numbers(entries: Entries) -> list[int]:
    return [entry.record_id for entry in entries]


class Books(RuleBasedStateMachine):
    """Drives the books with a list for the disk; `lost` entries are known by what never arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.books = Waiting(LIMITS, disk=True)
        self.number = 0
        self.disk: list[int] = []
        self.written: list[int] = []
        self.hand: Entries = ()
        self.moving: Entries = ()

    @rule(count=st.integers(0, 30), each=st.integers(1, 300))
    def put(self, count: int, each: int) -> None:
        self.books.take_in([made(self.number + n) for n in range(count)], count * each)
        self.number += count

    @precondition(lambda self: not self.hand)
    @rule(most=st.integers(1, 9))
    def take(self, most: int) -> None:
        self.hand = self.books.next(most)

    @precondition(lambda self: self.hand)
    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(0, len(self.hand)))
        self.books.wrote(count)
        self.written += numbers(self.hand[:count])
        self.hand = ()

    @precondition(lambda self: not self.hand and not self.books._front and self.disk)
    @rule(data=st.data())
    def write_from_disk(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(0, len(self.disk)))
        self.books.wrote_from_disk(count)
        self.written += self.disk[:count]
        del self.disk[:count]

    @precondition(lambda self: not self.moving)
    @rule()
    def begin_to_move(self) -> None:
        self.moving = self.books.move()

    @precondition(lambda self: self.moving)
    @rule(data=st.data())
    def end_to_move(self, data: st.DataObject) -> None:
        kept = data.draw(st.integers(0, len(self.moving)))
        self.books.moved(kept)
        self.disk += numbers(self.moving[:kept])
        self.moving = ()

    @rule()
    def retreat(self) -> None:
        self.books.retreat()

    @precondition(lambda self: not self.hand)
    @rule()
    def end_spilling(self) -> None:
        self.books.end_spilling()

    @invariant()
    def every_entry_is_in_one_place(self) -> None:
        books = self.books
        assert books.put == self.number
        assert books.put == books.queued + books.spilled + books.written + books.lost
        assert min(books.queued, books.spilled, books.written, books.lost, books.queued_bytes) >= 0
        assert (books.spilled, books.written) == (len(self.disk), len(self.written))
        older, newer = books.rest()
        assert len(older) + len(newer) == books.queued

    @invariant()
    def order_is_kept(self) -> None:
        older, newer = self.books.rest()
        everything = [*self.written, *numbers(older), *self.disk, *numbers(newer)]
        assert everything == sorted(set(everything))

    @invariant()
    def no_more_waits_than_there_is_room_for(self) -> None:
        assert self.books.queued <= LIMITS.entries
        assert self.books.queued_bytes <= LIMITS.bytes


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), max_size=9))
def test_what_does_not_fit_and_has_no_disk_is_lost(counts: list[int]) -> None:
    books = Waiting(LaneLimits(entries=10), disk=False)
    for count in counts:
        books.take_in([made(n) for n in range(count)], 1)
    assert books.queued == min(sum(counts), 10)
    assert books.lost == sum(counts) - books.queued
    assert not books.spilling


def test_an_entry_that_is_larger_than_all_the_room_goes_alone() -> None:
    books = Waiting(LaneLimits(bytes=100), disk=False)
    books.take_in([made(1)], 500)
    books.take_in([made(2)], 500)
    assert numbers(books.next(9)) == [1]
    assert books.lost == 1


def test_what_is_put_too_late_is_lost() -> None:
    books = Waiting(LIMITS, disk=True)
    books.refuse([made(1)])
    assert (books.put, books.lost, books.queued) == (1, 1, 0)


def test_a_part_of_the_queue_is_kept_for_what_goes_to_the_disk() -> None:
    books = Waiting(LIMITS, disk=True)
    books.take_in([made(n) for n in range(18)], 18)
    assert books.to_move
    assert numbers(books.move()) == [15, 16, 17]
    books.moved(1)
    assert (books.queued, books.spilled, books.lost) == (17, 1, 0)
    assert numbers(books.move()) == [16, 17]
    books.moved(2)
    assert not books.end_spilling()
    assert numbers(books.next(99)) == list(range(15))
    books.wrote(15)
    books.wrote_from_disk(3)
    books.take_in([made(20)], 1)
    assert books.end_spilling()
    assert numbers(books.next(99)) == [20]


def test_of_the_end_what_the_disk_keeps_is_spilled_and_the_rest_lost() -> None:
    books = Waiting(LIMITS, disk=True)
    books.take_in([made(n) for n in range(18)], 18)
    older, newer = books.rest()
    assert (numbers(older), numbers(newer)) == (list(range(15)), [15, 16, 17])
    books.rested(16)
    assert (books.queued, books.queued_bytes, books.spilled, books.lost) == (0, 0, 16, 2)
    assert books.rest() == ([], [])


def test_entries_that_could_not_be_taken_for_their_content_are_lost() -> None:
    books = Waiting(LIMITS, disk=False)
    books.take_in([made(1), made(2)], 2)
    books.next(9)
    books.wrote(2)
    books.gave_up(1)
    assert (books.written, books.lost) == (1, 1)
    books.found = books.spilled = 3
    books.lost_from_disk(2)
    assert (books.spilled, books.lost) == (1, 3)
