"""The event log as an output: it pauses when it cannot be written, counts, and goes on by itself."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from tests.formats.entries import create
from tests.store.entries import START, created, made, record_ids
from tests.store.small_disk import fill, make_read_only, make_writable, on_small_disk

from pysmon.errors import SinkError
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.sink import WriteError
from pysmon.sinks.store import StoreSink
from pysmon.store.classes import MEGABYTE, Limits
from pysmon.store.query import Query
from pysmon.store.store import Store
from pysmon.store.writer import Writer


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def long_entries(first: int, count: int = 20) -> list[Entry[Event]]:
    return [created(n, CommandLine=f"{n} " * 2000) for n in range(first, first + count)]


def written_until_refused(sink: StoreSink) -> tuple[int, WriteError]:
    """The last record id that is in the log, and what was then said."""
    last = 0
    while True:
        try:
            sink.write(long_entries(last + 1))
        except WriteError as refusal:
            return last + refusal.written, refusal
        last += 20


def is_sound(path: Path) -> bool:
    file = sqlite3.connect(path)
    answer = file.execute("PRAGMA integrity_check").fetchone()[0]
    file.close()
    return bool(answer == "ok")


def test_entries_are_in_the_log(tmp_path: Path) -> None:
    sink = StoreSink(tmp_path / "log")
    sink.write([])
    sink.write([made(1), made(2)])
    sink.flush()
    sink.close()
    assert record_ids(tmp_path / "log") == [1, 2]
    assert sink.name == str(tmp_path / "log")


def test_it_is_calm_once_the_disk_has_all_and_nothing_is_to_be_tidied_up(tmp_path: Path) -> None:
    clock = Clock()
    sink = StoreSink(tmp_path / "log", clock=clock, sync_every=1.0)
    sink.write([made(1)])
    clock.now += 0.5
    sink.write([made(2)])
    assert not sink.calm
    sink.flush()
    assert not sink.calm  # it is not due yet
    clock.now += 1.0
    sink.flush()
    assert sink.calm
    sink.close()
    assert not sink.calm


def test_a_large_batch_is_written_in_several_transactions_and_what_went_out_is_told(tmp_path: Path) -> None:
    sink = StoreSink(tmp_path / "log")
    batch: list[Entry[Event]] = [made(n) for n in range(4500)]
    batch[4100] = created(4100, ProcessGuid=5)
    with pytest.raises(TypeError):
        sink.write(batch)
    sink.close()
    assert record_ids(tmp_path / "log") == list(range(4000))


def test_a_clock_that_jumps_ahead_costs_nothing_until_it_has_stayed_there(tmp_path: Path) -> None:
    day, week = 86_400, Limits(ages={"process": 7 * 86_400})
    year = 365 * day * 1_000_000_000

    def run(ahead: int, hours: int, first: int) -> list[int]:
        """What is in the log after a run of so many hours with a clock that is ahead."""
        clock = Clock()
        sink = StoreSink(
            tmp_path / "log", week, clock=clock, now=lambda: START + ahead + int(clock.now) * 1_000_000_000
        )
        sink.write([made(first)])
        for _ in range(hours):
            clock.now += 3600
            sink.flush()
            sink.flush()
        sink.close()
        return record_ids(tmp_path / "log")

    assert run(0, 1, 1) == [1]
    assert run(year, 5, 2) == [1, 2]
    assert run(year, 5, 3) == [1, 2, 3], "a start with the clock ahead is no other"
    assert run(0, 1, 4) == [1, 2, 3, 4]
    assert run(year, 43, 5) == [], "a clock that stays there is believed"


def test_a_full_disk_is_told_and_the_log_goes_on_when_there_is_room(tmp_path: Path) -> None:
    def act(disk: Path) -> None:
        clock = Clock()
        sink = StoreSink(disk / "log", clock=clock)
        last, refusal = written_until_refused(sink)
        assert "no space left" in str(refusal)
        assert refusal.hint
        assert record_ids(disk / "log") == list(range(1, last + 1))
        with pytest.raises(WriteError) as again:
            sink.write(long_entries(10_000))
        assert again.value.written == 0
        spare = disk / "spare"
        sink.flush()  # rests as well
        assert not spare.exists()
        sink.close()

    on_small_disk(tmp_path, 3000, act)


def test_entries_are_refused_at_once_until_it_is_time_to_try_again(tmp_path: Path) -> None:
    def act(disk: Path) -> None:
        clock = Clock()
        sink = StoreSink(disk / "log", clock=clock, retry=5.0)
        sink.write([made(1)])
        filler = fill(disk)
        last, _ = written_until_refused(sink)
        assert last < 1000
        filler.unlink()
        with pytest.raises(WriteError, match="no space left"):
            sink.write(long_entries(1000))
        clock.now = 6.0
        sink.write(long_entries(2000))
        sink.flush()
        with Store(disk / "log") as log:
            ids = [entry.record_id for entry in log.select(Query())]
        assert ids[-20:] == list(range(2000, 2020))
        assert not {*range(1000, 1020)} & {*ids}
        sink.close()
        assert is_sound(disk / "log")

    on_small_disk(tmp_path, 4000, act)


def test_a_disk_that_becomes_read_only_is_told_and_the_log_goes_on_when_it_is_writable_again(tmp_path: Path) -> None:
    def act(disk: Path) -> None:
        clock = Clock()
        clock.now = 10.0
        Writer(disk / "log").close()
        make_read_only(disk)
        sink = StoreSink(disk / "log", clock=clock)
        with pytest.raises(WriteError, match="read-only"):
            sink.write([made(1)])
        make_writable(disk)
        clock.now = 20.0
        sink.write([made(2)])
        sink.close()
        assert record_ids(disk / "log") == [2]
        assert is_sound(disk / "log")

    on_small_disk(tmp_path, 4000, act)


def test_a_log_on_a_full_disk_does_not_stop_a_start(tmp_path: Path) -> None:
    def act(disk: Path) -> None:
        clock = Clock()
        filler = fill(disk)
        sink = StoreSink(disk / "log", clock=clock)
        with pytest.raises(WriteError, match=r"space|failed|full"):
            sink.write([made(1)])
        filler.unlink()
        clock.now = 5.0
        sink.write([made(2)])
        sink.close()
        assert record_ids(disk / "log") == [2]

    on_small_disk(tmp_path, 4000, act)


def test_a_log_that_somebody_writes_already_is_refused(tmp_path: Path) -> None:
    sink = StoreSink(tmp_path / "log")
    with pytest.raises(SinkError, match=f"process {os.getpid()} writes it already"):
        StoreSink(tmp_path / "log")
    sink.close()


def test_the_end_by_force_of_the_last_run_is_told(tmp_path: Path) -> None:
    first = StoreSink(tmp_path / "log")
    first.write([made(7)])
    assert first.last_record_id == 7
    assert first._writer is not None
    first._writer._let_go()
    again = StoreSink(tmp_path / "log")
    assert again.gap is not None
    assert again.gap.record_id == 7
    assert again.last_record_id == 7
    assert again.damaged is None
    again.close()


def test_the_log_keeps_within_its_limit_while_it_is_written(tmp_path: Path) -> None:
    sink = StoreSink(tmp_path / "log", Limits(total=4 * MEGABYTE), now=lambda: START)
    for first in range(0, 8000, 200):
        sink.write([created(n, CommandLine=f"{n} " * 200) for n in range(first, first + 200)])
    sink.close()
    assert (tmp_path / "log").stat().st_size <= 4 * MEGABYTE
    assert record_ids(tmp_path / "log", Query(order="newest first", limit=1)) == [7999]


def test_a_closed_log_refuses_and_a_second_close_does_nothing(tmp_path: Path) -> None:
    sink = StoreSink(tmp_path / "log")
    sink.write([create()])
    sink.close()
    sink.close()
    sink.flush()
    with pytest.raises(SinkError, match="closed"):
        sink.write([create()])
