"""What a reader of any shape finds, and how that becomes an entry: typed, with nothing lost and nothing made up.

A Windows log knows two times: UtcTime, when it happened, and TimeCreated, when it was logged (seconds later for
connections and look-ups). An entry's `time` is when it happened. If both are the same to the millisecond it is the
finer one, else TimeCreated is kept as the extra fact of that name (`pysmon.formats.logged`). What else the envelope
says is the entry's origin.

Values stay as they were logged. Windows doubles `%` in CommandLine and Details before its rules see them, so what is
logged is what was judged. Guids are brought to the one form `{lower-case}`, since some tools drop the braces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

from pysmon.formats.clock import system_time
from pysmon.formats.logged import LOGGED, moment
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event, EventType
from pysmon.schema.kinds import Kind
from pysmon.sources.origins import PROVIDERS, foreign, origin
from pysmon.sources.source import Taken, Tally, Wanted

NONE = "-"
_LONGEST_NUMBER = 24  # characters
_GUID = re.compile(r"\{?([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})\}?")


class NoEventError(ValueError):
    """What was read is no event in the shape that was expected; the text says why."""


class Found(NamedTuple):
    """An event as a reader found it: the envelope as far as the shape tells it, and the fields by their names."""

    provider: str
    channel: str
    event_id: object  # a number, or text that is one
    fields: Mapping[str, object]  # texts, or values typed already; None: there is no value
    created: object = None  # TimeCreated: text, or seconds since 1970 as a number
    record_id: object = None
    computer: object = None
    process_id: object = None  # of Sysmon itself
    thread_id: object = None
    user: object = None  # SID of Sysmon's account, on Linux the user id
    version: object = None
    by_position: bool = False  # whether nothing but their number tells which fields these are


def entry_of(found: Found, tally: Tally) -> Entry[Event] | None:
    """The entry, counted; or None for an event of others, or of an id that Sysmon does not have: counted, too.

    NoEventError if it is of Sysmon and does not say when.
    """
    taken = taken_of(found, tally, {})
    return None if taken is None else taken[2]()


def taken_of(found: Found, tally: Tally, wanted: Wanted) -> Taken | None:
    """The same in two steps: event id, the values of the fields that are wanted of it, and what makes the entry."""
    if found.provider not in PROVIDERS:
        tally.other(found.channel or found.provider or "?")
        return None
    number = whole(found.event_id)
    plan = _plans().get(number)
    if plan is None:
        tally.unknown_event(found.event_id)
        return None
    given: Mapping[str, object] = found.fields
    extra: dict[str, object] = {}
    if plan.names.issuperset(given):
        names = tuple(given)
    else:
        given, extra, names = _sorted_out(plan, given, tally)
    created = moment(found.created)
    happened = moment(given.get("UtcTime"))
    if happened is None and created is None:
        raise NoEventError(f"an event {number} without a time (expected UtcTime: 2026-11-21 06:10:33.486)")
    tally.entries += 1
    tally.by_position += found.by_position
    values = tuple([plan.value(name, given) for name in wanted[number]]) if number in wanted else ()
    return number, values, partial(_entry, plan, found, given, extra, names, happened, created, tally)


def all_taken(finds: Iterable[tuple[str, Callable[[], Found | None]]], tally: Tally, wanted: Wanted) -> Iterator[Taken]:
    """What is taken of all that a reader comes upon: a place, and what finds the event there; None if none is there."""
    for place, find in finds:
        try:
            found = find()
            taken = None if found is None else taken_of(found, tally, wanted)
        except NoEventError as error:
            tally.damage(place, str(error))
            continue
        if found is None:
            tally.damage(place, "something of another shape")
        elif taken is not None:
            yield taken


def _entry(
    plan: _Plan,
    found: Found,
    given: Mapping[str, object],
    extra: dict[str, object],
    names: tuple[str, ...],
    happened: int | None,
    created: int | None,
    tally: Tally,
) -> Entry[Event]:
    values, odd = _values(plan, given, tally)
    time = created if happened is None else happened
    if created is not None and created != time:
        if created - created % 1_000_000 == time:
            time = created  # the same, but finer
        else:
            text = found.created if isinstance(found.created, str) else system_time(created)
            odd = {**(odd or {}), LOGGED: text}
    if odd:
        extra = {**extra, **odd}
    version = None if found.version is None else whole(found.version)
    user = "" if found.user is None else str(found.user)
    said = foreign(found.provider, found.channel, user, version, names)
    computer = NONE if found.computer is None else str(found.computer)
    written_by = origin(computer, whole(found.process_id), whole(found.thread_id), said)
    return Entry(whole(found.record_id), time or 0, plan.type.cls(extra=extra or None, **values), written_by)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the fields of one event type are read."""

    type: EventType
    fields: tuple[tuple[str, Callable[[object], object], object], ...]  # name, its reader, what stands for no value
    names: frozenset[str]
    by_lower: Mapping[str, str]
    by_name: Mapping[str, tuple[Callable[[object], object], object]]  # its reader, what stands for no value

    def value(self, name: str, given: Mapping[str, object]) -> object:
        """The value of one field."""
        read, none = self.by_name[name]
        value = given.get(name)
        if value is None or (read is _text and value.__class__ is str):
            return none if value is None else value
        try:
            return read(value)
        except ValueError:
            return none


