"""Entries that came together lie in packs: they come back equal, are found as others are, and go as others do."""

from __future__ import annotations

import sqlite3
from array import array
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.entries import SECOND, START, created, entries, guid, made, record_ids
from tests.store.test_query import expected_of

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.store.classes import CLASSES, Limits
from pysmon.store.failure import DamagedError, StoreError
from pysmon.store.migrations import MIGRATIONS
from pysmon.store.packs import Coded, Pack, Values, apart, coded, packed
from pysmon.store.query import OPERATORS, Condition, Query
from pysmon.store.store import Store
from pysmon.store.tables import packs_of
from pysmon.store.values import guid_to_column
from pysmon.store.writer import Writer

VALUES = st.none() | st.integers(-(1 << 63), (1 << 64) - 1) | st.binary(max_size=20) | st.text("0123", max_size=3)
NUMBERS = st.integers(0, (1 << 62))


@st.composite
def columns(draw: st.DrawFn) -> list[list[object]]:
    size = draw(st.integers(1, 300))
    first = draw(NUMBERS)
    kinds: list[st.SearchStrategy[object]] = [st.integers(0, 1 << bits) for bits in (1, 8, 16, 32, 62)]
    kinds += [VALUES, st.just(7), st.just(None), st.sampled_from([0.0, 700.0])]
    others: list[list[object]] = [
        draw(st.lists(draw(st.sampled_from(kinds)), min_size=size, max_size=size)) for _ in range(3)
    ]
    return [list(range(first, first + size)), draw(st.lists(NUMBERS, min_size=size, max_size=size)), *others]


def columns_of(positions: Values, record_ids: Values, *others: Values) -> list[Coded]:
    return [coded(positions), apart(record_ids, positions), *map(coded, others)]


@given(columns())
def test_columns_come_back_equal(said: list[list[object]]) -> None:
    names = ["position", "record_id", "a", "b", "c"]
    pack = Pack(packed(columns_of(*said)), names)
    assert len(pack) == len(said[0])
    for name, column in zip(names, said, strict=True):
        assert list(pack.column(name)) == column
        if name != "record_id":
            assert set(pack.distinct(name)) == set(column)


@pytest.mark.parametrize("raw", [b"", b"\x01", packed([[1], [2]])], ids=["nothing", "a number", "a column less"])
def test_bytes_that_are_no_pack_are_damage(raw: bytes) -> None:
    with pytest.raises(DamagedError):
        Pack(raw, ["position", "record_id", "a"])


def together(draw: st.DrawFn) -> list[Entry[Event]]:
    """A batch in which types come several times, and values, too."""
    few = draw(st.lists(entries(), min_size=1, max_size=3))
    return draw(st.lists(st.sampled_from(few), min_size=20, max_size=60))


def of_packs(path: Path) -> int:
    with sqlite3.connect(path) as file:
        found = sum(file.execute(f"SELECT count(*) FROM {packs_of(c)}").fetchone()[0] for c in CLASSES)
    file.close()
    return int(found)


