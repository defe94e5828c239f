"""What an event type is. Everything else in the house derives from the classes made here."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, ParamSpec, TypeVar, cast, dataclass_transform, get_type_hints

from pysmon.compiled import compiled
from pysmon.schema.kinds import Kind
from pysmon.schema.shape import HIDDEN, Before, Default, Field, Level, Platform, Shape, Target
from pysmon.schema.version import SchemaVersion
from pysmon.schema.words import SHARED

__all__ = ["EVENTS", "Default", "Event", "EventType", "Field", "Platform", "event", "field", "maker"]

E = TypeVar("E", bound="Event")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class EventType:
    """The schema of one event: read by the configuration reader, the docs, the store, the sinks and the viewer."""

    id: int
    symbol: str  # SYSMONEVENT_CREATE_PROCESS
    title: str  # the manifest's template: "Process Create"
    tag: str  # the element of a configuration that filters it ("ProcessCreate"); "" if it cannot be filtered
    default: Default  # what happens to it when no rule speaks of it
    level: Level
    version: int
    since: SchemaVersion
    doc: str
    fields: tuple[Field, ...]  # in order, as of the newest schema version
    cls: type[Event]
    stated_default: Default | None  # as the manifest writes `ruledefault`; None: not at all, which means exclude
    target: Target
    live: bool  # whether pysmon's own sensor makes such events
    history: tuple[Before, ...]  # newest first
    _by_name: dict[str, Field] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the fields easy to find: texts are asked for by name all the time."""
        object.__setattr__(self, "_by_name", {f.name: f for f in self.fields})

    def field(self, name: str) -> Field | None:
        """The field of that exact name (names are case-sensitive, as in Sysmon), or None."""
        return self._by_name.get(name)

    @property
    def newest(self) -> Shape:
        """The event as the newest schema declares it."""
        rank = 0 if self.level == "Error" else self.id  # the manifest begins with the error report
        return Shape(
            self.id,
            self.symbol,
            self.title,
            self.tag,
            self.stated_default,
            self.level,
            self.version,
            self.target,
            rank,
            self.fields,
        )

    def at(self, version: SchemaVersion, platform: Platform = "linux") -> Shape | None:
        """The event as the schema of that version declares it; None if it has no such event.

        On Linux Sysmon carries the manifests of its internal build, in which some events stood under a hidden id
        before they became public.
        """
        if self.target not in ("all", platform):
            return None
        newest = self.newest
        known = tuple(f for f in newest.fields if f.since <= max(version, self.since))
        shape = dataclasses.replace(newest, fields=known)
        for before in self.history:
            if before.holds_at(version):
                shape = before.of(shape)
        hidden = shape.id >= HIDDEN and platform == "linux"
        return shape if version >= self.since or hidden else None


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
    default: Default | None = None,
    level: Level = "Informational",
    version: int,
    since: str = "2.0",
    target: Target = "all",
    live: bool = False,
    history: tuple[Before, ...] = (),
) -> Callable[[type[E]], type[E]]:
    """Make a class body the one definition of an event type, and register it in EVENTS.

    `live` says that pysmon's sensor makes such events; `history` is what older schemas said otherwise, newest first.
    """

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
            default=default or "exclude",
            level=level,
            version=version,
            since=first,
            doc=inspect.getdoc(cls) or "",
            fields=fields,
            cls=made,
            stated_default=default,
            target=target,
            live=live,
            history=history,
        )
        if id in EVENTS:
            raise ValueError(f"event id {id} is {EVENTS[id].symbol} already")
        _register(made.type)
        return made

    return build


def maker(cls: Callable[P, E]) -> Callable[P, E]:
    """The same as calling the class, at half the cost: for events of which there are thousands a second."""
    kind = cast("type[E]", cls)
    given = dataclasses.fields(kind)
    names = [f.name for f in given]
    defaults = {f"default_{f.name}": f.default for f in given if f.default is not dataclasses.MISSING}
    taken = (f"{name}=default_{name}" if f"default_{name}" in defaults else name for name in names)
    lines = ["made = new(cls)", *(f"made.{name} = {name}" for name in names), "return made"]
    made = compiled(f"make(*, {', '.join(taken)})", lines, names, cls=kind, new=kind.__new__, **defaults)
    return cast("Callable[P, E]", made)


def _register(made: EventType) -> None:
    ordered = sorted([*EVENTS.values(), made], key=lambda t: t.newest.rank)
    EVENTS.clear()
    EVENTS.update((t.id, t) for t in ordered)


def _field(declared: dataclasses.Field[Any], kind: Kind, first: SchemaVersion) -> Field:
    since = declared.metadata.get("since", "")
    doc = declared.metadata.get("doc", "") or SHARED.get(declared.name, kind.doc)
    return Field(declared.name, kind, doc, max(first, SchemaVersion.parse(since)) if since else first)