@cache
def _plans() -> dict[int, _Plan]:
    return {
        number: _Plan(
            type=made,
            fields=tuple((f.name, reader_of(f.kind), absent(f.kind)) for f in made.fields),
            names=frozenset(f.name for f in made.fields),
            by_lower={f.name.lower(): f.name for f in made.fields},
            by_name={f.name: (reader_of(f.kind), absent(f.kind)) for f in made.fields},
        )
        for number, made in EVENTS.items()
    }


def absent(kind: Kind) -> object:
    """What stands for a value that a log does not have: `-`, or None for what is no text."""
    return None if kind.sql == "INTEGER" else NONE


def _values(plan: _Plan, given: Mapping[str, object], tally: Tally) -> tuple[dict[str, Any], dict[str, object] | None]:
    """The values of all fields, and those that are none of their kind as they were given."""
    odd: dict[str, object] | None = None
    values: dict[str, Any] = {}
    for name, read, none in plan.fields:
        value = given.get(name)
        if value is None:
            values[name] = none
        elif read is _text and value.__class__ is str:
            values[name] = value
        else:
            try:
                values[name] = read(value)
            except ValueError:
                values[name] = none
                odd = {**(odd or {}), name: value}
                tally.odd_value(plan.type.id, name)
    return values, odd


def _sorted_out(
    plan: _Plan, given: Mapping[str, object], tally: Tally
) -> tuple[dict[str, object], dict[str, object], tuple[str, ...]]:
    """The fields under their right names (`processGuid` is `ProcessGuid`), those of no event, and all names."""
    known: dict[str, object] = {}
    extra: dict[str, object] = {}
    names: list[str] = []
    for given_name, value in given.items():
        name = given_name if given_name in plan.names else plan.by_lower.get(given_name.lower(), given_name)
        if name in known:
            continue
        names.append(name)
        if name in plan.names:
            known[name] = value
        else:
            extra[name] = value
            tally.unknown_field(plan.type.id, name)
    return known, extra, tuple(names)


def whole(value: object, otherwise: int = 0) -> int:
    """A whole number that is not negative and has 63 bits, as outputs can hold it, from a number or its digits."""
    if type(value) is not int:
        text = str(value)
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else -1
    return value if 0 <= value < 1 << 63 else otherwise


@lru_cache(maxsize=65536)
def guid(text: str) -> str:
    """A guid as Sysmon's XML has it; what is none stays as it is."""
    found = _GUID.fullmatch(text)
    return f"{{{found[1].lower()}}}" if found else text


def _text(value: object) -> object:
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise ValueError("no text")


def _read_guid(value: object) -> object:
    return guid(value) if isinstance(value, str) else _text(value)


def _hex(value: object) -> object:
    return f"0x{value:x}" if type(value) is int and value >= 0 else _text(value)


def _number(value: object) -> object:
    if isinstance(value, str):
        if value in ("", NONE):
            return None
        value = int(value, 0) if len(value) <= _LONGEST_NUMBER else -1
    if type(value) is int and 0 <= value < 1 << 64:
        return value
    raise ValueError("no number")


def _boolean(value: object) -> object:
    if isinstance(value, bool):
        return value
    known = {"true": True, "false": False, NONE: None, "": None, "1": True, "0": False}
    if str(value).lower() not in known:
        raise ValueError("no boolean")
    return known[str(value).lower()]


def reader_of(kind: Kind) -> Callable[[object], object]:
    """What makes a value of a kind out of what a log has; it raises ValueError if that is none."""
    return _READERS.get(kind.name) or (_number if kind.sql == "INTEGER" else _text)


_READERS: Mapping[str, Callable[[object], object]] = {
    "guid": _read_guid,
    "hexint32": _hex,
    "hexint64": _hex,
    "boolean": _boolean,
}
