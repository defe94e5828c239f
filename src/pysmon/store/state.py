"""The few facts that the log keeps of itself, by name: where it ends, what it was last, whether it was closed."""

from __future__ import annotations

import sqlite3

from pysmon.store.failure import DamagedError

VERSION = "version"  # of the tables, see migrations.py
END = "end"  # the position of the last entry that was ever written
LAST_RECORD = "last_record"  # its record id
LAST_TIME = "last_time"  # its time in ns since 1970
AGED = "aged"  # the time by which entries were last found too old or not, in ns since 1970
CLOSED = "closed"  # 1 if the last writer ended in good order
SYNCED = "synced"  # the position up to which the last writer had the disk's word, as far as it wrote that down


def read_state(connection: sqlite3.Connection, name: str) -> int:
    """The value of that name; 0 if there is none."""
    found = connection.execute("SELECT value FROM state WHERE name = ?", [name]).fetchone()
    if found and not isinstance(found[0], int):
        raise DamagedError(f"{name} is {found[0]!r:.40}, no number")
    return int(found[0]) if found else 0


def write_state(connection: sqlite3.Connection, values: dict[str, int]) -> None:
    """Keep these values, inside the transaction that is open, if one is."""
    connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", values.items())
