"""What a full log gives up, and what it never does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.entries import SECOND, START, created, made, record_ids

from pysmon.errors import MisuseError
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.store.classes import BY_ID, BY_NAME, CLASSES, MEGABYTE, Limits
from pysmon.store.query import Query
from pysmon.store.retention import to_drop
from pysmon.store.segments import Segment
from pysmon.store.store import Store
from pysmon.store.writer import Writer

SMALL = Limits(total=4 * MEGABYTE)


def segment(name: str, number: int, size: int, newest: int = 0, dropped: int = 0) -> Segment:
    return Segment(name, number, number, number, 1, 0, newest, newest, 1, size, dropped)


def classes_of_sizes() -> st.SearchStrategy[list[Segment]]:
    sizes = st.lists(st.integers(1, 400_000), max_size=12)
    return st.tuples(*[sizes] * len(CLASSES)).map(
        lambda all_sizes: [
            segment(c.name, n, size)
            for c, found in zip(CLASSES, all_sizes, strict=True)
            for n, size in enumerate(found, 1)
        ]
    )


def total(segments: list[Segment], name: str = "") -> int:
    return sum(s.bytes for s in segments if name in ("", s.event_class))


@given(classes_of_sizes())
def test_a_class_within_its_share_gives_up_nothing(segments: list[Segment]) -> None:
    gone = to_drop(segments, SMALL, total(segments), 0)
    for each in CLASSES:
        if total(segments, each.name) <= SMALL.guaranteed(each):
            assert total(gone, each.name) == 0


@given(classes_of_sizes())
def test_what_is_left_fits_or_is_the_newest_of_each_class(segments: list[Segment]) -> None:
    gone = to_drop(segments, SMALL, total(segments), 0)
    left = [s for s in segments if s not in gone]
    fits = total(left) <= SMALL.room
    assert fits or max(sum(s.event_class == c.name for s in left) for c in CLASSES) == 1


@given(classes_of_sizes(), st.integers(1, 20))
def test_the_oldest_of_a_class_go_first(segments: list[Segment], scale: int) -> None:
    gone = to_drop(segments, SMALL, total(segments) * scale // 5, 0)
    for each in CLASSES:
        numbers = [s.number for s in gone if s.event_class == each.name]
        assert numbers == list(range(1, len(numbers) + 1))


@given(classes_of_sizes())
def test_no_more_is_given_up_than_must_be(segments: list[Segment]) -> None:
    gone = to_drop(segments, SMALL, total(segments), 0)
    if gone:
        kept = total(segments) - total(gone[:-1])
        assert kept > SMALL.room


def test_what_is_too_old_goes_even_if_it_is_the_newest_and_nothing_else_does() -> None:
    limits = Limits(ages={"file": 100})
    segments = [segment("file", n, 10, newest=n * 60 * SECOND) for n in (1, 2, 3)]
    segments.append(segment("process", 1, 10))
    assert [s.number for s in to_drop(segments, limits, 40, 230 * SECOND)] == [1, 2]
    assert [s.number for s in to_drop(segments, limits, 40, 999 * SECOND)] == [1, 2, 3]


def test_what_was_written_while_the_clock_was_ahead_is_no_newer_than_what_came_after_it() -> None:
    limits = Limits(ages={"file": 100})
    segments = [segment("file", 1, 10, newest=60 * SECOND), segment("file", 2, 10, newest=10**9 * SECOND)]
    assert to_drop(segments, limits, 20, 300 * SECOND) == segments[:1]
    segments += [segment("file", 3, 10, newest=90 * SECOND), segment("file", 4, 10, newest=200 * SECOND)]
    assert to_drop(segments, limits, 40, 195 * SECOND) == segments[:3]
    assert to_drop(segments, limits, 40, 185 * SECOND) == segments[:1]


def test_what_is_being_removed_already_is_not_chosen_again() -> None:
    segments = [segment("file", 1, 10, dropped=1), segment("file", 2, 10, newest=10**18)]
    assert to_drop(segments, Limits(ages={"file": 1}), 20, 10 * SECOND) == []


def test_every_event_type_is_of_one_class_and_the_shares_are_the_whole() -> None:
    assert sorted(i for c in CLASSES for i in c.ids) == sorted(EVENTS)
    assert sum(c.share for c in CLASSES) == 100
    assert BY_ID[1] is BY_NAME["process"]


def test_limits_that_cannot_work_are_refused() -> None:
    with pytest.raises(MisuseError, match="proces"):
        Limits(ages={"proces": 1})
    with pytest.raises(MisuseError, match="too small"):
        Limits(total=1000)


def fill(path: Path, limits: Limits, count: int, make: Callable[[int], Entry[Event]], now: int = START) -> None:
    """Write entries as a sink does, tidying up after each batch."""
    clock = iter(range(0, 10**9, 5))
    writer = Writer(path, limits, sync_every=1e9, clock=lambda: float(next(clock)))
    for first in range(0, count, 100):
        writer.write([make(n) for n in range(first, first + 100)])
        writer.tidy(now)
    writer.close()


def test_a_flood_of_files_leaves_every_process_in_the_log(tmp_path: Path) -> None:
    def flood(n: int) -> Entry[Event]:
        return created(n) if n % 100 == 0 else made(n, 11, TargetFilename=f"/tmp/{n}-{'x' * 150}")

    fill(tmp_path / "log", SMALL, 40_000, flood)
    assert record_ids(tmp_path / "log", Query(ids=frozenset([1]))) == list(range(0, 40_000, 100))
    files = record_ids(tmp_path / "log", Query(ids=frozenset([11])))
    assert 1000 < len(files) < 39_600
    assert files == [n for n in range(files[0], 40_000) if n % 100], "the newest are left, without a hole"
    assert (tmp_path / "log").stat().st_size <= SMALL.total


def test_a_class_alone_may_use_all_the_room(tmp_path: Path) -> None:
    fill(tmp_path / "log", SMALL, 20_000, lambda n: made(n, 11, TargetFilename=f"/tmp/{n}-{'x' * 150}"))
    with Store(tmp_path / "log") as log:
        assert sum(h.bytes for h in log.holdings()) > SMALL.total // 2


def test_space_is_given_back_to_the_file_system(tmp_path: Path) -> None:
    path = tmp_path / "log"
    fill(path, Limits(total=64 * MEGABYTE), 20_000, lambda n: made(n, 11, TargetFilename=f"/tmp/{n}-{'x' * 250}"))
    large = path.stat().st_size
    writer = Writer(path, SMALL)
    writer.write([made(20_000, 11)])
    while writer.tidy(START):
        pass
    writer.close()
    assert large > 4 * MEGABYTE
    assert path.stat().st_size <= SMALL.total
    assert record_ids(path, Query(order="newest first", limit=1)) == [20_000]
    assert is_sound(path)


def test_entries_that_are_too_old_go_and_their_class_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    limits = Limits(ages={"network": 3600})
    fill(path, limits, 200, lambda n: made(n, 3 if n % 2 else 1))
    fill(path, limits, 100, lambda n: made(10_000 + n, 3), now=START + 10_000 * SECOND)
    fill(path, limits, 100, lambda n: made(20_000 + n, 5), now=START + 20_000 * SECOND)
    left = record_ids(path)
    assert [n for n in left if n < 1000] == list(range(0, 200, 2))
    assert not [n for n in left if 10_000 <= n < 20_000]
    fill(path, limits, 100, lambda n: made(30_000 + n, 3), now=START + 30_000 * SECOND)
    assert record_ids(path, Query(ids=frozenset([3]))) == list(range(30_000, 30_100))
    assert is_sound(path)


def test_positions_are_never_used_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    limits = Limits(ages={c.name: 60 for c in CLASSES})
    fill(path, limits, 100, made)
    fill(path, limits, 100, lambda n: made(n + 10_000), now=START + 20_000 * SECOND)
    assert record_ids(path) == []
    with Store(path) as log:
        assert log.end() == 200
    fill(path, limits, 100, lambda n: made(n + 30_000), now=START + 30_000 * SECOND)
    with Store(path) as log:
        assert [position for position, _ in log.rows(Query())] == list(range(201, 301))


def test_a_reader_sees_no_half_of_what_is_being_removed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    fill(path, Limits(total=64 * MEGABYTE), 30_000, lambda n: made(n, 11, TargetFilename=f"/tmp/{n}-{'x' * 150}"))
    writer = Writer(path, SMALL)
    while writer.tidy(START):
        with Store(path) as log:
            for entry in log.select(Query(limit=20)):
                assert entry.event.text("TargetFilename").startswith(f"/tmp/{entry.record_id}-")
    writer.close()


def test_what_is_given_up_is_hidden_at_once_and_its_class_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = Writer(path, Limits(total=4 * MEGABYTE, ages={"file": 60}), clock=lambda: 0.0)
    writer.write([made(n, 11, TargetFilename=f"/tmp/{n}") for n in range(5000)])
    assert writer.tidy(START + 10**6 * SECOND), "one step of many"
    assert record_ids(path) == []
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT count(*) FROM FileCreate").fetchone()[0] > 0
    file.close()
    writer.write([made(4999, 11)])  # as old as the last
    assert record_ids(path) == [4999]
    writer.close()


def test_numbers_of_texts_are_never_used_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    limits = Limits(ages={"file": 60})
    fill(path, limits, 100, lambda n: made(n, 11, TargetFilename=f"/old/{n}"))
    with Store(path) as log:
        assert len(list(log.select(Query()))) == 100  # it remembers their texts
        fill(path, limits, 100, created, now=START + 10**6 * SECOND)
        fill(path, limits, 100, lambda n: made(10**7 + n, 11, TargetFilename=f"/new/{n}"), now=START)
        names = [e.event.text("TargetFilename") for e in log.select(Query(ids=frozenset([11])))]
    assert names == [f"/new/{n}" for n in range(100)]


def is_sound(path: Path) -> bool:
    file = sqlite3.connect(path)
    answer = file.execute("PRAGMA integrity_check").fetchone()[0]
    file.close()
    return bool(answer == "ok")
