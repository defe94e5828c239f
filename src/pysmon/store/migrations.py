"""How the tables of a log come to be, and how an older log becomes one of today.

A migration is a function with a name that says what it changes; the list is never reordered, and the number of those
that a file has had stands in its `state`. New fields and event types need none: `catch_up` adds what is missing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from pysmon.schema.event import EVENTS
from pysmon.store.failure import StoreError
from pysmon.store.state import VERSION, read_state, write_state
from pysmon.store.tables import all_tables, column_type, field_names, pack_statements, shape_of, statements

APPLICATION = int.from_bytes(b"psmn")  # in the file's header, as SQLite's `application_id`

Migration = Callable[[sqlite3.Connection], None]


def make_all_tables(connection: sqlite3.Connection) -> None:
    """An empty log."""
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    for statement in statements():
        connection.execute(statement)


def make_tables_of_packs(connection: sqlite3.Connection) -> None:
    """Room for entries that are kept many together; those that are there stay as they are."""
    for statement in pack_statements():
        connection.execute(statement)


def name_a_process_once_for_packs_side_by_side(connection: sqlite3.Connection) -> None:
    """What is there stays as it is: only that an older pysmon would not find all that is written from now on."""


MIGRATIONS: tuple[Migration, ...] = (
    make_all_tables,
    make_tables_of_packs,
    name_a_process_once_for_packs_side_by_side,
)
_READABLE = 1  # the first version that can be read as it is


def bring_up(connection: sqlite3.Connection, name: str, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Apply what the file of that name has not had yet, all or nothing; StoreError if it is not ours or is newer."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        had = _version(connection, name, len(migrations))
        for migration in migrations[had:]:
            migration(connection)
        write_state(connection, {VERSION: len(migrations)})
        catch_up(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def check(connection: sqlite3.Connection, name: str) -> None:
    """See that the file of that name can be read as it is; StoreError."""
    if _version(connection, name, len(MIGRATIONS)) < _READABLE:
        raise StoreError(
            f"cannot read {name}: it is empty, or was written by an older pysmon",
            hint="it is brought up to date when pysmon next writes it",
        )


def _version(connection: sqlite3.Connection, name: str, newest: int) -> int:
    if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        return 0
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise StoreError(f"{name} is a database of another program", hint="name another file")
    version = read_state(connection, VERSION)
    if version > newest:
        raise StoreError(
            f"{name} is a log of version {version}, and this pysmon knows {newest} at most",
            hint="it was written by a newer pysmon: use that one, or name another file",
        )
    return version


def catch_up(connection: sqlite3.Connection) -> None:
    """Add the tables and columns of event types and fields that are younger than the file, and number the new names."""
    connection.executemany("INSERT OR IGNORE INTO fields (name) VALUES (?)", [(name,) for name in field_names()])
    shapes = [(event_id, shape_of(event_id)) for event_id in EVENTS]
    connection.executemany("INSERT OR IGNORE INTO shapes (type, columns) VALUES (?, ?)", shapes)
    for table in all_tables():
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")}
        if not columns:
            for statement in table.statements():
                connection.execute(statement)
            continue
        for field in table.type.fields:
            if field.name not in columns:
                connection.execute(f'ALTER TABLE {table.name} ADD COLUMN "{field.name}"{column_type(field)}')
