"""A log whose bytes are not what was written: reading ends with a StoreError that says so, never with anything else."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.store.entries import created

from pysmon.store.failure import StoreError, failure
from pysmon.store.query import Query
from pysmon.store.store import Store
from pysmon.store.writer import Writer

DAMAGES = {
    "a text that no block has": "UPDATE ProcessCreate SET Image = 99999",
    "an origin that is not there": "UPDATE ProcessCreate SET origin = 77",
    "a record id that is a text": "UPDATE ProcessCreate SET record_id = 'x'",
    "a time that is a fraction": "UPDATE ProcessCreate SET time = 1.5",
    "a segment that ends in a text": "UPDATE segments SET last = 'x'",
    "an end that is no number": "UPDATE state SET value = x'ff' WHERE name = 'end'",
    "a host that is not UTF-8": "UPDATE origins SET computer = x'ffff'",
}


@pytest.fixture(name="log")
def _log(tmp_path: Path) -> Path:
    writer = Writer(tmp_path / "log")
    writer.write([created(1), created(2, parent=1)])
    writer.close()
    return tmp_path / "log"


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_it_is_told_as_damage(log: Path, damage: str) -> None:
    connection = sqlite3.connect(log)
    changed = connection.execute(damage).rowcount
    connection.commit()
    connection.close()
    assert changed > 0
    with Store(log) as store, pytest.raises(StoreError, match="the file is damaged"):
        list(store.select(Query()))


@pytest.mark.parametrize("name", ["end", "closed"])
def test_a_log_that_does_not_know_its_own_end_is_put_aside_and_a_new_one_begun(log: Path, name: str) -> None:
    connection = sqlite3.connect(log)
    connection.execute("UPDATE state SET value = 'x' WHERE name = ?", [name])
    connection.commit()
    connection.close()
    writer = Writer(log)
    assert writer.damaged == log.with_name("log.damaged-1")
    assert (writer.gap, writer.end) == (None, 0)
    writer.write([created(3)])
    writer.close()
    with Store(log) as store:
        assert [entry.record_id for entry in store.select(Query())] == [created(3).record_id]


def test_holdings_of_a_damaged_log_are_told_as_damage(log: Path) -> None:
    connection = sqlite3.connect(log)
    connection.execute("UPDATE segments SET entries = 'x'")
    connection.commit()
    connection.close()
    with Store(log) as store, pytest.raises(StoreError, match="the file is damaged"):
        store.holdings()


def test_a_message_of_sqlite_that_is_not_utf_8_means_damage() -> None:
    error = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    assert failure("read", "log", error).code == sqlite3.SQLITE_CORRUPT
