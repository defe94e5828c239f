"""What an event type is. Everything else in the house derives from the classes made here."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar, cast, dataclass_transform, get_type_hints

from pysmon.schema.kinds import Kind
from pysmon.schema.version import SchemaVersion

E = TypeVar("E", bound="Event")
Default = Literal["include", "exclude"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event type: its name, its kind, where its meaning is written, and when it came."""

    name: str
    kind: Kind
    doc: str
    since: SchemaVersion


@dataclass(frozen=True, slots=True)
class EventType:
    """The schema of one event: read by the configuration reader, the docs, the store, the sinks and the viewer."""

    id: int
    symbol: str  # SYSMONEVENT_CREATE_PROCESS
    title: str  # the manifest's template: "Process Create"
    tag: str  # the element of a configuration that filters it ("ProcessCreate"); "" if it cannot be filtered
    default: Default  # what happens to it when no rule speaks of it
    level: Literal["Informational", "Error"]
    version: int
    since: SchemaVersion
    doc: str
    fields: tuple[Field, ...]  # in order, as of the newest schema version
    cls: type[Event]

    def field(self, name: str) -> Field | None:
        """The field of that exact name (names are case-sensitive, as in Sysmon), or None."""
        return next((f for f in self.fields if f.name == name), None)


@dataclass(slots=True, kw_only=True)
class Event:
    """Base of all events. Attributes are Sysmon's own field names: one vocabulary in XML, code, store and screen."""

    type: ClassVar[EventType]

    extra: Mapping[str, object] | None = (
        None  # what Sysmon has no field for (container, truncation); shown in JSON only
    )

    def text(self, name: str) -> str:
        """The value of a field as the rules compare it and the log prints it."""
        found = self.type.field(name)
        if found is None:
            raise KeyError(f"event {self.type.id} has no field {name!r}")
        return found.kind.text(getattr(self, name))

    def texts(self) -> list[str]:
        """All values as text, in the order of the schema."""
        return [f.kind.text(getattr(self, f.name)) for f in self.type.fields]


EVENTS: dict[int, EventType] = {}  # by id, in the order of Sysmon's manifest once the catalogue is imported


def field(doc: str = "", *, since: str = "", default: Any = dataclasses.MISSING) -> Any:
    """A field with its own words, or one that came with a later schema version."""
    return dataclasses.field(default=default, metadata={"doc": doc, "since": since})


@dataclass_transform(kw_only_default=True, field_specifiers=(field, dataclasses.field))
def event(
    *,
    id: int,  # noqa: A002 - the schema's own word
    symbol: str,
    title: str,
    rule: str = "",
    on_by_default: bool = False,
    level: Literal["Informational", "Error"] = "Informational",
    version: int,
    since: str = "2.0",
) -> Callable[[type[E]], type[E]]:
    """Make a class body the one definition of an event type, and register it in EVENTS."""

    def build(cls: type[E]) -> type[E]:
        made = cast("type[E]", dataclass(slots=True, kw_only=True)(cls))
        hints = get_type_hints(cls, include_extras=True)
        first = SchemaVersion.parse(since)
        fields = tuple(
            _field(f, hints[f.name].__metadata__[0], first) for f in dataclasses.fields(made) if f.name != "extra"
        )
        made.type = EventType(
            id=id,
            symbol=symbol,
            title=title,
            tag=rule,
            default="include" if on_by_default else "exclude",
            level=level,
            version=version,
            since=first,
            doc=inspect.getdoc(cls) or "",
            fields=fields,
            cls=made,
        )
        if id in EVENTS:
            raise ValueError(f"event id {id} is {EVENTS[id].symbol} already")
        _register(made.type)
        return made

    return build


def _register(made: EventType) -> None:
    ordered = sorted([*EVENTS.values(), made], key=lambda t: (t.id != 255, t.id))  # the manifest begins with 255
    EVENTS.clear()
    EVENTS.update((t.id, t) for t in ordered)


def _field(declared: dataclasses.Field[Any], kind: Kind, first: SchemaVersion) -> Field:
    since = declared.metadata.get("since", "")
    return Field(
        declared.name,
        kind,
        declared.metadata.get("doc", "") or kind.doc,
        SchemaVersion.parse(since) if since else first,
    )
