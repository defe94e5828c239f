"""Binary rules -> a configuration, and what could not be told from them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from pysmon.config.blob.chunks import Chunks, EventChunk, FilterChunk, RuleChunk, read_chunks, wrong
from pysmon.config.blob.compilers import EVENTS, Compiler, compiler_of
from pysmon.config.blob.encode import encode
from pysmon.config.blob.layout import (
    CONDITION,
    DEFAULT,
    ENVIRONMENT,
    NAME,
    ONMATCH,
    RELATION,
    RELATION_OF_RULE,
    SCHEMA,
    VALUE,
)
from pysmon.config.model import Configuration, EventFilter, Filter, Options, Relation, Rule
from pysmon.errors import Place
from pysmon.schema.event import EventType
from pysmon.schema.lookup import by_tag
from pysmon.schema.version import SchemaVersion
from pysmon.schema.versions import SCHEMAS

_NEWEST_MAJOR, _MOST_HUNDREDTHS = 99, 99
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # by XML


@dataclass(frozen=True, slots=True)
class Decoded:
    """What binary rules say: `encode(configuration, binary)` gives them again if there are no losses."""

    configuration: Configuration
    binary: SchemaVersion
    losses: tuple[str, ...]  # what is not as it was, in plain words with its offset


def decode(data: bytes, file: str) -> Decoded:
    """Read binary rules; total but for RecordError, which says where and why bytes cannot be such rules.

    `file` is the name for the configuration and its places, which have no lines. Events, fields and conditions that
    are not known, as a Sysmon of tomorrow may write them, are left out and told as losses.
    """
    chunks = read_chunks(data)
    made = _Meaning(chunks, file)
    filters = made.filters()
    version = chunks.header.schema
    if not 0 < version.major <= _NEWEST_MAJOR or version.minor > _MOST_HUNDREDTHS:
        raise wrong(SCHEMA, f"the schema version is {version.major} and {version.minor} hundredths", "one like 4.90")
    if version not in {known.version for known in SCHEMAS}:
        words = f"the schema version {version} is not known; nothing tells what it would have meant otherwise"
        made.losses.insert(0, f"offset {SCHEMA:#x}: {words}")
    configuration = Configuration(file, hashlib.sha256(data).hexdigest(), version, Options(), filters)
    losses = tuple(made.losses) or _unlike(data, configuration, chunks.header.binary)
    return Decoded(configuration, chunks.header.binary, losses)


def _unlike(data: bytes, configuration: Configuration, binary: SchemaVersion) -> tuple[str, ...]:
    """What is not the compiler's own: all that it would have written in another way is no part of the configuration."""
    again = encode(configuration, binary)
    if again == data:
        return ()
    pairs = zip(again, data, strict=False)
    at = next((n for n, (ours, theirs) in enumerate(pairs) if ours != theirs), min(len(again), len(data)))
    return (f"offset {at:#x}: from here on the compiler of Sysmon would have written other bytes",)


