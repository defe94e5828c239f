"""Flat JSON lines, straight from bytes to the few values that are wanted: by structs that are learned from the lines.

A struct has the names that lines of its id have had so far, and refuses every other: nothing is made of a value that is
not wanted but a reference to where it stands, and still no name is overlooked. That a line is as usual (its provider,
its time, texts where texts belong) is said by types as well. What is refused takes the way that whole entries take.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import attrgetter, or_
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw

from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.event import EVENTS, EventType
from pysmon.sources.flat import COLLIDING, ENVELOPE, NXLOG_TYPES
from pysmon.sources.found import NONE
from pysmon.sources.origins import PROVIDER
from pysmon.sources.source import Wanted

FIRST, LAST = map(datetime.fromisoformat, ("1970-01-01", "2242-01-01"))  # in UTC, which UtcTime does not say
_MOST_LEARNED = 128  # times that a struct is made: a millisecond each
_MOST_NAMES = 256  # of a struct
_TAG = "EventID"
_BOTH = ("ProcessId", "SourceProcessId")  # the first is NXLog's own where Sysmon has the second
_MEANT_OTHERWISE = "EventTypeOrignal"  # stands where NXLog wrote its own EventType over that of Sysmon
_TYPES: Mapping[str, Any] = {
    "SourceName": Literal["Microsoft-Windows-Sysmon"],
    "UtcTime": Annotated[datetime, Meta(tz=False)],
    "EventType": Literal[
        *("CreateKey", "DeleteKey", "CreateValue", "DeleteValue", "SetValue", "RenameKey", "RenameValue"),
        *("CreatePipe", "ConnectPipe", "WmiFilterEvent", "WmiConsumerEvent", "WmiBindingEvent"),
    ],
    "Version": int,  # that of the envelope; as text it is a field of event 4
}
# Of two structs the id is needed to tell which one a line is; of one alone a line without an id would be taken for it.
_NO_LINE: Any = msgspec.defstruct(
    "NoLine",
    [("never", Annotated[str, Meta(min_length=1, max_length=0)])],
    tag_field=_TAG,
    tag=-1,
    forbid_unknown_fields=True,
)
_TEXTS = {"text", "time", "hexint32", "hexint64"}  # kinds whose values are texts as they stand
Tables = Mapping[str, Mapping[bytes, Any]]


@dataclass(slots=True, eq=False)
class Plan:
    """What is read of a struct."""

    id: int
    values: Callable[[Any], tuple[Any, ...]]
    unknown: tuple[tuple[str, str], ...]  # attributes with the names of fields that the event does not have
    usual: Callable[[Any], bool] | None  # whether what NXLog may mean otherwise changes nothing


class Structs:
    """The structs of a log. `decode` makes one of a line, with its time as `at`; ValidationError if none fits.

    `plans` tells by the class of a struct what is read of it.
    """

    def __init__(self, wanted: Wanted, tables: Tables) -> None:
        """`tables` give, by kind, the values that are no texts, by their JSON."""
        self._wanted, self._tables = wanted, tables
        self._names: dict[int, dict[str, None]] = {}
        self._classes: dict[int, Any] = {}
        self._left = _MOST_LEARNED
        self.plans: dict[type, Plan] = {}
        self.decode: Callable[[bytes], Any] = _refused

    def learn(self, row: Mapping[str, Any]) -> None:
        """Know the names of this line from now on, unless a line with them is to be read in the other way."""
        number = row.get(_TAG)
        made = EVENTS.get(number) if type(number) is int else None
        if made is None or row.get("SourceName") != PROVIDER or "UtcTime" not in row or not self._left:
            return
        known = self._names.get(made.id, {})
        new = [name for name in row if name not in known and name != _TAG]
        if new and len(known) + len(new) <= _MOST_NAMES and all(self._learnable(made, name) for name in new):
            self._left -= 1
            self._names[made.id] = {**known, **dict.fromkeys(new)}
            self._make(made, tuple(self._names[made.id]))

    def _learnable(self, made: EventType, name: str) -> bool:
        wanted = self._wanted.get(made.id, ())
        if name in wanted:
            return name not in ("UtcTime", "Version")
        meant_otherwise = (name == _MEANT_OTHERWISE and made.field("EventType")) or (
            name == _BOTH[1] and made.field(_BOTH[0])
        )
        of_another_case = name.lower() in {each.lower() for each in wanted}
        return not (meant_otherwise or of_another_case) and name.isprintable() and not {'"', "\\"} & set(name)

    def _make(self, made: EventType, seen: tuple[str, ...]) -> None:
        wanted = self._wanted.get(made.id, ())
        attributes = {name: f"of_{number}" for number, name in enumerate(dict.fromkeys((*seen, *wanted)))}
        attributes["UtcTime"] = "at"
        line = msgspec.defstruct(
            "Line",
            [(attribute, *self._typed(made, name, attributes)) for name, attribute in attributes.items()],
            rename={attribute: name for name, attribute in attributes.items()},
            tag_field=_TAG,
            tag=made.id,
            forbid_unknown_fields=True,
            kw_only=True,
            gc=False,
        )
        self.plans.pop(self._classes.get(made.id, Plan), None)
        self._classes[made.id] = line
        self.plans[line] = Plan(
            made.id,
            self._values(made, [attributes[name] for name in wanted]),
            tuple((attributes[name], name) for name in _unknown(made, seen)),
            _usual(made, attributes, wanted),
        )
        self.decode = msgspec.json.Decoder(reduce(or_, self._classes.values(), _NO_LINE)).decode

    def _typed(self, made: EventType, name: str, names: Container[str]) -> tuple[Any, ...]:
        """The type of an attribute, and what it is in lines without that name."""
        if name in ("SourceName", "UtcTime"):
            return (_TYPES[name],)
        if _is_by_nxlog(made, names) and name in ("EventType", "Message"):
            return str, UNSET
        field = made.field(name) if name in self._wanted.get(made.id, ()) else None
        if field is None:
            return _TYPES.get(name, Raw), UNSET
        return (_TYPES.get(name, str), NONE) if field.kind.name in _TEXTS else (Raw, Raw(b"null"))

    def _values(self, made: EventType, attributes: list[str]) -> Callable[[Any], tuple[Any, ...]]:
        kinds = [field.kind.name for name in self._wanted.get(made.id, ()) if (field := made.field(name))]
        tables = [None if kind in _TEXTS else self._tables[kind] for kind in kinds]
        if not attributes:
            return _nothing
        read = attrgetter(*attributes)
        if len(attributes) == 1:
            (table,) = tables
            return (lambda row: (read(row),)) if table is None else (lambda row: (table[bytes(read(row))],))
        if not any(table is not None for table in tables):
            return read
        return lambda row: tuple(
            [value if table is None else table[bytes(value)] for table, value in zip(tables, read(row), strict=True)]
        )


def _refused(_line: bytes) -> Any:
    raise msgspec.ValidationError("no line of this log is known yet")


def _nothing(_row: Any) -> tuple[Any, ...]:
    return ()


def _is_by_nxlog(made: EventType, names: Container[str]) -> bool:
    """Whether lines with these names have an EventType that is none of Sysmon's, of an event that has none."""
    return not made.field("EventType") and ("EventType" in names or _MEANT_OTHERWISE in names)


