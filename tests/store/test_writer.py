"""The writer: what is written comes back equal and in order, failed batches leave nothing, unclean ends are told."""

from __future__ import annotations

import resource
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sinks.full_disk import files_limited_to
from tests.store.entries import START, created, entries, made, record_ids

from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event, EventType
from pysmon.store.failure import StoreError
from pysmon.store.query import Query
from pysmon.store.store import Store
from pysmon.store.writer import Writer


def test_whatever_is_written_comes_back_equal_and_in_order(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")

    @settings(max_examples=120, deadline=None)
    @given(st.lists(st.lists(entries(), max_size=5), max_size=4))
    def comes_back(batches: list[list[Entry[Event]]]) -> None:
        before = writer.end
        for batch in batches:
            writer.write(batch)
        expected = [entry for batch in batches for entry in batch]
        with Store(tmp_path / "log") as log:
            assert list(log.select(Query(after=before))) == expected
            assert list(log.select(Query(after=before, order="newest first"))) == expected[::-1]

    comes_back()
    writer.close()


@pytest.mark.parametrize("schema", EVENTS.values(), ids=lambda schema: schema.cls.__name__)
def test_every_event_type_has_its_table(tmp_path: Path, schema: EventType) -> None:
    writer = Writer(tmp_path / "log")
    writer.write([made(1, schema.id)])
    writer.close()
    with Store(tmp_path / "log") as log:
        assert list(log.select(Query(ids=frozenset([schema.id])))) == [made(1, schema.id)]


@pytest.mark.parametrize("text", ["x" * 65536, "\udcff" * 65536, "\0" * 65536, "ä" * 65536])
def test_a_very_long_text_comes_back(tmp_path: Path, text: str) -> None:
    writer = Writer(tmp_path / "log")
    writer.write([created(1, CommandLine=text), created(2, CommandLine=text)])
    with Store(tmp_path / "log") as log:
        assert [entry.event.text("CommandLine") for entry in log.select(Query())] == [text, text]
    writer.close()


def test_a_log_is_continued(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        writer = Writer(tmp_path / "log")
        writer.write([made(number)])
        assert writer.end == number
        writer.close()
    assert record_ids(tmp_path / "log") == [1, 2, 3]


def test_record_ids_need_not_rise(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    writer.write([made(5), made(5), made(1)])
    writer.close()
    assert record_ids(tmp_path / "log") == [5, 5, 1]


def test_a_text_that_repeats_is_kept_once(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    for number in range(50):
        writer.write([created(number, CommandLine="once " * 2000)])
    writer.close()
    assert (tmp_path / "log").stat().st_size < 50 * 10_000


def test_a_text_is_kept_once_though_many_came_since(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    for number in range(5000):
        writer.write([created(number, CommandLine=str(number), ParentCommandLine="again and again")])
    writer.close()
    with sqlite3.connect(tmp_path / "log") as file:
        blocks = b"".join(row[0] for row in file.execute("SELECT texts FROM texts_process"))
    assert blocks.count(b"again and again") == 1


def test_the_last_record_id_is_told(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    assert writer.last_record_id == 0
    writer.write([made(7)])
    assert writer.last_record_id == 7
    writer.close()


def test_a_log_closed_in_good_order_has_no_gap(tmp_path: Path) -> None:
    for number in (1, 2):
        writer = Writer(tmp_path / "log")
        assert writer.gap is None
        writer.write([made(number)])
        writer.close()


def test_a_writer_that_goes_without_a_word_leaves_a_gap_that_is_told(tmp_path: Path) -> None:
    times = iter([0.0, 0.0, 2.0, *[2.0] * 99])
    writer = Writer(tmp_path / "log", clock=lambda: next(times))
    writer.write([made(1), made(2)])
    writer.write([made(3)])
    writer._let_go()
    again = Writer(tmp_path / "log")
    assert again.gap is not None
    assert (again.gap.record_id, again.gap.time) == (3, START + 3 * 10**9)
    again.close()
    assert Writer(tmp_path / "log").gap is None


def test_a_log_that_was_once_closed_in_good_order_tells_a_later_end_by_force(tmp_path: Path) -> None:
    Writer(tmp_path / "log").close()
    writer = Writer(tmp_path / "log")
    writer.write([made(1)])
    writer._let_go()
    assert Writer(tmp_path / "log").gap is not None


def test_only_a_batch_for_which_a_sync_is_due_waits_for_the_disk(tmp_path: Path) -> None:
    now, said = [0.0], list[str]()
    writer = Writer(tmp_path / "log", sync_every=1.0, clock=lambda: now[0])
    connection = writer._connection
    assert connection is not None
    connection.set_trace_callback(said.append)
    writer.write([made(1)])
    assert not [s for s in said if "synchronous" in s]
    now[0] = 1.0
    writer.write([made(2)])
    order = [s for s in said if "synchronous" in s or s == "COMMIT"]
    assert order == ["COMMIT", "PRAGMA synchronous = FULL", "COMMIT", "PRAGMA synchronous = NORMAL"]
    connection.set_trace_callback(None)
    writer.close()


def test_what_was_not_synced_is_counted(tmp_path: Path) -> None:
    now = [0.0]
    writer = Writer(tmp_path / "log", sync_every=1.0, clock=lambda: now[0])
    writer.write([made(1)])
    now[0] = 1.5
    writer.write([made(2)])  # syncs
    writer.write([made(3), made(4)])
    writer._let_go()
    again = Writer(tmp_path / "log")
    assert again.gap is not None
    assert again.gap.unsynced == 2
    again._let_go()


def test_a_sync_that_is_due_comes_without_a_write(tmp_path: Path) -> None:
    now = [0.0]
    writer = Writer(tmp_path / "log", sync_every=1.0, clock=lambda: now[0])
    writer.write([made(1)])
    writer.sync()
    now[0] = 1.0
    writer.sync()
    writer._let_go()
    again = Writer(tmp_path / "log")
    assert again.gap is not None
    assert again.gap.unsynced == 0
    again._let_go()


def test_a_batch_that_does_not_fit_on_the_disk_leaves_nothing_and_the_next_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = Writer(path)
    writer.write([made(1)])
    room = max(p.stat().st_size for p in tmp_path.iterdir())
    with files_limited_to(room + 20_000), pytest.raises(StoreError, match="disk"):
        writer.write([created(n, CommandLine=f"{n} " * 1000) for n in range(2, 200)])
    assert record_ids(path) == [1]
    writer.write([created(200, CommandLine="fits")])
    assert record_ids(path) == [1, 200]
    writer.close()
    assert _is_sound(path)


def test_an_entry_that_cannot_be_written_takes_its_batch_with_it_and_nothing_else(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    writer.write([created(1, CommandLine="one")])
    with pytest.raises(TypeError):
        writer.write([created(2, CommandLine="two"), created(3, ProcessGuid=[])])
    writer.write([created(4, CommandLine="two")])
    writer.close()
    with Store(tmp_path / "log") as log:
        assert [entry.event.text("CommandLine") for entry in log.select(Query())] == ["one", "two"]


def test_a_log_that_was_removed_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = Writer(path)
    writer.write([made(1)])
    for part in tmp_path.glob("log*"):
        if not part.name.endswith(".lock"):
            part.unlink()
    writer.write([made(2)])
    writer.close()
    assert record_ids(path) == [2]


def test_a_damaged_log_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = Writer(path)
    writer.write([created(n, CommandLine=f"{n}" * 100) for n in range(2000)])
    writer.close()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\x55" * 3996  # the schema's page
    path.write_bytes(content)
    again = Writer(path)
    again.write([made(1)])
    again.close()
    assert again.damaged == tmp_path / "log.damaged-1"
    assert again.damaged.exists()
    assert record_ids(path) == [1]


def test_a_log_whose_damage_shows_late_is_set_aside_then(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = Writer(path)
    writer.write([created(n, CommandLine=f"{n}" * 100) for n in range(2000)])
    writer.close()
    with sqlite3.connect(path) as file:
        roots = [row[0] for row in file.execute("SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'ProcessCreate'")]
    file.close()
    content = bytearray(path.read_bytes())
    for page in roots:
        content[(page - 1) * 4096 : page * 4096] = b"\x55" * 4096
    path.write_bytes(content)
    again = Writer(path)
    with pytest.raises(StoreError, match="damaged"):
        again.write([created(1)])
    again.write([created(2)])
    again.close()
    assert again.damaged == tmp_path / "log.damaged-1"
    assert record_ids(path) == [2]


def test_a_file_that_is_no_log_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("these are my notes\n" * 100)
    with pytest.raises(StoreError, match="no event log"):
        Writer(path)
    assert path.read_text() == "these are my notes\n" * 100


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE state (name, value)")
    other.close()
    with pytest.raises(StoreError, match="another program"):
        Writer(path)


def test_a_closed_writer_refuses_and_a_second_close_does_nothing(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    writer.close()
    writer.close()
    with pytest.raises(StoreError, match="closed"):
        writer.write([made(1)])


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    writer = Writer(tmp_path / "log")
    writer.write([made(1)])
    record_ids(tmp_path / "log")
    writer.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 0


def _is_sound(path: Path) -> bool:
    with sqlite3.connect(path) as file:
        answer = file.execute("PRAGMA integrity_check").fetchone()[0]
    file.close()
    return bool(answer == "ok")
