"""Reading: families of processes, following, readers beside a writer, and what a reader needs to be allowed."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tests.store.entries import START, created, guid, made, record_ids
from tests.store.small_disk import make_read_only, on_small_disk

from pysmon.store.failure import StoreError
from pysmon.store.query import Condition, Query
from pysmon.store.store import Store
from pysmon.store.writer import Writer


@pytest.fixture(name="family")
def _family(tmp_path: Path) -> Path:
    """1 has the children 2 and 3, 3 has 4, 4 has 5; 9 is a stranger."""
    writer = Writer(tmp_path / "log")
    writer.write([created(1), created(2, parent=1), created(3, parent=1), created(9, parent=8)])
    writer.write([created(4, parent=3), made(10, 5, ProcessGuid=guid(3)), created(5, parent=4)])
    writer.close()
    return tmp_path / "log"


def test_the_creation_of_a_process_is_found_by_its_guid(family: Path) -> None:
    with Store(family) as log:
        assert log.process(guid(3)) == created(3, parent=1)
        assert log.process(guid(77)) is None
        assert log.process("{no guid}") is None


def test_children_and_descendants(family: Path) -> None:
    with Store(family) as log:
        assert [c.record_id for c in log.children(guid(1))] == [2, 3]
        assert [c.record_id for c in log.children_of([guid(3), guid(4)])] == [4, 5]
        assert log.children_of([]) == []
        assert [c.record_id for c in log.descendants(guid(1))] == [2, 3, 4, 5]
        assert [c.record_id for c in log.descendants(guid(1), limit=3)] == [2, 3, 4]


def test_descendants_in_a_circle_end(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    writer.write([created(1, parent=2), created(2, parent=1)])
    writer.close()
    with Store(tmp_path / "log") as log:
        assert [c.record_id for c in log.descendants(guid(1))] == [2]


def test_events_of_processes_with_and_without_more_asked(family: Path) -> None:
    with Store(family) as log:
        assert [e.record_id for e in log.events_of([guid(3), guid(4)])] == [3, 4, 10]
        assert [e.record_id for e in log.events_of([guid(3)], Query(ids=frozenset([5])))] == [10]
        assert list(log.events_of([])) == []


def test_events_of_very_many_processes(family: Path) -> None:
    with Store(family) as log:
        assert [e.record_id for e in log.events_of(map(guid, range(3, 100_000)))] == [3, 9, 4, 10, 5]


def test_processes_are_found_by_their_id_newest_first(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    writer.write([created(1, ProcessId=5), created(2, ProcessId=6), created(3, ProcessId=5)])
    writer.close()
    with Store(tmp_path / "log") as log:
        assert [c.record_id for c in log.by_process_id(5)] == [3, 1]


def test_holdings_tell_entries_and_times_of_each_class(family: Path) -> None:
    with Store(family) as log:
        holdings = {h.name: h for h in log.holdings()}
    assert holdings["process"].entries == 7
    assert holdings["process"].oldest == START + 10**9
    assert holdings["process"].newest == START + 10 * 10**9
    assert holdings["file"].entries == 0
    assert holdings["file"].oldest is None


def test_a_log_is_followed_by_positions(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    writer.write([made(1)])
    with Store(tmp_path / "log") as log:
        at, seen = log.end(), []
        for number in (2, 3):
            writer.write([made(number), made(number * 10, 3)])
            for position, entry in log.rows(Query(after=at)):
                at = position
                seen.append(entry.record_id)
    writer.close()
    assert seen == [2, 20, 3, 30]


def test_an_answer_ends_where_the_log_ended_when_it_was_asked(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    writer.write([made(n) for n in range(100)])
    with Store(tmp_path / "log") as log:
        answer = log.select(Query())
        first = next(answer)
        writer.write([made(100)])
        assert [first.record_id, *(e.record_id for e in answer)] == list(range(100))
    writer.close()


def test_readers_beside_a_writer_see_a_beginning_without_a_hole(tmp_path: Path) -> None:
    path, done, wrong = tmp_path / "log", threading.Event(), []
    writer = Writer(path)
    writer.write([made(0)])

    def read() -> None:
        with Store(path) as log:
            while not done.is_set():
                seen = [e.record_id for e in log.select(Query())]
                if seen != list(range(len(seen))):
                    wrong.append(seen)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for first in range(1, 1500, 5):
        writer.write([made(n, (1, 3, 5)[n % 3]) for n in range(first, first + 5)])
    done.set()
    for reader in readers:
        reader.join()
    writer.close()
    assert wrong == []


def test_a_reader_that_rests_does_not_let_the_journal_grow(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    writer.write([made(n) for n in range(1000)])
    with Store(tmp_path / "log") as log:
        answer = log.select(Query())
        next(answer)
        for first in range(1000, 60_000, 1000):
            writer.write([created(n, CommandLine=f"{n} " * 30) for n in range(first, first + 1000)])
        assert (tmp_path / "log-wal").stat().st_size < 12 << 20
        assert next(answer).record_id == 1
    writer.close()
    assert (tmp_path / "log").stat().st_size > 12 << 20


def test_a_reader_outlives_the_removal_of_what_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = Writer(path)
    writer.write([made(n) for n in range(1000)])
    with Store(path) as log:
        answer = log.select(Query())
        first = next(answer)
        writer.close()
        for part in tmp_path.glob("log*"):
            part.unlink()
        assert [first.record_id, *(e.record_id for e in answer)] == list(range(1000))


def test_a_reader_knows_when_its_log_was_replaced(tmp_path: Path) -> None:
    Writer(tmp_path / "log").close()
    with Store(tmp_path / "log") as log:
        assert log.is_current
        (tmp_path / "log").rename(tmp_path / "old")
        assert not log.is_current
        Writer(tmp_path / "log").close()
        assert not log.is_current


def test_there_must_be_a_log(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no log"):
        Store(tmp_path / "log")
    (tmp_path / "notes").write_text("my notes " * 1000)
    with pytest.raises(StoreError, match="no event log"):
        Store(tmp_path / "notes")


def test_an_empty_file_is_no_log_yet(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    with pytest.raises(StoreError, match="it is empty"):
        Store(tmp_path / "log")


def test_a_log_on_a_read_only_disk_is_read(tmp_path: Path) -> None:
    def act(disk: Path) -> None:
        writer = Writer(disk / "log")
        writer.write([made(1)])
        writer.close()
        make_read_only(disk)
        assert record_ids(disk / "log") == [1]

    on_small_disk(tmp_path, 4000, act)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("running", [True, False])
def test_any_user_who_may_read_the_files_reads_the_log(tmp_path: Path, running: bool) -> None:
    path = tmp_path / "folder" / "log"
    writer = Writer(path)
    writer.write([made(1), made(2)])
    if not running:
        writer.close()
    ours = [folder for folder in path.parents if Path(tempfile.gettempdir()) in folder.parents]
    for folder in ours:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | 0o055)
    for part in path.parent.iterdir():
        part.chmod(0o644)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgid(65534)
            os.setuid(65534)
            code = 0 if record_ids(path) == [1, 2] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    writer.close()


def test_a_reader_writes_nothing(family: Path) -> None:
    before = (family.read_bytes(), family.stat().st_mtime_ns)
    with Store(family) as log:
        list(log.select(replace(Query(), conditions=(Condition("Image", "contains", "x"),))))
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            log._connection.execute("DELETE FROM ProcessCreate")
    assert (family.read_bytes(), family.stat().st_mtime_ns) == before


def test_a_closed_store_says_so_and_a_second_close_does_nothing(family: Path) -> None:
    log = Store(family)
    log.close()
    log.close()
    with pytest.raises(StoreError):
        log.end()