class _Meaning:
    """Gives the numbers their names, and keeps what that costs."""

    def __init__(self, chunks: Chunks, file: str) -> None:
        self.losses: list[str] = []
        self._chunks = chunks
        self._place = Place(file)
        self._loaded = False
        self._compiler = self._find(chunks.header.binary)

    def _find(self, binary: SchemaVersion) -> Compiler:
        found = compiler_of(binary)
        if found is None:
            raise wrong(0, f"the format has version {binary}", "8.00 or newer")
        if found.binary != binary:
            self._lose(
                0, f"version {binary} of the format is not known; its numbers are read as those of {found.binary}"
            )
        elif not found.certain:
            self._lose(0, f"that rules of version {binary} are laid out as those of today is an assumption")
        return found

    def filters(self) -> tuple[EventFilter, ...]:
        """The elements of all events that are known."""
        empty = list(reversed(self._chunks.empty))
        ends = [event.at for event in self._chunks.events[1:]] + [1 << 32]
        made = []
        for event, end in zip(self._chunks.events, ends, strict=False):  # of no events there is an end
            inside = []
            while empty and empty[-1].at < end:
                inside.append(empty.pop())
            if element := self._element(event, inside):
                made.append(element)
        return tuple(made)

    def _element(self, event: EventChunk, empty: list[RuleChunk]) -> EventFilter | None:
        if event.default >= len(ONMATCH):
            raise wrong(event.at + DEFAULT, f"the default is {event.default}", "0 or 1")
        relation = _relation(event.relation, event.at + RELATION)
        known = EVENTS.get(event.id)
        if known is None or not self._compiler.fields(event.id):
            self._lose(event.at, f"event {event.id} is not known; {len(event.filters)} of its filters are left out")
            return None
        entries = tuple(self._entries(event, empty, known))
        group = _common_name(entries)
        made = EventFilter(known.tag, event.id, ONMATCH[event.default], relation, entries, group, self._place)
        self._tell_other_event(made, event.at)
        return made

    def _entries(self, event: EventChunk, empty: list[RuleChunk], known: EventType) -> list[Filter | Rule]:
        """The filters, those of a Rule together, and the empty Rules where they stand."""
        entries: list[tuple[int, Filter | Rule]] = [(rule.at, self._rule(rule, ())) for rule in empty]
        inside: dict[int, list[Filter]] = {at: [] for at in event.rules}
        for each in event.filters:
            made = self._filter(each, known)
            if made and each.rule:
                inside[each.rule].append(made)
                self._tell_nameless(event.rules[each.rule], made)
            elif made:
                entries.append((each.at, made))
        entries += [(at, self._rule(rule, tuple(inside[at]))) for at, rule in event.rules.items()]
        return [entry for _, entry in sorted(entries, key=lambda pair: pair[0])]

    def _rule(self, rule: RuleChunk, filters: tuple[Filter, ...]) -> Rule:
        relation = _relation(rule.relation, rule.at + RELATION_OF_RULE)
        return Rule(self._text(rule.name, rule.at), relation, filters, rule.number, self._place)

    def _filter(self, made: FilterChunk, known: EventType) -> Filter | None:
        fields, conditions = self._compiler.fields(known.id), self._compiler.conditions
        condition = made.condition & ~ENVIRONMENT
        if condition != made.condition and not self._loaded:
            self._loaded = True
            self._lose(made.at + CONDITION, "these rules were loaded already: their values are in lower case")
        if made.field >= len(fields):
            self._lose(made.at, f"{known.tag} has no field with the number {made.field}; the filter is left out")
            return None
        if condition >= len(conditions):
            where = made.at + CONDITION
            self._lose(where, f"the condition with the number {condition} is not known; the filter is left out")
            return None
        name, value = self._text(made.name, made.at + NAME), self._text(made.value, made.at + VALUE)
        return Filter(fields[made.field], conditions[condition], value, name, self._place)

    def _text(self, raw: bytes, at: int) -> str:
        """The text up to its zero; what no XML can hold is replaced and told."""
        text = raw.decode("utf-16-le", "surrogatepass")
        text, zero, rest = text.partition("\0")
        if not zero:
            raise wrong(at, "the text has no end", "a zero")
        if rest.strip("\0"):
            self._lose(at, "behind the end of the text there is more")
        cleaned, count = _FORBIDDEN.subn("\ufffd", text)
        if count:
            self._lose(at, f"{count} characters of the text cannot stand in XML and are replaced")
        return cleaned

    def _tell_other_event(self, element: EventFilter, at: int) -> None:
        """A series is compiled for its first event that has all fields: what says otherwise, XML cannot say."""
        used = {f.field for e in element.entries for f in (e.filters if isinstance(e, Rule) else (e,))}
        first = next((event.id for event in by_tag(element.tag) if all(event.field(name) for name in used)), 0)
        if first != element.event_id:
            self._lose(at, f"{element.tag} is for event {element.event_id}; from XML it is compiled for event {first}")

    def _tell_nameless(self, rule: RuleChunk, made: Filter) -> None:
        if not made.name and rule.name.strip(b"\0"):
            self._lose(rule.at, f"a filter of Rule {rule.number} has no name; from XML it gets the name of its Rule")

    def _lose(self, at: int, what: str) -> None:
        self.losses.append(f"offset {at:#x}: {what}")


def _relation(value: int, at: int) -> Relation:
    if value > 1:
        raise wrong(at, f"the relation is {value}", "0 (or) or 1 (and)")
    return Relation(value)


def _common_name(entries: tuple[Filter | Rule, ...]) -> str:
    """The name that a RuleGroup around the element has given, if that tells the names of all: else ""."""
    names = set()
    for entry in entries:
        if isinstance(entry, Filter):
            names.add(entry.name)
        elif not entry.name:
            names.update(each.name for each in entry.filters)
    return names.pop() if len(names) == 1 else ""
