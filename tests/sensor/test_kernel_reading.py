"""Records of both rings come in the order of their times, also when the reader is far behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sensor.provoke import Stage, forked, run

from pysmon.schema.catalogue import FileCreate, ProcessCreate, ProcessTerminate
from pysmon.sensor.kernel import in_order
from pysmon.sensor.records import ExitRecord, FileCreateRecord

times = st.lists(st.integers(0, 50)).map(sorted)


def made_at(time: int) -> bytes:
    return ExitRecord.make(time=time).encode()


def created_at(time: int) -> bytes:
    return FileCreateRecord.make(time=time, inode=1).encode()


def times_of(records: list[bytes]) -> list[int]:
    return [int.from_bytes(r[8:16], "little") for r in records]


def test_records_of_both_rings_are_merged_by_time() -> None:
    ready, held = in_order([created_at(1), created_at(4)], [made_at(2), made_at(9)], more=False)
    assert times_of(ready) == [1, 2, 4, 9]
    assert held == []


def test_at_the_same_time_the_process_comes_first() -> None:
    ready, _ = in_order([created_at(3)], [made_at(3)], more=False)
    assert ready == [made_at(3), created_at(3)]


def test_process_records_wait_for_events_that_are_left_in_their_ring() -> None:
    ready, held = in_order([created_at(1), created_at(4)], [made_at(2), made_at(4), made_at(5)], more=True)
    assert times_of(ready) == [1, 2, 4, 4]
    assert held == [made_at(5)]


@pytest.mark.parametrize("more", [True, False])
def test_one_ring_alone_is_handed_on_as_it_is(more: bool) -> None:
    assert in_order([created_at(1)], [], more=more) == ([created_at(1)], [])
    assert in_order([], [made_at(1)], more=more) == ([made_at(1)], [])


@given(times, times, st.lists(st.integers(1, 9)))
def test_whatever_the_batches_all_records_come_once_and_in_order(
    of_events: list[int], of_processes: list[int], batches: list[int]
) -> None:
    events = [created_at(t) for t in of_events]
    processes, read = [made_at(t) for t in of_processes], []
    for size in [*batches, len(events) + 1]:
        ready, processes = in_order(events[:size], processes, more=len(events) > size)
        events = events[size:]
        read += ready
    assert processes == []
    assert times_of(read) == sorted(of_events + of_processes)


@pytest.mark.vm
def test_a_storm_that_is_read_late_comes_in_order_and_by_known_programs(provoke: Stage, tmp_path: Path) -> None:
    def act() -> None:
        for i in range(40):
            run("/bin/true")
            forked(lambda i=i: make_files(tmp_path / str(i), 250))  # type: ignore[misc]

    seen = provoke(act, read=False)
    assert len(seen.of(FileCreate)) == 40 * 250
    assert len(seen.of(ProcessCreate)) == 40
    assert len(seen.of(ProcessTerminate)) == 81
    assert {e.Image for e in seen.of(FileCreate)} == {os.path.realpath("/proc/self/exe")}
    by_time = [r.time for r in seen.records]
    assert by_time == sorted(by_time)


def make_files(folder: Path, count: int) -> None:
    folder.mkdir()
    for i in range(count):
        os.close(os.open(folder / f"{i:200}", os.O_CREAT | os.O_WRONLY))
