"""How a query becomes SQL: what must hold of one table, and which texts of a segment count."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from pysmon.schema.event import EVENTS
from pysmon.schema.kinds import Kind
from pysmon.schema.shape import Field
from pysmon.store.asked import Accepts, Needs, always, among, is_not, less, more
from pysmon.store.blocks import Hits, Sought, probe, search
from pysmon.store.query import Condition, Operator, Query, holds
from pysmon.store.segments import Segment
from pysmon.store.tables import EXTRA, PARENT, Table
from pysmon.store.values import INTERNED, NONE, decoded, encoded, guid_to_column, is_guid, of_column

Test = tuple[str, list[object], Needs]  # SQL, what is given to it, and the same for rows in packs

_NEVER = "0"
_FALSE: Test = (_NEVER, [], ())
_TRUE: Test = ("1", [], (("position", always),))
_NUMBERS = {"uint16", "uint32", "uint64", "pid"}
_COMPARED = {"is": "=", "less than": "<", "more than": ">"}
_KINDS: dict[str, Kind] = {f.kind.name: f.kind for t in EVENTS.values() for f in t.fields}


def teach(connection: sqlite3.Connection) -> None:
    """Give SQLite the comparisons that it does not know."""
    connection.create_function("shown_holds", 4, _shown_holds, deterministic=True)
    connection.create_function("from_hex", 1, bytes.fromhex, deterministic=True)


def _shown_holds(operator: Operator, kind: str, column: int | str | bytes | None, value: bytes) -> bool:
    known = _KINDS[kind]
    shown = known.text(None if column is None else of_column(known)(column))
    return holds(operator, shown, decoded(value))


class Dictionaries:
    """Looks up which texts of a segment a query seeks, all that it seeks at once, and remembers it for that query."""

    def __init__(self, connection: sqlite3.Connection, query: Query, numbers: dict[str, int]) -> None:
        """`numbers` are those of the field names that the file knows."""
        self._connection = connection
        self._probes = [probe(sought) for sought in dict.fromkeys(_sought(query, numbers))]
        self._known: dict[tuple[str, int], dict[Sought, Hits]] = {}

    def hits(self, texts: str, segment: Segment, sought: Sought) -> Hits:
        """The ids of the texts of that segment that are sought, by field."""
        key = (texts, segment.number)
        if key not in self._known:
            sql = f"SELECT first, texts FROM {texts} WHERE first BETWEEN ? AND ?"
            blocks = self._connection.execute(sql, [segment.first_text, segment.last_text])
            self._known[key] = search(blocks, self._probes)
        return self._known[key][sought]


def _sought(query: Query, numbers: dict[str, int]) -> Iterator[Sought]:
    for condition in (*query.conditions, *query.any_of):
        if condition.field in numbers:
            yield _sought_by(condition, numbers)
    if query.text:
        yield Sought("contains", query.text)


def _sought_by(condition: Condition, numbers: dict[str, int]) -> Sought:
    return Sought(condition.positive, condition.value, numbers[condition.field])


Look = Callable[[Sought], Hits]


@dataclass(slots=True)
class Where:
    """What must hold of the rows of one table in one segment: SQL, and what is given to it."""

    tests: list[str] = field(default_factory=list)
    given: list[object] = field(default_factory=list)
    needs: list[Needs] = field(default_factory=list)  # the same of rows in packs
    never: bool = False

    def also(self, test: Test) -> None:
        """Let this hold, too."""
        sql, given, needs = test
        self.never = self.never or sql == _NEVER
        self.tests.append(sql)
        self.given += given
        self.needs.append(needs)


def where(query: Query, table: Table, columns: frozenset[str], numbers: dict[str, int], look: Look) -> Where:
    """What a query asks of a table, but for positions. `columns` are those that the file has."""
    made = Where()
    if query.since is not None:
        made.also(("time >= ?", [query.since], (("time", more(query.since - 1)),)))
    if query.until is not None:
        made.also(("time < ?", [query.until], (("time", less(query.until)),)))
    if query.record_ids:
        sql = "record_id IN (SELECT value FROM json_each(?))"
        made.also((sql, [json.dumps(sorted(query.record_ids))], (("record_id", among(query.record_ids)),)))
    if query.processes:
        made.also(_guids([a for a in table.actors if a in columns], query.processes))
    if query.parents:
        made.also(_guids([PARENT] if PARENT in columns & set(table.guids) else [], query.parents))
    for condition in query.conditions:
        made.also(_condition(condition, table, columns, numbers, look))
    if query.any_of:
        made.also(_either([_condition(c, table, columns, numbers, look) for c in query.any_of]))
    if query.text:
        made.also(_anywhere(query.text, table, columns, numbers, look))
    return made


def guid_columns(guids: Iterable[str]) -> set[bytes]:
    """How these guids lie in columns."""
    return {guid_to_column(form) for guid in guids for form in (guid, guid.lower())}


def _guids(names: list[str], guids: frozenset[str]) -> Test:
    if not names:
        return _FALSE
    columns = guid_columns(guids)
    if len(columns) == 1:
        wanted, given = "= ?", list[object](columns)
    else:
        wanted, given = "IN (SELECT from_hex(value) FROM json_each(?))", [json.dumps([c.hex() for c in columns])]
    accepts = among(columns)
    test = "(" + " OR ".join(f'"{n}" {wanted}' for n in names) + ")"
    return test, [*given] * len(names), tuple((n, accepts) for n in names)


def _either(tests: list[Test]) -> Test:
    possible = [t for t in tests if t[0] != _NEVER]
    if not possible:
        return _FALSE
    test = "(" + " OR ".join(t for t, _, _ in possible) + ")"
    return test, [g for _, given, _ in possible for g in given], tuple(n for _, _, needs in possible for n in needs)


def _condition(
    condition: Condition, table: Table, columns: frozenset[str], numbers: dict[str, int], look: Look
) -> Test:
    known = table.type.field(condition.field)
    if known is None:
        return _FALSE
    operator, value, negated = condition.positive, condition.value, condition.negated
    if known.kind.name in INTERNED:
        number = numbers.get(known.name)
        found = look(_sought_by(condition, numbers)).get(number, []) if number is not None else []
        return _among(known.name, found, holds(operator, NONE, value), columns, negated)
    if known.name not in columns:
        return _FALSE
    test, given, accepts = _shown(known, operator, value)
    if negated:
        return f"NOT {test}", given, ((known.name, is_not(accepts)),)
    return test, given, ((known.name, accepts),)


def _among(name: str, found: list[int], none: bool, columns: frozenset[str], negated: bool = False) -> Test:
    """Whether a column holds one of these texts; `none`: or no text at all."""
    if name not in columns:  # the file is older than the field: all its rows have none
        return _TRUE if none != negated else _FALSE
    wanted = [0, *found] if none else found
    if not wanted:
        return _TRUE if negated else _FALSE
    accepts = is_not(among(wanted)) if negated else among(wanted)
    if len(wanted) == 1:
        return f'"{name}" {"<>" if negated else "="} ?', [wanted[0]], ((name, accepts),)
    sql = "IN (SELECT value FROM json_each(?))"
    return f'"{name}" {"NOT " if negated else ""}{sql}', [json.dumps(wanted)], ((name, accepts),)


def _shown(known: Field, operator: Operator, value: str) -> tuple[str, list[object], Accepts]:
    """Compare what is no text: by value where that is the same, else as it is shown."""
    kind, compared = known.kind.name, _COMPARED.get(operator)
    if kind in _NUMBERS and compared:
        number = _number(value)
        if number is not None:
            accepts = {"=": among([number]), "<": less(number), ">": more(number)}[compared]
            return f'ifnull("{known.name}" {compared} ?, 0)', [number], accepts
    shown: Accepts = partial(_shown_holds, operator, kind, value=encoded(value))
    if kind == "guid" and operator == "is" and is_guid(value.lower()):
        odd = f'length("{known.name}") <> 16 AND shown_holds(?, ?, "{known.name}", ?)'
        given: list[object] = [guid_to_column(value.lower()), operator, kind, encoded(value)]
        return f'("{known.name}" = ? OR ({odd}))', given, shown
    return f'shown_holds(?, ?, "{known.name}", ?)', [operator, kind, encoded(value)], shown


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
            tests.append(
                _condition(Condition(known.name, "is", text.lstrip("0") or "0"), table, columns, numbers, look)
            )
        elif known.name in columns and known.kind.name == "guid" and is_guid(text.lower()):
            tests.append(_condition(Condition(known.name, "is", text), table, columns, numbers, look))
    return _either(tests)
