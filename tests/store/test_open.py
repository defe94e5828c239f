"""Who may open what: modes under any umask, one writer, and older and newer files."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.entries import created, made, record_ids

from pysmon.store.failure import StoreError
from pysmon.store.migrations import MIGRATIONS, bring_up
from pysmon.store.open import WriterLock, connect_writer, make_file
from pysmon.store.query import Condition, Query
from pysmon.store.store import Store
from pysmon.store.tables import all_tables
from pysmon.store.writer import Writer


@pytest.fixture(name="umask", params=[0o000, 0o022, 0o777], ids=oct)
def _umask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    before = os.umask(request.param)
    yield tmp_path
    os.umask(before)


def test_nobody_else_reads_a_log_whatever_the_umask_says(umask: Path) -> None:
    writer = Writer(umask / "new" / "log")
    writer.write([made(1)])
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (umask / "new").iterdir()}
    assert modes == dict.fromkeys(["log", "log-wal", "log-shm", "log.lock"], 0o600)
    assert stat.S_IMODE((umask / "new").stat().st_mode) == 0o700
    writer.close()


def test_the_mode_of_a_folder_and_a_log_that_are_there_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Writer(tmp_path / "log").close()
    (tmp_path / "log").chmod(0o640)
    Writer(tmp_path / "log").close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o640


def test_a_second_writer_is_refused_by_name_and_let_in_when_the_first_is_done(tmp_path: Path) -> None:
    first = Writer(tmp_path / "log")
    with pytest.raises(StoreError, match=f"process {os.getpid()} writes it already") as refusal:
        Writer(tmp_path / "log")
    assert refusal.value.code == sqlite3.SQLITE_BUSY
    assert refusal.value.hint
    first.close()
    Writer(tmp_path / "log").close()


def test_a_writer_that_cannot_open_its_log_keeps_no_lock(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("no log " * 1000)
    with pytest.raises(StoreError):
        Writer(tmp_path / "log")
    WriterLock(tmp_path / "log").close()


def test_the_lock_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "log.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(StoreError):
        WriterLock(tmp_path / "log")
    assert not (tmp_path / "victim").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot open"):
        Writer(tmp_path / "file" / "log")


def test_the_name_of_a_log_may_hold_anything(tmp_path: Path) -> None:
    path = tmp_path / "a ?mode=rw#b%20"
    writer = Writer(path)
    writer.write([made(1)])
    writer.close()
    assert record_ids(path) == [1]


def old_file(path: Path, *statements: str) -> None:
    """A log as an older pysmon left it."""
    writer = Writer(path)
    writer.write([created(1, User="root", Company="none")])
    writer.close()
    with sqlite3.connect(path) as file:
        for statement in statements:
            file.execute(statement)
    file.close()


def test_a_field_that_is_younger_than_the_file_is_added(tmp_path: Path) -> None:
    path = tmp_path / "log"
    old_file(path, "ALTER TABLE ProcessCreate DROP COLUMN ParentUser", "DELETE FROM fields WHERE name = 'ParentUser'")
    assert record_ids(path, Query(conditions=(Condition("ParentUser", "is", "-"),))) == [1], "a reader does without it"
    assert record_ids(path, Query(conditions=(Condition("ParentUser", "is", "root"),))) == []
    writer = Writer(path)
    writer.write([created(2, ParentUser="alice")])
    writer.close()
    with Store(path) as log:
        assert [e.event.text("ParentUser") for e in log.select(Query())] == ["-", "alice"]
    assert record_ids(path, Query(conditions=(Condition("ParentUser", "is", "alice"),))) == [2]


def test_an_event_type_that_is_younger_than_the_file_is_added(tmp_path: Path) -> None:
    path = tmp_path / "log"
    old_file(path, "DROP TABLE EbpfEvent")
    assert record_ids(path) == [1]
    writer = Writer(path)
    writer.write([made(2, 100)])
    writer.close()
    assert record_ids(path) == [1, 2]


def test_a_log_of_a_newer_pysmon_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    old_file(path, "UPDATE state SET value = 99 WHERE name = 'version'")
    with pytest.raises(StoreError, match="version 99"):
        Writer(path)
    with pytest.raises(StoreError, match="version 99"):
        Store(path)


def test_migrations_are_applied_once_and_all_or_none(tmp_path: Path) -> None:
    def add_notes(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE notes (text)")

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE more (text)")
        connection.execute("no SQL")

    path = tmp_path / "log"
    old_file(path)
    connection = connect_writer(path)
    with pytest.raises(sqlite3.Error):
        bring_up(connection, str(path), (*MIGRATIONS, add_notes, fail))
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    assert not names & {"notes", "more"}
    bring_up(connection, str(path), (*MIGRATIONS, add_notes))
    bring_up(connection, str(path), (*MIGRATIONS, add_notes))
    assert connection.execute("SELECT value FROM state WHERE name = 'version'").fetchone() == (len(MIGRATIONS) + 1,)
    connection.close()


def test_the_tables_are_those_of_the_schema(tmp_path: Path) -> None:
    make_file(tmp_path / "log")
    connection = connect_writer(tmp_path / "log")
    bring_up(connection, "log")
    for table in all_tables():
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")]
        assert columns[5:] == [f.name for f in table.type.fields]
    connection.close()
