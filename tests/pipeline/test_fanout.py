"""The fan-out: each output at its own pace, nothing lost silently, and what waits outlives a restart."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pipeline.outputs import QUICK, ListSink, balanced, no_descriptors, until
from tests.sinks.full_disk import files_limited_to
from tests.store.entries import created, made

from pysmon.errors import SinkError
from pysmon.pipeline.fanout import Fanout, folder_name, weigh
from pysmon.pipeline.lane import IDLE, LaneState
from pysmon.pipeline.spill import Spill
from pysmon.pipeline.waiting import LaneLimits
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event

SMALL = replace(QUICK, entries=40)
PATIENCE = 20.0


@contextmanager
def fanned(*sinks: ListSink, limits: LaneLimits = QUICK, spill: Path | None = None) -> Iterator[Fanout]:
    fanout = Fanout([(sink, limits) for sink in sinks], spill)
    try:
        yield fanout
    finally:
        for sink in sinks:
            sink.go.set()
        fanout.close(PATIENCE)
        assert all(balanced(state) for state in fanout.states())


def entries(*numbers: int) -> list[Entry[Event]]:
    return [made(n) for n in numbers]


def put(fanout: Fanout, count: int, size: int = 10) -> None:
    for first in range(0, count, size):
        fanout.put(entries(*range(first, min(first + size, count))))


def reports(fanout: Fanout) -> list[str]:
    told = fanout.reports()
    assert {name for name, _ in told} <= {"OUTPUT"}
    return [words for _, words in told]


def has(sink: ListSink, last: int) -> Callable[[], bool]:
    return lambda: sink.taken[-1:] == [last]


def only(fanout: Fanout) -> LaneState:
    (state,) = fanout.states()
    return state


def test_every_output_gets_every_entry_in_order() -> None:
    sinks = [ListSink("a"), ListSink("b")]
    with fanned(*sinks) as fanout:
        fanout.put([])
        put(fanout, 100)
        until(lambda: [state.written for state in fanout.states()] == [100, 100])
    assert [sink.taken for sink in sinks] == [list(range(100))] * 2
    assert fanout.reports() == []
    assert [state.name for state in fanout.states()] == ["a", "b"]


def test_an_output_that_hangs_holds_up_neither_who_puts_nor_the_others(tmp_path: Path) -> None:
    hanging, other = ListSink("hanging"), ListSink("other")
    hanging.go.clear()
    with fanned(hanging, other, limits=SMALL, spill=tmp_path) as fanout:
        for first in range(0, 500, 10):
            fanout.put(entries(*range(first, first + 10)))
            until(has(other, first + 9))
        assert hanging.taken == []
        until(lambda: fanout.states()[0].spilled)
        state = fanout.states()[0]
        assert state.queued <= SMALL.entries
        assert balanced(state)
        hanging.go.set()
        until(lambda: len(hanging.taken) + fanout.states()[0].lost == 500)
    assert hanging.taken == sorted(hanging.taken)


def test_what_waits_on_the_disk_comes_in_order_when_the_output_returns(tmp_path: Path) -> None:
    sink = ListSink(failing=True)
    with fanned(sink, limits=SMALL, spill=tmp_path) as fanout:
        for first in range(0, 500, 10):
            fanout.put(entries(*range(first, first + 10)))
            until(lambda: only(fanout).queued < 20)
        until(lambda: only(fanout).spilled == 500)
        assert only(fanout).spilled_bytes > 500 * 50
        assert only(fanout).trouble == "it is away (wait)"
        assert only(fanout).since
        sink.failing = False
        fanout.put(entries(*range(500, 510)))
        until(lambda: only(fanout).written == 510)
        assert (only(fanout).trouble, only(fanout).since, only(fanout).spilled_bytes) == ("", None, 0)
    assert sink.taken == list(range(510))


def test_without_a_disk_what_there_is_no_room_for_is_lost_and_counted() -> None:
    sink = ListSink(failing=True)
    with fanned(sink, limits=SMALL) as fanout:
        put(fanout, 100)
        until(lambda: only(fanout).trouble)
        assert (only(fanout).queued, only(fanout).lost) == (40, 60)
        assert only(fanout).lost_at
        sink.failing = False
        until(lambda: only(fanout).written == 40)
    assert sink.taken == list(range(40))


def test_when_its_part_of_the_disk_is_full_too_the_newest_are_lost_and_counted(tmp_path: Path) -> None:
    sink = ListSink(failing=True)
    with fanned(sink, limits=replace(SMALL, spill=20_000), spill=tmp_path) as fanout:
        for first in range(0, 1000, 10):
            fanout.put(entries(*range(first, first + 10)))
            until(lambda: only(fanout).queued < 30 or fanout._lanes[0].spill_trouble)
        assert only(fanout).lost > 0
        assert only(fanout).spilled_bytes <= 20_000
        until(lambda: only(fanout).queued == SMALL.entries)
        told = reports(fanout)
        assert any("lost; the disk took no more: its part of the disk is full" in words for words in told)
        sink.failing = False
        until(lambda: only(fanout).spilled + only(fanout).queued == 0)
    assert sink.taken == list(range(only(fanout).written))


def test_while_the_disk_is_full_memory_holds_what_it_can_and_only_then_something_is_lost(tmp_path: Path) -> None:
    sink, other = ListSink("away", failing=True), ListSink("other")
    with fanned(sink, other, limits=SMALL, spill=tmp_path) as fanout:
        with files_limited_to(100):
            fanout.put(entries(*range(20)))
            until(lambda: sink.calls.count("write") > 3)
            assert (fanout.states()[0].queued, fanout.states()[0].lost) == (20, 0)
            until(lambda: fanout._lanes[0].spill_trouble)
            fanout.put(entries(*range(20, 50)))
            until(lambda: fanout.states()[0].lost == 10)
            assert any("10 entries for away lost; the disk took no more: File too large" in w for w in reports(fanout))
        until(lambda: len(other.taken) == 50)
        sink.failing = False
        until(lambda: sink.taken == list(range(40)))


def test_an_output_that_does_not_return_from_a_call_is_said_to_take_nothing() -> None:
    sink = ListSink()
    sink.go.clear()
    with fanned(sink, limits=replace(QUICK, stalled=0.001)) as fanout:
        fanout.put(entries(1))
        until(lambda: only(fanout).trouble == "it takes nothing")
        assert only(fanout).since
        assert reports(fanout) == ["list fails: it takes nothing; 1 entry wait"]
        sink.go.set()
        until(lambda: only(fanout).written == 1)
        assert (only(fanout).trouble, only(fanout).since) == ("", None)


@pytest.mark.parametrize("disk", [False, True])
def test_entries_that_went_out_before_a_failure_do_not_go_out_again(tmp_path: Path, disk: bool) -> None:
    sink = ListSink(failing=True, part=3)
    with fanned(sink, spill=tmp_path if disk else None) as fanout:
        fanout.put(entries(*range(20)))
        until(lambda: len(sink.taken) == 20)
        assert sink.taken == list(range(20))
        sink.failing = False


def test_the_bytes_of_a_queue_are_bounded_too() -> None:
    sink = ListSink(failing=True)
    with fanned(sink, limits=replace(QUICK, bytes=300_000)) as fanout:
        for number in range(30):
            fanout.put([created(number, CommandLine="x" * 30_000)])
        assert 5 < only(fanout).queued < 10
        assert only(fanout).queued_bytes <= 300_000
        sink.failing = False


@pytest.mark.parametrize("disk", [False, True])
def test_one_entry_that_breaks_an_output_costs_only_itself(tmp_path: Path, disk: bool) -> None:
    sink = ListSink(odd=7)
    sink.go.clear()
    with fanned(sink, limits=replace(QUICK, entries=60), spill=tmp_path if disk else None) as fanout:
        put(fanout, 60)
        until(lambda: not disk or only(fanout).spilled)
        sink.go.set()
        until(lambda: only(fanout).written == 59)
        assert only(fanout).lost == 1
        told = reports(fanout)
    assert sink.taken == [n for n in range(60) if n != 7]
    assert any("lost by a defect of pysmon (ZeroDivisionError: odd): 1" in words for words in told)


def test_an_output_is_flushed_when_nothing_comes_and_what_fails_then_is_told() -> None:
    sink = ListSink()
    with fanned(sink) as fanout:
        until(lambda: sink.calls.count("flush") > 1)
        sink.flushing = SinkError("no room")
        until(lambda: only(fanout).trouble == "no room")
        assert reports(fanout) == ["list fails: no room; 0 entries wait"]
        sink.flushing = None
        until(lambda: not only(fanout).trouble)


def test_an_output_that_has_nothing_to_flush_is_left_in_peace_until_it_is_written_to() -> None:
    class Calm(ListSink):
        calm = True

    sink = Calm()
    with fanned(sink) as fanout:
        fanout.put(entries(1))
        until(lambda: sink.calls == ["write", "flush"])
        time.sleep(2.2 * IDLE)
        assert sink.calls == ["write", "flush"]
        fanout.put(entries(2))
        until(lambda: sink.calls == ["write", "flush"] * 2)


def test_one_entry_that_breaks_an_output_just_before_it_fails_is_told_all_the_same() -> None:
    class Stumbling(ListSink):
        def write(self, entries: Sequence[Entry[Event]]) -> None:
            if self.failing and entries[0].record_id == 5:
                raise SinkError("it is away")
            self._take(entries)

    sink = Stumbling(odd=3, failing=True)
    with fanned(sink) as fanout:
        fanout.put(entries(*range(8)))
        until(lambda: only(fanout).trouble)
        assert (only(fanout).written, only(fanout).lost) == (4, 1)
        assert any("lost by a defect of pysmon (ZeroDivisionError: odd): 1" in words for words in reports(fanout))
        sink.failing = False
    assert sink.taken == [0, 1, 2, 4, 5, 6, 7]


def test_what_waits_on_the_disk_waits_on_while_no_file_can_be_opened(tmp_path: Path) -> None:
    sink = ListSink()
    sink.go.clear()
    with fanned(sink, limits=replace(QUICK, entries=60), spill=tmp_path) as fanout:
        put(fanout, 60)
        until(lambda: only(fanout).spilled)
        with no_descriptors():
            sink.go.set()
            until(lambda: any("cannot be read, and is tried again: Too many" in words for words in reports(fanout)))
            assert only(fanout).spilled
        until(lambda: only(fanout).written == 60)
        assert only(fanout).lost == 0
    assert sink.taken == list(range(60))


def test_a_flush_ends_the_trouble_of_a_flush_and_only_a_write_that_of_a_write() -> None:
    sink = ListSink(failing=True)
    with fanned(sink) as fanout:
        fanout.put(entries(1))
        until(lambda: only(fanout).trouble)
        flushed = sink.calls.count("flush")
        until(lambda: sink.calls.count("write") > 5)
        assert only(fanout).trouble == "it is away (wait)"
        assert sink.calls.count("flush") == flushed
        sink.failing = False
        until(lambda: not only(fanout).trouble)
        sink.flushing = SinkError("no room")
        until(lambda: only(fanout).trouble == "no room")
        sink.flushing = None
        until(lambda: not only(fanout).trouble)


def test_a_defect_in_a_flush_is_told_and_the_lane_lives_on() -> None:
    class Broken(ListSink):
        def flush(self) -> None:
            raise ZeroDivisionError("odd")

    sink = Broken()
    with fanned(sink) as fanout:
        until(lambda: "by a defect of pysmon: ZeroDivisionError" in only(fanout).trouble)
        fanout.put(entries(1))
        until(lambda: sink.taken == [1])


def test_reopening_reaches_the_output_and_ends_a_pause() -> None:
    sink = ListSink(failing=True)
    with fanned(sink, limits=replace(QUICK, retry=3600.0, retry_most=3600.0)) as fanout:
        fanout.put(entries(1))
        until(lambda: only(fanout).trouble)
        fanout.reopen()
        until(lambda: sink.taken == [1])
        assert sink.calls.count("reopen") == 1


def test_a_failure_and_its_end_are_told_once_each_with_what_waits() -> None:
    sink = ListSink(failing=True)
    with fanned(sink) as fanout:
        fanout.put(entries(1, 2))
        until(lambda: sink.calls.count("write") > 3)
        assert reports(fanout) == ["list fails: it is away (wait); 2 entries wait"]
        assert reports(fanout) == []
        sink.failing = False
        until(lambda: only(fanout).written == 2)
        assert reports(fanout) == ["list works again; 0 entries wait, 0 were lost meanwhile"]


def test_what_an_output_did_to_entries_is_told() -> None:
    sink = ListSink(told=["2 messages were cut"])
    with fanned(sink) as fanout:
        fanout.put(entries(1))
        told: list[str] = []

        def has_told() -> bool:
            told.extend(reports(fanout))
            return bool(told)

        until(has_told)
        assert told == ["list: 2 messages were cut"]


def test_closing_delivers_what_waits_and_then_refuses() -> None:
    sink = ListSink()
    fanout = Fanout([(sink, QUICK)], None)
    put(fanout, 5000)
    fanout.close(PATIENCE)
    fanout.close(PATIENCE)
    assert sink.taken == list(range(5000))
    assert sink.calls[-1] == "close"
    fanout.put(entries(1))
    assert (only(fanout).put, only(fanout).lost) == (5001, 1)


def test_an_output_that_fails_at_the_end_is_asked_once_more_and_then_left(tmp_path: Path) -> None:
    sink = ListSink(failing=True)
    fanout = Fanout([(sink, replace(QUICK, retry=60.0, retry_most=60.0))], tmp_path)
    fanout.put(entries(1))
    until(lambda: "write" in sink.calls)
    fanout.close(PATIENCE)
    assert [call for call in sink.calls if call != "flush"] == ["write", "write", "close"]
    assert only(fanout).spilled == 1


def test_what_waits_at_the_end_is_delivered_by_the_next_run_before_all_else(tmp_path: Path) -> None:
    sink = ListSink(failing=True)
    with fanned(sink, limits=SMALL, spill=tmp_path) as fanout:
        for first in range(0, 200, 10):
            fanout.put(entries(*range(first, first + 10)))
            until(lambda: only(fanout).queued < 20)
    assert only(fanout).spilled == 200
    sink.failing = False
    with fanned(sink, spill=tmp_path) as again:
        assert again.last_record_id == 199
        again.put(entries(200, 201))
        until(lambda: only(again).written == 202)
        assert only(again).found == 200
    assert sink.taken == list(range(202))
    with fanned(sink, spill=tmp_path) as last:
        assert last.last_record_id == 0
        assert only(last).found == 0


def test_an_output_that_hangs_at_the_end_is_left_and_its_entries_wait_in_order(tmp_path: Path) -> None:
    sink = ListSink()
    sink.go.clear()
    fanout = Fanout([(sink, SMALL)], tmp_path)
    for first in range(0, 100, 5):
        fanout.put(entries(*range(first, first + 5)))
        until(lambda: only(fanout).queued <= 30)
    assert only(fanout).queued > 20
    assert only(fanout).spilled > 60
    fanout.close(0.0)
    state = only(fanout)
    assert (state.queued, state.spilled, state.lost) == (0, 100, 0)
    assert balanced(state)
    sink.go.set()
    until(lambda: "close" in sink.calls)
    assert only(fanout).written == 0, "what it did so late is not known to anybody: the next run delivers it again"
    assert balanced(only(fanout))
    after = ListSink("list")
    with fanned(after, spill=tmp_path) as again:
        until(lambda: only(again).written == 100)
    assert after.taken == list(range(100))


def test_at_the_end_without_a_disk_what_waits_is_lost_and_told() -> None:
    sink = ListSink(failing=True)
    with fanned(sink) as fanout:
        fanout.put(entries(1, 2, 3))
    assert (only(fanout).queued, only(fanout).lost) == (0, 3)
    assert any("3 entries for list lost" in words for words in reports(fanout))


def test_what_waits_for_an_output_that_is_gone_is_told_once(tmp_path: Path) -> None:
    with fanned(ListSink("old", failing=True), spill=tmp_path) as fanout:
        fanout.put(entries(1))
    with fanned(ListSink("new"), spill=tmp_path) as fanout:
        told = reports(fanout)
        assert len(told) == 1
        assert "for an output that is not in the settings any more" in told[0]
        assert reports(fanout) == []


def test_a_folder_that_cannot_be_used_is_refused_and_lets_go_of_what_was_taken(tmp_path: Path) -> None:
    (tmp_path / folder_name("b")).touch()
    sinks = [ListSink("a"), ListSink("b")]
    with pytest.raises(SinkError, match="cannot use"):
        Fanout([(sink, QUICK) for sink in sinks], tmp_path)
    with fanned(sinks[0], spill=tmp_path):
        pass


def test_outputs_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    with fanned(ListSink("x/../é"), ListSink("x/../é"), spill=tmp_path):
        folders = sorted(p.name for p in tmp_path.iterdir())
    assert len(folders) == 2
    assert all(name.isascii() and "/" not in name for name in folders)
    assert folder_name("x/../é") in folders


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 1 << 30), st.booleans())
def test_the_books_balance_at_every_moment_under_random_failures(
    tmp_path_factory: pytest.TempPathFactory, seed: int, with_disk: bool
) -> None:
    dice = random.Random(seed)
    folder = tmp_path_factory.mktemp("spill") if with_disk else None
    sinks = [ListSink(name) for name in "abc"]
    number = 0
    for _ in range(2):
        fanout = Fanout([(sink, replace(SMALL, spill=60_000)) for sink in sinks], folder)
        for _ in range(60):
            count = dice.randrange(30)
            fanout.put(entries(*range(number, number + count)))
            number += count
            sink = dice.choice(sinks)
            sink.failing, sink.part = dice.random() < 0.5, dice.choice([None, 0, 1, 5])
            (sink.go.set if dice.random() < 0.7 else sink.go.clear)()
            if dice.random() < 0.2:
                time.sleep(0.002)
            assert all(balanced(state) for state in fanout.states())
        for sink in sinks:
            sink.failing = dice.random() < 0.3
            sink.go.set()
        fanout.close(PATIENCE)
        for sink, state in zip(sinks, fanout.states(), strict=True):
            assert balanced(state)
            assert state.queued == 0
            assert len(sink.taken) >= state.written
            assert sink.taken == sorted(set(sink.taken)), "in order, and none twice"
    if folder:
        shutil.rmtree(folder)


def test_what_was_spilled_when_the_process_was_killed_comes_back_whole(tmp_path: Path) -> None:
    dice = random.Random(5)
    for turn in range(15):
        folder = tmp_path / str(turn)
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ours)
            spill = Spill(folder, 1 << 30)
            for number in range(0, 1 << 30, 5):
                spill.append([created(n, CommandLine=f"{n} " * 999) for n in range(number, number + 5)])
                os.write(theirs, f"{number + 4}\n".encode())
        os.close(theirs)
        time.sleep(0.02 + dice.random() * 0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(ours, "rb") as told:
            lines = told.read().split()
        sure = int(lines[-1]) if lines else -1
        again = Spill(folder, 1 << 30)
        found: list[int] = []
        while again.entries:
            part, lost = again.read(1000)
            assert lost == 0
            assert all(entry == created(entry.record_id, CommandLine=f"{entry.record_id} " * 999) for entry in part)
            found += [entry.record_id for entry in part]
            again.delivered(len(part))
        assert found == list(range(len(found)))
        assert sure < len(found) <= sure + 6
        again.close()


def test_after_a_kill_only_what_was_in_hand_comes_twice(tmp_path: Path) -> None:
    """A run that drains the disk is killed; the next one begins where the position stands."""
    spill = Spill(tmp_path / folder_name("list"), 1 << 30)
    spill.append(entries(*range(9000)))
    spill.close()
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            seen = ListSink()
            fanout = Fanout([(seen, QUICK)], tmp_path)
            until(lambda: only(fanout).written >= 2000)
            seen.go.clear()
            until(lambda: seen.calls[-1] == "write")
            os.write(theirs, b"%d" % len(seen.taken))
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.close(theirs)
    with os.fdopen(ours, "rb") as told:
        written = int(told.read() or b"0")
    os.waitpid(child, 0)
    after = ListSink()
    with fanned(after, spill=tmp_path) as again:
        until(lambda: after.taken[-1:] == [8999])
        assert only(again).found == len(after.taken)
    assert after.taken == list(range(9000 - len(after.taken), 9000))
    assert written - 2000 <= after.taken[0] <= written


def test_a_heavier_entry_weighs_more() -> None:
    light, heavy = created(1), created(1, CommandLine="x" * 1000)
    assert weigh([heavy]) - weigh([light]) == 1000 - len(light.event.text("CommandLine"))
    light.event.extra = {"A": 1}
    assert weigh([light]) > weigh([created(1)])


def test_of_many_entries_some_are_weighed_for_all() -> None:
    pair = [created(1, CommandLine="x" * 1000), created(2, CommandLine="")]
    assert weigh(pair * 5000) == pytest.approx(5000 * weigh(pair), rel=0.05)
    assert weigh([]) == 0


def test_many_threads_that_ask_for_states_see_balanced_books() -> None:
    sink = ListSink()
    wrong: list[LaneState] = []
    end = threading.Event()

    def look(fanout: Fanout) -> None:
        while not end.is_set():
            wrong.extend(state for state in fanout.states() if not balanced(state))

    with fanned(sink) as fanout:
        looker = threading.Thread(target=look, args=(fanout,))
        looker.start()
        put(fanout, 3000, size=7)
        until(lambda: len(sink.taken) == 3000)
        end.set()
        looker.join()
    assert wrong == []
