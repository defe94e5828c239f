"""A configuration -> binary rules, byte for byte as Sysmon's compiler writes them."""

from __future__ import annotations

from struct import Struct

from pysmon.config.blob.compilers import COMPILERS, Compiler, compiler_for
from pysmon.config.blob.layout import (
    EVENT,
    EVENT_COUNT,
    FILTER,
    FILTER_SIZE,
    FIRST_FILTER,
    FIRST_RULE,
    HEADER,
    MOST_OF_A_NAME,
    MOST_OF_A_RULES_NAME,
    NEXT_EVENT,
    NEXT_FILTER,
    NEXT_RULE,
    ONMATCH,
    RULE,
    aligned,
    packed,
)
from pysmon.config.compiled import compiled_order
from pysmon.config.model import Configuration, EventFilter, Filter, Rule
from pysmon.errors import MisuseError, Place
from pysmon.schema.lookup import by_tag
from pysmon.schema.version import SchemaVersion

_NUMBER = Struct("<I")
_UNIT = 2  # bytes of a character


def encode(configuration: Configuration, binary: SchemaVersion | None = None) -> bytes:
    """The binary rules of a configuration; b"" if it filters nothing, for then Sysmon stores none.

    `binary` is the version of the format, that is of the Sysmon which shall load it. Without it: 15.0, or the first
    later one that knows all that the configuration speaks of. MisuseError says what that version does not know.
    """
    compiler = _compiler(configuration, binary)
    rules = _Rules(compiler, configuration.schema_version)
    for element in compiled_order(configuration.filters):
        rules.add(element)
    return bytes(rules.data)


def _compiler(configuration: Configuration, binary: SchemaVersion | None) -> Compiler:
    if binary is None:
        return compiler_for(configuration)
    found = next((each for each in COMPILERS if each.binary == binary), None)
    if found is None:
        known = ", ".join(str(each.binary) for each in COMPILERS)
        raise MisuseError(f"binary rules of version {binary} are not known", hint=f"known are {known}")
    strange = found.strange(configuration)
    if strange:
        message = f"binary rules of version {binary} have no number for {strange[0]}"
        raise MisuseError(message, hint=f"a version from {compiler_for(configuration).binary} on has one")
    return found


class _Rules:
    """The bytes so far, and where the last record of each chain stands in them; 0 is no offset of any."""

    def __init__(self, compiler: Compiler, schema: SchemaVersion) -> None:
        self.data = bytearray()
        self._compiler = compiler
        self._schema = schema
        self._event = 0
        self._filter = 0
        self._rule = 0
        self._lost = False  # the compiler forgot where the first Rule is

    def add(self, element: EventFilter) -> None:
        if not self.data:
            version, schema = packed(self._compiler.binary), packed(self._schema)
            self._append(HEADER.pack(version, 0, HEADER.size, schema, HEADER.size, 0))
            self._lost = _loses_rules(element)
        _set(self.data, EVENT_COUNT, _get(self.data, EVENT_COUNT) + 1)
        self._link(self._event, NEXT_EVENT)
        count = sum(len(entry.filters) if isinstance(entry, Rule) else 1 for entry in element.entries)
        default = ONMATCH.index(element.onmatch)
        self._event = self._append(EVENT.pack(element.event_id, default, element.relation.value, 0, count, 0))
        self._filter = 0
        fields = self._compiler.fields(element.event_id)
        for entry in element.entries:
            if isinstance(entry, Rule):
                self._add_rule(entry, fields)
            else:
                self._add_filter(entry, fields, 0)

    def _add_rule(self, rule: Rule, fields: tuple[str, ...]) -> None:
        if self._rule:
            self._link(self._rule, NEXT_RULE)
        elif not self._lost:
            _set(self.data, FIRST_RULE, len(self.data))
        name = _utf16(rule.name, rule.place)[: MOST_OF_A_RULES_NAME * _UNIT]
        count, first = len(rule.filters), len(self.data) + aligned(RULE.size)
        relation = rule.relation.value
        self._rule = self._append(RULE.pack(name, 0, rule.number, first if count else 0, 0, count, relation, 0, 0))
        for each in rule.filters:
            self._add_filter(each, fields, rule.number)

    def _add_filter(self, made: Filter, fields: tuple[str, ...], rule: int) -> None:
        name, value = _utf16(made.name, made.place), _utf16(made.value, made.place) + bytes(_UNIT)
        if len(name) > MOST_OF_A_NAME * _UNIT:
            raise MisuseError(f"{made.place}: the name of a filter has more than {MOST_OF_A_NAME} characters")
        field, condition = fields.index(made.field), self._compiler.conditions.index(made.condition)
        if self._filter:
            self._link(self._filter, NEXT_FILTER)
        else:
            self._link(self._event, FIRST_FILTER)
        head = FILTER.pack(field, name, condition, 0, len(value), rule, self._rule if rule else 0)
        self._filter = self._append(head + value + bytes(FILTER_SIZE - FILTER.size))

    def _append(self, record: bytes) -> int:
        at = len(self.data)
        self.data += record.ljust(aligned(len(record)), b"\0")
        return at

    def _link(self, record: int, link: int) -> None:
        """Let a record lead to the one that comes next."""
        if record:
            _set(self.data, record + link, len(self.data))


def _loses_rules(element: EventFilter) -> bool:
    """Whether the compiler forgets its first Rule, as it does if this element is the first of all.

    It tries one event of the series after the other. If a field is missing it throws away what it wrote; if that was
    everything, then the header as well, but it does not forget that there was a Rule: it chains the next one to that,
    and leaves the new header without the offset.
    """
    series = by_tag(element.tag)
    for event in series[: [each.id for each in series].index(element.event_id)]:
        for entry in element.entries:
            if isinstance(entry, Rule):
                return True
            if not event.field(entry.field):
                break
    return False


def _utf16(text: str, place: Place) -> bytes:
    try:
        return text.replace("\0", "\ud800").encode("utf-16-le")
    except UnicodeEncodeError as error:
        message = f"{place}: the text {text!r} cannot be written in UTF-16 that ends in a zero"
        raise MisuseError(message) from error


def _get(data: bytearray, at: int) -> int:
    (value,) = _NUMBER.unpack_from(data, at)
    return int(value)


def _set(data: bytearray, at: int, value: int) -> None:
    _NUMBER.pack_into(data, at, value)