def _unknown(made: EventType, names: Iterable[str]) -> list[str]:
    of_nxlog = {*ENVELOPE, "Version", "EventType", *(_BOTH[:1] if set(_BOTH) <= set(names) else ())}
    fields = {field.name.lower() for field in made.fields}
    return [name for name in names if name not in of_nxlog and name.lower() not in fields]


def _usual(made: EventType, attributes: Mapping[str, str], wanted: Container[str]) -> Callable[[Any], bool] | None:
    checks: list[Callable[[Any], bool]] = []
    if not made.field(_BOTH[0]) and set(_BOTH) <= attributes.keys():
        both = attrgetter(*(attributes[name] for name in _BOTH))
        checks.append(lambda row: _are_same(*both(row)))
    if _is_by_nxlog(made, attributes):
        event_type, original, message = (attributes.get(n, "") for n in ("EventType", _MEANT_OTHERWISE, "Message"))
        said = [f"\n{name}:" for name in COLLIDING if name in wanted or not made.field(name)]
        checks.append(
            lambda row: _says_nothing_else(
                getattr(row, event_type, UNSET), getattr(row, original, UNSET), getattr(row, message, UNSET), said
            )
        )
    return (lambda row: all(check(row) for check in checks)) if checks else None


def _are_same(own: object, source: object) -> bool:
    return own is UNSET or own == source


def _says_nothing_else(event_type: object, original: object, message: object, said: Iterable[str]) -> bool:
    """Whether the message, by which NXLog's names are put right, has none of those that would change anything."""
    if original is UNSET and event_type not in NXLOG_TYPES:
        return event_type is UNSET  # else a field that the event does not have
    text = f"\n{message}"
    return not any(name in text for name in said)
