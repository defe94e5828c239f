"""Which Sysmon compiled: rules hold the numbers that events, fields and conditions have in its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pysmon.config.model import Condition, Configuration, Filter, Rule
from pysmon.schema.conditions import CONDITIONS
from pysmon.schema.lookup import TAGS, by_tag
from pysmon.schema.version import SchemaVersion
from pysmon.schema.versions import SCHEMAS

_OLDEST = SchemaVersion(8, 0)  # the first with names; how those before it lay out their rules is not public
_USUAL = SchemaVersion(15, 0)  # the oldest of which it is certain that it lays out rules as the newest does

EVENTS = {event.id: event for tag in TAGS for event in by_tag(tag)}  # those that can be filtered
_SINCE = {Condition(known.word): known.since for known in CONDITIONS}


@dataclass(frozen=True, slots=True)
class Compiler:
    """A version of the binary rules, and the newest schema that Sysmon had with it."""

    binary: SchemaVersion
    schema: SchemaVersion

    def fields(self, event_id: int) -> tuple[str, ...]:
        """The names of the event's fields by their number; () if its manifest has no such event."""
        return _fields(self.schema, event_id)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions by their number: new ones were appended (facts 3.2)."""
        return _conditions(self.schema)

    @property
    def certain(self) -> bool:
        """Whether this layout is known; what older ones than 15.0 are read as is an assumption."""
        return self.binary >= _USUAL

    def knows(self, configuration: Configuration) -> bool:
        """Whether it can compile that configuration."""
        return configuration.schema_version <= self.schema and not self.strange(configuration)

    def strange(self, configuration: Configuration) -> list[str]:
        """What the configuration speaks of that this compiler does not know, each once."""
        found: dict[str, None] = {}
        for element in configuration.filters:
            fields = self.fields(element.event_id)
            if not fields:
                found[f"the event {element.tag}"] = None
                continue
            for made in _filters(element.entries):
                if made.field not in fields:
                    found[f"the field {made.field} of {element.tag}"] = None
                if made.condition not in self.conditions:
                    found[f"the condition {made.condition.value!r}"] = None
        return list(found)


def _known() -> tuple[Compiler, ...]:
    newest: dict[SchemaVersion, SchemaVersion] = {}
    for known in SCHEMAS:
        binary = SchemaVersion.parse(known.binary)
        if binary >= _OLDEST:
            newest[binary] = known.version
    return tuple(Compiler(binary, schema) for binary, schema in newest.items())


COMPILERS = _known()  # from the oldest to the newest


def compiler_of(binary: SchemaVersion) -> Compiler | None:
    """The one that wrote rules of that version; of a version that is not known, the newest before it."""
    return next((each for each in reversed(COMPILERS) if each.binary <= binary), None)


def compiler_for(configuration: Configuration) -> Compiler:
    """The oldest from 15.0 on that knows the schema and all that the configuration speaks of, else the newest."""
    usual = [each for each in COMPILERS if each.certain]
    return next((each for each in usual if each.knows(configuration)), usual[-1])


def _filters(entries: tuple[Filter | Rule, ...]) -> list[Filter]:
    return [made for entry in entries for made in (entry.filters if isinstance(entry, Rule) else (entry,))]


@cache
def _fields(schema: SchemaVersion, event_id: int) -> tuple[str, ...]:
    event = EVENTS.get(event_id)
    if event is None:
        return ()
    shape = event.at(schema, "windows" if event.target == "windows" else "linux")
    return tuple(field.name for field in shape.fields) if shape and shape.id == event_id else ()


@cache
def _conditions(schema: SchemaVersion) -> tuple[Condition, ...]:
    return tuple(each for each in Condition if _SINCE[each] <= schema)
