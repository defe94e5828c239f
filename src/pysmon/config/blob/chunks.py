"""The records of binary rules, read with every number checked: what they hold, not yet what it means.

A compiler only ever appends. So each record must begin behind the end of the one that was written before it: that
keeps chains from running in circles, records from overlapping, and the work in proportion to the bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct

from pysmon.config.blob.layout import (
    EVENT,
    EVENT_COUNT,
    FILTER,
    FILTER_COUNT,
    FIRST_EVENT,
    FIRST_FILTER,
    FIRST_RULE,
    HEADER,
    HEADER_SIZE,
    NEXT_EVENT,
    NEXT_FILTER,
    NEXT_RULE,
    RULE,
    RULE_OF_FILTER,
    VALUE_SIZE,
    aligned,
    unpacked,
)
from pysmon.errors import RecordError
from pysmon.schema.version import SchemaVersion

_OLDEST_MAJOR, _NEWEST_MAJOR = 8, 99


@dataclass(frozen=True, slots=True)
class Header:
    """The first record."""

    binary: SchemaVersion
    schema: SchemaVersion
    events: int
    first_event: int
    first_rule: int


@dataclass(frozen=True, slots=True)
class FilterChunk:
    """The record of a filter; `rule` is the offset of its Rule's record, 0 if it stands in none."""

    at: int
    field: int
    name: bytes
    condition: int
    value: bytes
    number: int
    rule: int


@dataclass(frozen=True, slots=True)
class RuleChunk:
    """The record of a Rule."""

    at: int
    name: bytes
    number: int
    following: int
    relation: int


@dataclass(slots=True)
class EventChunk:
    """The record of an event, with the records that hang on it; `rules` are those of its filters, by offset."""

    at: int
    id: int
    default: int
    relation: int
    filters: list[FilterChunk] = field(default_factory=list)
    rules: dict[int, RuleChunk] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunks:
    """All records of a blob, in order; `empty` are the Rules that no filter belongs to."""

    header: Header
    events: list[EventChunk]
    empty: list[RuleChunk]


def wrong(at: int, found: str, expected: str) -> RecordError:
    """What to raise of bytes that are not what they should be."""
    return RecordError(f"binary rules, offset {at:#x}: {found}, expected {expected}")


def read_chunks(data: bytes) -> Chunks:
    """Read all records; RecordError where they cannot be what Sysmon wrote."""
    return _Reader(data).read()


class _Reader:
    """The bytes, and how far they are read."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._end = 0  # of the record that was read last
        self._gap = 0  # the first place where something stands that no record led to: it can only be an empty Rule

    def read(self) -> Chunks:
        header = self._header()
        events: list[EventChunk] = []
        following, link = header.first_event, FIRST_EVENT
        while following:
            at = self._record(following, link, EVENT, "an event")
            number, default, relation, following, filters, first = EVENT.unpack_from(self._data, at)
            events.append(EventChunk(at, number, default, relation))
            self._filters(events[-1], filters, first)
            link = at + NEXT_EVENT
        if len(events) != header.events:
            raise wrong(EVENT_COUNT, f"the header counts {header.events} events", f"the {len(events)} that there are")
        return Chunks(header, events, self._empty(header, events))

    def _header(self) -> Header:
        if len(self._data) < HEADER.size:
            raise wrong(0, f"there are {len(self._data)} bytes", f"a header of {HEADER.size}")
        version, events, size, schema, first, rule = HEADER.unpack_from(self._data, 0)
        binary = unpacked(version)
        if not _OLDEST_MAJOR <= binary.major <= _NEWEST_MAJOR:
            raise wrong(
                0, f"the format has version {binary}", f"{_OLDEST_MAJOR}.00 or newer; older ones are not public"
            )
        if size != HEADER.size:
            raise wrong(HEADER_SIZE, f"the header counts {size} of its own bytes", str(HEADER.size))
        self._end = size
        return Header(binary, unpacked(schema), events, first, rule)

    def _filters(self, event: EventChunk, count: int, following: int) -> None:
        rule, link = 0, event.at + FIRST_FILTER
        while following:
            at = self._behind(following, link, FILTER, "a filter")
            made, following = self._filter(at)
            if made.rule and made.rule != rule:
                event.rules[made.rule] = self._rule(made.rule, at + RULE_OF_FILTER)
            self._record(at, link, FILTER, "a filter")
            self._end += len(made.value)
            number = event.rules[made.rule].number if made.rule else 0
            if made.number != number:
                raise wrong(
                    at + RULE_OF_FILTER - 4, f"the filter is of Rule {made.number}", f"{number}, that of its Rule"
                )
            event.filters.append(made)
            rule, link = made.rule, at + NEXT_FILTER
        if count != len(event.filters):
            found = f"the event counts {count} filters"
            raise wrong(event.at + FILTER_COUNT, found, f"the {len(event.filters)} that there are")

    def _filter(self, at: int) -> tuple[FilterChunk, int]:
        kind, name, condition, following, size, number, rule = FILTER.unpack_from(self._data, at)
        begins = at + FILTER.size
        if size < 2 or size % 2 or size > len(self._data) - begins:
            raise wrong(at + VALUE_SIZE, f"the value has {size} bytes", "an even number of those that there are")
        return FilterChunk(at, kind, name, condition, self._data[begins : begins + size], number, rule), following

    def _rule(self, at: int, link: int) -> RuleChunk:
        return self._rule_at(self._record(at, link, RULE, "a Rule"))

    def _rule_at(self, at: int) -> RuleChunk:
        name, _, number, _, following, _, relation, _, _ = RULE.unpack_from(self._data, at)
        return RuleChunk(at, name, number, following, relation)

    def _empty(self, header: Header, events: list[EventChunk]) -> list[RuleChunk]:
        """Follow the chain of the Rules; where the header has lost its beginning (see `encode`), from the first on."""
        used = {at: rule for event in events for at, rule in event.rules.items()}
        found = list[RuleChunk]()
        first = header.first_rule or min([*([self._gap] if self._gap else []), *used], default=0)
        following, link, seen, least = first, FIRST_RULE, 0, HEADER.size
        while following:
            if following < least:
                raise wrong(link, f"the next Rule begins at {following:#x}", f"{least:#x} or later")
            rule = used.get(following) or self._rule_at(self._inside(following, link, RULE, "a Rule"))
            if following in used:
                seen += 1
            else:
                found.append(rule)
            link, least, following = rule.at + NEXT_RULE, rule.at + RULE.size, rule.following
        if seen != len(used):
            raise wrong(link, f"{seen} of the filters' Rules are chained", f"all {len(used)}")
        return found

    def _record(self, at: int, link: int, kind: Struct, what: str) -> int:
        """The offset of a record that comes after all that was read; from here on it is read."""
        if not self._gap and at - aligned(self._end) >= RULE.size:
            self._gap = aligned(self._end)
        self._end = self._behind(at, link, kind, what) + kind.size
        return at

    def _behind(self, at: int, link: int, kind: Struct, what: str) -> int:
        if at < self._end:
            raise wrong(link, f"{what} begins at {at:#x}", f"{self._end:#x} or later, for that is written already")
        return self._inside(at, link, kind, what)

    def _inside(self, at: int, link: int, kind: Struct, what: str) -> int:
        if at + kind.size > len(self._data):
            raise wrong(link, f"{what} of {kind.size} bytes begins at {at:#x}", f"at most {len(self._data):#x} bytes")
        return at
