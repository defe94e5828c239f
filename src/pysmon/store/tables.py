"""The tables of the log, derived from the schema: one for each event type, named as its class, and a few beside them.

    ProcessCreate(position, record_id, time, origin, extra, RuleName, UtcTime, ...)   one row for each entry
    packs_process(first, last, ...)    entries of the class that came together, many rows as one value (`packs.py`)
    actors_process(guid, first)        which packs speak of a process
    shapes(number, type, columns)      the columns of the packs, by event type
    texts_process(first, texts)        the dictionary of a class, in blocks: texts whose numbers begin with `first`
    segments(class, number, ...)       which rows and texts stand and fall together
    origins, fields, state             who wrote; the numbers of field names; where the log ends, and how it was closed

`position` counts the entries of the log in the order of arrival and is never used again. Texts are the bulk of an
event, and they repeat: a column holds the number of a text in the dictionary of the class. A text is repeated rather
than looked up when it was not seen lately, and is never shared between segments: so a segment can go without asking
who else needs its texts, and a search looks into the few texts of a segment before its many rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.event import EVENTS, EventType
from pysmon.schema.shape import Field
from pysmon.store.classes import BY_ID, CLASSES, EventClass
from pysmon.store.values import INTERNED

EXTRA = "extra"
ENVELOPE = ("position", "record_id", "time", "origin", EXTRA)
PARENT = "ParentProcessGuid"
_OF_LOGIN = "LogonGuid"

BESIDE = (
    "CREATE TABLE state (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE fields (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE origins (id INTEGER PRIMARY KEY, computer NOT NULL, process_id INTEGER NOT NULL,"
    " thread_id INTEGER NOT NULL, user_id INTEGER NOT NULL)",
    "CREATE TABLE segments (class TEXT NOT NULL, number INTEGER NOT NULL,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL, first_text INTEGER NOT NULL, last_text INTEGER NOT NULL,"
    " oldest INTEGER NOT NULL, newest INTEGER NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " dropped INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (class, number)) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class Table:
    """Where the entries of one event type lie."""

    type: EventType
    event_class: EventClass
    name: str
    guids: tuple[str, ...]  # the fields that name a process, parents included

    @property
    def actors(self) -> tuple[str, ...]:
        """The fields that name a process that took part, which the parent did not."""
        return tuple(g for g in self.guids if g != PARENT)

    @property
    def texts(self) -> str:
        """The dictionary of its class."""
        return texts_of(self.event_class)

    def statements(self) -> list[str]:
        """What makes the table and its indexes."""
        columns = ", ".join(f'"{f.name}"{column_type(f)}' for f in self.type.fields)
        made = [
            f"CREATE TABLE {self.name} (position INTEGER PRIMARY KEY, record_id INTEGER NOT NULL,"
            f" time INTEGER NOT NULL, origin INTEGER NOT NULL, extra INTEGER NOT NULL, {columns})"
        ]
        return made + [f'CREATE INDEX {self.name}_{g} ON {self.name} ("{g}")' for g in self.guids]


def pack_statements() -> list[str]:
    """What makes the tables of packs."""
    made = [
        "CREATE TABLE shapes (number INTEGER PRIMARY KEY, type INTEGER NOT NULL, columns TEXT NOT NULL,"
        " UNIQUE (type, columns))"
    ]
    for c in CLASSES:
        made += [
            f"CREATE TABLE {packs_of(c)} (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, shape INTEGER NOT NULL,"
            f" rows INTEGER NOT NULL, columns BLOB NOT NULL)",
            f"CREATE INDEX {packs_of(c)}_shape ON {packs_of(c)} (shape, first, last)",
            f"CREATE TABLE {actors_of(c)} (guid BLOB NOT NULL, first INTEGER NOT NULL, PRIMARY KEY (guid, first))"
            f" WITHOUT ROWID",
        ]
    return made


def shape_of(event_id: int) -> str:
    """The columns of a pack of that event type as they stand in `shapes`: their names, separated by spaces."""
    return " ".join([*ENVELOPE, *(f.name for f in EVENTS[event_id].fields)])


def column_type(field: Field) -> str:
    """The declared type of a field's column, and what rows have that are older than it."""
    return " INTEGER NOT NULL DEFAULT 0" if field.kind.name in INTERNED else ""


def texts_of(event_class: EventClass) -> str:
    """The name of the dictionary of a class."""
    return f"texts_{event_class.name}"


def packs_of(event_class: EventClass) -> str:
    """The name of the table of a class's packs."""
    return f"packs_{event_class.name}"


def actors_of(event_class: EventClass) -> str:
    """The name of the table that tells which packs of a class speak of a process."""
    return f"actors_{event_class.name}"


@cache
def table_of(event_id: int) -> Table:
    """The table of an event type."""
    made = EVENTS[event_id]
    guids = tuple(f.name for f in made.fields if f.kind.name == "guid" and f.name != _OF_LOGIN)
    return Table(made, BY_ID[event_id], made.cls.__name__, guids)


def all_tables() -> tuple[Table, ...]:
    """The tables of all event types, in the order of the manifest."""
    return tuple(table_of(event_id) for event_id in EVENTS)


def statements() -> list[str]:
    """All that makes an empty log."""
    dictionaries = [f"CREATE TABLE {texts_of(c)} (first INTEGER PRIMARY KEY, texts BLOB NOT NULL)" for c in CLASSES]
    return [*BESIDE, *dictionaries, *(s for table in all_tables() for s in table.statements())]


def field_names() -> list[str]:
    """The names of all fields whose texts lie in a dictionary, each once."""
    interned = (f.name for t in EVENTS.values() for f in t.fields if f.kind.name in INTERNED)
    return [EXTRA, *dict.fromkeys(interned)]