def test_whatever_comes_together_comes_back_equal_and_is_found(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")

    @settings(max_examples=120, deadline=None)
    @given(st.data())
    def comes_back(data: st.DataObject) -> None:
        written = data.draw(st.composite(together)())
        before = writer.end
        writer.write(written)
        event = data.draw(st.sampled_from(written)).event
        name = data.draw(st.sampled_from([f.name for f in event.type.fields]))
        shown = event.text(name)
        condition = Condition(
            name, data.draw(st.sampled_from(OPERATORS)), data.draw(st.sampled_from([shown, shown[:2], "7"]))
        )
        after, upto = before + data.draw(st.integers(0, 30)), before + data.draw(st.integers(10, 60))
        with Store(tmp_path / "log") as log:
            assert list(log.select(Query(after=before))) == written
            assert list(log.select(Query(after=before, order="newest first"))) == written[::-1]
            assert list(log.select(Query(after=after, upto=upto))) == written[after - before : upto - before]
            assert list(log.select(Query(conditions=(condition,), after=before))) == expected_of(written, condition)
            assert list(log.select(Query(any_of=(condition,), after=before))) == expected_of(written, condition)

    comes_back()
    assert of_packs(tmp_path / "log") > 50
    writer.close()


@pytest.fixture(name="log")
def _log(tmp_path: Path) -> Path:
    """Creations 1 to 20 of processes, of which each is the parent of the next, and as many ends."""
    writer = Writer(tmp_path / "log")
    born = [created(n, parent=n - 1) for n in range(1, 21)]
    writer.write([entry for n in range(1, 21) for entry in (born[n - 1], made(100 + n, 5, ProcessGuid=guid(n)))])
    writer.close()
    assert of_packs(tmp_path / "log") == 2
    return tmp_path / "log"


def test_processes_are_found_in_packs(log: Path) -> None:
    assert record_ids(log, Query(processes=frozenset([guid(2), guid(5)]))) == [2, 102, 5, 105]
    assert record_ids(log, Query(processes=frozenset([guid(99)]))) == []
    assert record_ids(log, Query(parents=frozenset([guid(3)]))) == [4]
    with Store(log) as store:
        assert [e.record_id for e in store.descendants(guid(17))] == [18, 19, 20]


def test_every_process_of_a_pack_stands_in_its_index_once(tmp_path: Path) -> None:
    told = [guid(n) for n in range(18)] + ["-", "no guid", "{ODD}"]
    writer = Writer(tmp_path / "log")
    writer.write([created(n, 3, ProcessGuid=text) for n, text in enumerate([*told, told[4]])])
    writer.close()
    assert of_index(tmp_path / "log") == [(column, 1) for column in sorted(map(guid_to_column, told))]


def of_index(path: Path) -> list[tuple[bytes, int]]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT guid, first FROM actors_process ORDER BY first, guid").fetchall()
    connection.close()
    return found


def test_packs_side_by_side_share_the_entry_of_a_process(log: Path) -> None:
    assert of_index(log) == [(guid_to_column(guid(n)), 1) for n in range(21)]


def test_a_pack_that_begins_after_another_has_entries_of_its_own(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    writer.write([*(created(n) for n in range(1, 21)), *(made(100 + n, 5, ProcessGuid=guid(n)) for n in range(1, 21))])
    writer.close()
    ends = [(guid_to_column(guid(n)), 21) for n in range(1, 21)]
    assert of_index(tmp_path / "log")[-20:] == ends
    assert record_ids(tmp_path / "log", Query(processes=frozenset([guid(7)]))) == [7, 107]


@given(
    st.lists(st.lists(st.tuples(st.sampled_from([1, 5, 25]), st.integers(1, 6)), min_size=40), min_size=1, max_size=4)
)
@settings(max_examples=25, deadline=None)
def test_whatever_lies_side_by_side_each_process_is_found(batches: list[list[tuple[int, int]]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        writer = Writer(path)
        written: list[tuple[int, int]] = []
        for batch in batches:
            told = [*enumerate(batch, len(written))]
            writer.write([made(at, event_id, ProcessGuid=guid(number)) for at, (event_id, number) in told])
            written += batch
        writer.close()
        for sought in range(8):
            expected = [at for at, (_, number) in enumerate(written) if number == sought]
            assert record_ids(path, Query(processes=frozenset([guid(sought)]))) == expected


def test_a_log_of_which_each_pack_has_its_own_entries_is_read_and_goes_on(log: Path) -> None:
    with sqlite3.connect(log) as file:  # as it was written before packs shared them
        ends = [(guid_to_column(guid(n)), 2) for n in range(1, 21)]
        file.executemany("INSERT INTO actors_process VALUES (?, ?)", ends)
        file.execute("UPDATE state SET value = 2 WHERE name = 'version'")
    file.close()
    assert record_ids(log, Query(processes=frozenset([guid(2), guid(5)]))) == [2, 102, 5, 105]
    writer = Writer(log)
    writer.write([made(200 + n, 5, ProcessGuid=guid(n)) for n in range(1, 21)])
    writer.close()
    assert record_ids(log, Query(processes=frozenset([guid(2)]))) == [2, 102, 202]
    with sqlite3.connect(log) as file:
        assert file.execute("SELECT value FROM state WHERE name = 'version'").fetchone() == (len(MIGRATIONS),)
    file.close()


def test_more_guids_than_one_statement_takes_stand_in_the_index(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    writer.write([created(n, parent=5000 + n) for n in range(1000)])
    writer.close()
    wanted = sorted(guid_to_column(guid(n)) for n in [*range(1000), *range(5000, 6000)])
    assert of_index(tmp_path / "log") == [(column, 1) for column in wanted]


def test_times_record_ids_and_texts_are_found_in_packs(log: Path) -> None:
    assert record_ids(log, Query(since=START + 3 * SECOND, until=START + 5 * SECOND)) == [3, 4]
    assert record_ids(log, Query(record_ids=frozenset([6, 101, 77]))) == [101, 6]
    assert record_ids(log, Query(text=guid(20))) == [20, 120]
    assert record_ids(log, Query(text="no such text")) == []


def test_few_entries_of_a_type_and_many_come_in_one_order(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log")
    for first in range(0, 1200, 40):
        several = [made(n, 11) for n in range(first, first + 30)]
        writer.write([*several[:4], made(first + 31, 1), *several[4:]] if first % 80 else several[:3])
    writer.close()
    with Store(tmp_path / "log") as log:
        positions = [position for position, _ in log.rows(Query())]
        newest = [position for position, _ in log.rows(Query(order="newest first"))]
    assert positions == list(range(1, len(positions) + 1))
    assert newest == positions[::-1]


def test_a_log_that_is_older_than_packs_is_read_as_it_is_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = Writer(path)
    writer.write([created(1)])
    writer.close()
    without_packs(path)
    assert record_ids(path) == [1]
    with Store(path) as follower:
        writer = Writer(path)
        writer.write([created(n) for n in range(2, 30)])
        writer.close()
        assert [entry.record_id for entry in follower.select(Query())] == list(range(1, 30))
    assert of_packs(path) == 1


def without_packs(path: Path) -> None:
    file = sqlite3.connect(path)
    names = [name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for name in names:
        if name.startswith(("packs_", "actors_", "shapes")):
            file.execute(f"DROP TABLE {name}")
    file.execute("UPDATE state SET value = 1 WHERE name = 'version'")
    file.commit()
    file.close()


def test_a_field_that_is_younger_than_a_pack_has_nothing_in_it(log: Path) -> None:
    with sqlite3.connect(log) as file:
        (columns,) = file.execute("SELECT columns FROM shapes WHERE type = 5").fetchone()
        file.execute("UPDATE shapes SET columns = ? WHERE type = 5", [columns.replace(" User", " Users")])
    file.close()
    nobody = Condition("User", "is", "-")
    assert record_ids(log, Query(ids=frozenset([5]), conditions=(nobody,))) == list(range(101, 121))
    with Store(log) as store:
        assert {entry.event.text("User") for entry in store.select(Query(ids=frozenset([5])))} == {"-"}


def test_packs_go_with_their_segment_and_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = Writer(path, Limits(ages={"process": 10**5}), clock=lambda: 0.0)
    writer.write([created(n) if n % 2 else made(n, 5, ProcessGuid=guid(n)) for n in range(5000)])
    assert of_packs(path) > 0
    while writer.tidy(START + 10**6 * SECOND):
        pass
    with sqlite3.connect(path) as file:
        left = [file.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in LEFT]
    file.close()
    assert left == [0] * len(LEFT)
    writer.write([made(4999, 5)])
    assert record_ids(path) == [4999]
    writer.close()


LEFT = ("ProcessCreate", "ProcessTerminate", "packs_process", "actors_process", "texts_process")


@pytest.mark.parametrize("rows", [1, 30, 70, 1000])
def test_a_step_removes_about_as_much_as_it_may(tmp_path: Path, rows: int) -> None:
    writer = Writer(tmp_path / "log")
    for first in range(0, 600, 60):
        writer.write([made(n, (11, 26, 2)[n % 3]) for n in range(first, first + 60)])
    with writer._transaction("tidy up") as (connection, memory):
        memory.drop(connection, [s for s in memory._last.values() if s.event_class == "file"])
        memory.remove_some(connection, rows)
        left = connection.execute("SELECT total(rows) FROM packs_file").fetchone()[0]
    assert 600 - rows - 60 <= left <= max(600 - rows, 0)
    writer.close()


DAMAGES = {
    "a pack of nothing": "UPDATE packs_process SET columns = x''",
    "a pack that is another": "UPDATE packs_process SET columns = (SELECT columns FROM packs_process WHERE shape ="
    " (SELECT number FROM shapes WHERE type = 5))",
    "a pack that is a number": "UPDATE packs_process SET columns = 5",
    "a pack cut off": "UPDATE packs_process SET columns = substr(columns, 1, 60)",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_pack_that_cannot_be_read_is_told_as_damage(log: Path, damage: str) -> None:
    with sqlite3.connect(log) as file:
        file.execute(damage)
    file.close()
    with Store(log) as store, pytest.raises(StoreError, match="the file is damaged"):
        list(store.select(Query()))


@given(st.lists(st.binary(max_size=2), min_size=2, max_size=300))
def test_bytes_are_told_once_each_and_by_their_place(said: list[bytes]) -> None:
    distinct = list(dict.fromkeys(said))
    coded = msgspec.msgpack.decode(packed(columns_of(range(len(said)), range(len(said)), said)))[2]
    if len(distinct) == 1:
        assert coded == distinct
    else:
        code, values, places = coded
        assert values == distinct
        assert [*array(code, places)] == [distinct.index(value) for value in said]
