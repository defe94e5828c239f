"""How the values of EVTX templates become the fields of events: worked out once for each template, not for each record.

Windows writes an event of Sysmon as an instance of an outer template (the `<System>`) among whose values is one of an
inner template (the `<EventData>`). Which value is which field is said by the templates alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pysmon.formats.evtx.layout import ValueType
from pysmon.formats.evtx.read_value import BY_TYPE, Values, value_of
from pysmon.formats.evtx.write_template import Element, Slot
from pysmon.schema.event import EventType, Field
from pysmon.schema.kinds import Kind
from pysmon.sources.found import absent, reader_of

Part = str | Slot
Table = Mapping[bytes, Any]  # values by their bytes; ValueError if they are none
_TYPES = {  # that the values of each kind have, if nothing is odd
    "text": ValueType.STRING,
    "time": ValueType.STRING,
    "guid": ValueType.GUID,
    "hexint32": ValueType.HEX_INT32,
    "hexint64": ValueType.HEX_INT64,
    "uint16": ValueType.UINT16,
    "uint32": ValueType.UINT32,
    "uint64": ValueType.UINT64,
    "pid": ValueType.UINT32,
    "boolean": ValueType.BOOLEAN,
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an outer template says: which part of `<System>` is where, and what holds the data."""

    parts: Mapping[str, Part]  # `Provider.Name`, `EventID`, `TimeCreated.SystemTime` ...
    data: int | None  # the number of the value with the inner template
    inline: Element | None  # an `<EventData>` that is no template


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """How the values of an inner template become an event, if they are of these types."""

    type: EventType
    kinds: tuple[int, ...]
    readers: tuple[tuple[str, int, Table], ...]  # a field, the number of its value, its table
    rest: Mapping[str, object]  # fields that are literal, or that the template does not have
    odd: tuple[tuple[str, int], ...]  # what the schema has no field for, and the number of its value
    fields: tuple[str, ...]  # all, in the order of the template

    def absent(self, name: str) -> object:
        """What stands for a field of the event whose value is none."""
        return next(absent(f.kind) for f in self.type.fields if f.name == name)

    def wanted(self, names: Sequence[str]) -> tuple[tuple[int, Table], ...]:
        """The numbers and tables of some fields, in their order."""
        known = {name: (number, table) for name, number, table in self.readers}
        return tuple(known.get(name) or (0, Constant(self.rest[name])) for name in names)


class Constant(dict[bytes, Any]):
    """Always the same value."""

    def __init__(self, value: object) -> None:
        """Of a field that is not in the template."""
        super().__init__()
        self._value = value

    def __missing__(self, data: bytes) -> object:
        """The value, whatever the bytes are."""
        return self._value


def envelope(root: Element) -> Envelope:
    """What an outer template says. ValueError if it is none."""
    system = _child(root, "System")
    if root.name != "Event" or system is None:
        raise ValueError(f"an element {root.name} (expected an Event with its System)")
    parts: dict[str, Part] = {}
    for element in (part for part in system.content if isinstance(part, Element)):
        parts.update({f"{element.name}.{name}": value for name, value in element.attributes})
        if element.content and not isinstance(element.content[0], Element):
            parts[element.name] = element.content[0]
    data = next((part.number for part in root.content if isinstance(part, Slot)), None)
    return Envelope(parts, data, _child(root, "EventData"))


def fields_in(root: Element) -> tuple[tuple[str, Part], ...]:
    """The fields of an inner template in its order. ValueError if it is none."""
    if root.name not in ("EventData", "UserData"):
        raise ValueError(f"an element {root.name} (expected EventData)")
    return tuple(_fields(root))


def _fields(root: Element) -> Iterator[tuple[str, Part]]:
    for number, element in enumerate((part for part in root.content if isinstance(part, Element)), 1):
        name = dict(element.attributes).get("Name", f"#{number}")
        if isinstance(name, Slot):
            raise ValueError("a field whose name is a value")
        content = element.content[0] if element.content else ""
        yield name, "" if isinstance(content, Element) else content


def recipe(fields: tuple[tuple[str, Part], ...], event: EventType, kinds: tuple[int, ...]) -> Recipe:
    """The recipe for values of these types. ValueError if the template has more values than there are."""
    readers: list[tuple[str, int, Table]] = []
    rest: dict[str, object] = {f.name: absent(f.kind) for f in event.fields}
    odd: list[tuple[str, int]] = []
    names: list[str] = []
    by_lower = {f.name.lower(): f for f in event.fields}
    for name, part in fields:
        field = event.field(name) or by_lower.get(name.lower())
        names.append(field.name if field else name)
        if isinstance(part, Slot):
            if part.number >= len(kinds):
                raise ValueError(f"a template that has a value {part.number}, of {len(kinds)}")
            if field is None:
                odd.append((name, part.number))
            elif rest.pop(field.name, name) is not name:
                readers.append((field.name, part.number, _table(field, kinds[part.number])))
        elif field is not None:
            rest[field.name] = reader_of(field.kind)(part)
    return Recipe(event, kinds, tuple(readers), rest, tuple(odd), tuple(names))


@cache
def _table(field: Field, kind: int) -> Table:
    if kind == _TYPES[field.kind.name]:
        return BY_TYPE[kind]
    if kind == ValueType.NULL:
        return Constant("" if field.kind.sql == "TEXT" else None)
    return Values(_converted(field.kind, kind))


def _converted(kind: Kind, type_: int) -> Callable[[bytes], object]:
    read = reader_of(kind)

    def convert(data: bytes) -> object:
        value = value_of(type_, data)
        if type(value) is int and kind.sql == "TEXT":
            value = str(value)  # a number that is not typed as hexadecimal is shown as a decimal one
        return absent(kind) if value is None else read(value)

    return convert


def _child(root: Element, name: str) -> Element | None:
    return next((part for part in root.content if isinstance(part, Element) and part.name == name), None)
