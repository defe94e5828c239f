"""How a query becomes SQL: what must hold of one table, and which texts of a segment count."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pysmon.schema.event import EVENTS
from pysmon.schema.kinds import Kind
from pysmon.schema.shape import Field
from pysmon.store.query import Condition, Operator, Query, holds
from pysmon.store.segments import Segment
from pysmon.store.tables import EXTRA, PARENT, Table
from pysmon.store.values import INTERNED, NONE, guid_to_column, of_column, text_of_column, text_to_column

_NEVER = "0"
_NUMBERS = {"uint16", "uint32", "uint64", "pid"}
_COMPARED = {"is": "=", "less than": "<", "more than": ">"}
_KINDS: dict[str, Kind] = {f.kind.name: f.kind for t in EVENTS.values() for f in t.fields}


def teach(connection: sqlite3.Connection) -> None:
    """Give SQLite the comparisons that it does not know."""
    connection.create_function("odd_holds", 3, _odd_holds, deterministic=True)
    connection.create_function("shown_holds", 4, _shown_holds, deterministic=True)
    connection.create_function("guid_column", 1, guid_to_column, deterministic=True)


def _odd_holds(operator: Operator, column: bytes, value: bytes) -> bool:
    return holds(operator, text_of_column(column), value.decode("utf-8", "surrogatepass"))


def _shown_holds(operator: Operator, kind: str, column: int | str | bytes | None, value: bytes) -> bool:
    known = _KINDS[kind]
    shown = known.text(None if column is None else of_column(known)(column))
    return holds(operator, shown, value.decode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Sought:
    """A text that is looked for in dictionaries; `fields` are the numbers of field names, None for all."""

    operator: Operator  # a positive one
    value: str
    fields: frozenset[int] | None = None


Hits = dict[int, list[int]]  # by number of the field name: ids of texts


@dataclass(slots=True)
class Dictionaries:
    """Looks up which texts of a segment are sought, and remembers it for the time of a query."""

    connection: sqlite3.Connection
    numbers: dict[str, int]  # of field names
    _known: dict[tuple[str, int, Sought], Hits] = field(default_factory=dict)

    def hits(self, table: str, segment: Segment, sought: Sought) -> Hits:
        """The ids of the texts of that segment that are sought, by field."""
        key = (table, segment.number, sought)
        if key not in self._known:
            self._known[key] = self._look(table, segment, sought)
        return self._known[key]

    def _look(self, table: str, segment: Segment, sought: Sought) -> Hits:
        test, given = _text_test(sought.operator, sought.value)
        sql = f"SELECT field, id FROM {table} WHERE id BETWEEN ? AND ? AND {test}"  # noqa: S608
        if sought.fields is not None:
            sql += f" AND field IN ({', '.join(map(str, sorted(sought.fields)))})"
        upto = segment.last_text if segment.last >= segment.first else -1
        found: Hits = {}
        for number, text_id in self.connection.execute(sql, [segment.first_text, upto, *given]):
            found.setdefault(number, []).append(text_id)
        return found


def _text_test(operator: Operator, value: str) -> tuple[str, list[object]]:
    """What must hold of the column `text` of a dictionary."""
    plain = text_to_column(value)
    odd, given_odd = "(typeof(text) = 'blob' AND odd_holds(?, text, ?))", [operator, _bytes(value)]
    if isinstance(plain, bytes) and operator not in ("less than", "more than"):
        return odd, list(given_odd)  # only an odd text can hold an odd one
    match operator:
        case "is":
            test, given = "text = ? COLLATE NOCASE", plain
        case "less than" | "more than":
            return "odd_holds(?, CAST(text AS BLOB), ?)", list(given_odd)
        case _:
            escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            before = "" if operator == "begin with" else "%"
            after = "" if operator == "end with" else "%"
            test, given = "text LIKE ? ESCAPE '\\'", before + escaped + after
    return f"((typeof(text) = 'text' AND {test}) OR {odd})", [given, *given_odd]


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


Look = Callable[[Sought], Hits]


@dataclass(slots=True)
class Where:
    """What must hold of the rows of one table in one segment: SQL, and what is given to it."""

    tests: list[str] = field(default_factory=list)
    given: list[object] = field(default_factory=list)
    never: bool = False

    def also(self, test: str, given: Iterable[object] = ()) -> None:
        """Let this hold, too."""
        self.never = self.never or test == _NEVER
        self.tests.append(test)
        self.given += given


def where(query: Query, table: Table, columns: frozenset[str], numbers: dict[str, int], look: Look) -> Where:
    """What a query asks of a table, but for positions. `columns` are those that the file has."""
    made = Where()
    if query.since is not None:
        made.also("time >= ?", [query.since])
    if query.until is not None:
        made.also("time < ?", [query.until])
    if query.record_ids:
        made.also("record_id IN (SELECT value FROM json_each(?))", [json.dumps(sorted(query.record_ids))])
    if query.processes:
        made.also(*_guids([a for a in table.actors if a in columns], query.processes))
    if query.parents:
        made.also(*_guids([PARENT] if PARENT in columns & set(table.guids) else [], query.parents))
    for condition in query.conditions:
        made.also(*_condition(condition, table, columns, numbers, look))
    if query.any_of:
        made.also(*_either([_condition(c, table, columns, numbers, look) for c in query.any_of]))
    if query.text:
        made.also(*_anywhere(query.text, table, columns, numbers, look))
    return made


Test = tuple[str, list[object]]


def _guids(names: list[str], guids: frozenset[str]) -> Test:
    if not names:
        return _NEVER, []
    if len(guids) == 1:
        wanted, given = "= guid_column(?)", next(iter(guids))
    else:
        wanted, given = "IN (SELECT guid_column(value) FROM json_each(?))", json.dumps(sorted(guids))
    return "(" + " OR ".join(f'"{n}" {wanted}' for n in names) + ")", [given] * len(names)


def _either(tests: list[Test]) -> Test:
    possible = [t for t in tests if t[0] != _NEVER]
    if not possible:
        return _NEVER, []
    return "(" + " OR ".join(t for t, _ in possible) + ")", [g for _, given in possible for g in given]


def _condition(
    condition: Condition, table: Table, columns: frozenset[str], numbers: dict[str, int], look: Look
) -> Test:
    known = table.type.field(condition.field)
    if known is None:
        return _NEVER, []
    operator, value, negated = condition.positive, condition.value, condition.negated
    if known.kind.name in INTERNED:
        number = numbers.get(known.name, -1)
        found = look(Sought(operator, value, frozenset([number]))).get(number, [])
        return _among(known.name, found, holds(operator, NONE, value), columns, negated)
    if known.name not in columns:
        return _NEVER, []
    test, given = _shown(known, operator, value)
    return (f"NOT {test}" if negated else test), given


def _among(name: str, found: list[int], none: bool, columns: frozenset[str], negated: bool = False) -> Test:
    """Whether a column holds one of these texts; `none`: or no text at all."""
    if name not in columns:  # the file is older than the field: all its rows have none
        return ("1" if none != negated else _NEVER), []
    wanted = [0, *found] if none else found
    if not wanted:
        return ("1" if negated else _NEVER), []
    if len(wanted) == 1:
        return f'"{name}" {"<>" if negated else "="} ?', [wanted[0]]
    return f'"{name}" {"NOT " if negated else ""}IN (SELECT value FROM json_each(?))', [json.dumps(wanted)]


def _shown(known: Field, operator: Operator, value: str) -> Test:
    """Compare what is no text: by value where that is the same, else as it is shown."""
    kind, compared = known.kind.name, _COMPARED.get(operator)
    if kind in _NUMBERS and compared:
        number = _number(value)
        if number is not None:
            return f'ifnull("{known.name}" {compared} ?, 0)', [number]
    if kind == "guid" and operator == "is":
        return f'"{known.name}" = guid_column(?)', [value.lower()]
    return f'shown_holds(?, ?, "{known.name}", ?)', [operator, kind, _bytes(value)]


def _number(value: str) -> int | None:
    try:
        number = int(value, 0)
    except ValueError:
        return None
    return number if abs(number) < 1 << 63 else None


def _anywhere(text: str, table: Table, columns: frozenset[str], numbers: dict[str, int], look: Look) -> Test:
    hits = look(Sought("contains", text))
    of_name = {name: hits.get(number, []) for name, number in numbers.items()}
    tests = [_among(EXTRA, of_name.get(EXTRA, []), False, columns)]
    for known in table.type.fields:
        if known.kind.name in INTERNED:
            tests.append(_among(known.name, of_name.get(known.name, []), False, columns))
        elif known.name in columns and known.kind.name in _NUMBERS and text.isascii() and text.isdigit():
            tests.append(_shown(known, "is", text.lstrip("0") or "0"))
        elif known.name in columns and known.kind.name == "guid" and isinstance(guid_to_column(text.lower()), bytes):
            tests.append(_shown(known, "is", text))
    return _either(tests)
