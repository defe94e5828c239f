"""What a check looks at: the rules of a configuration as the engine has them, taken apart into cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pysmon.config.model import Configuration, EventFilter, Filter, Relation, Rule
from pysmon.errors import Place
from pysmon.lint.domains import Domain, domain_of, joined
from pysmon.lint.logic import Meaning, meaning
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.tree import Check, Element, Group
from pysmon.schema.event import EVENTS, EventType
from pysmon.schema.lookup import by_tag
from pysmon.schema.shape import Platform

_SPLITS_ON: Mapping[Platform, str] = {"windows": "\\", "linux": "\\/"}  # for `image`: there, and in pysmon


@dataclass(frozen=True, slots=True)
class Spot:
    """One condition with what stands around it."""

    filter: Filter
    rule: Rule | None
    element: EventFilter
    event: EventType  # the one that its element is compiled against

    @property
    def looked_at_in(self) -> list[EventType]:
        """The events of the tag that have the field where `event` has it; in others it never holds (facts 3.4)."""
        name = self.filter.field
        place = [field.name for field in self.event.fields].index(name)
        return [e for e in by_tag(self.element.tag) if place < len(e.fields) and e.fields[place].name == name]

    @property
    def excludes(self) -> bool:
        """Whether it helps to drop events."""
        return self.element.onmatch == "exclude"


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which an element matches: of each clause, one condition must hold. An element has one or several."""

    clauses: tuple[tuple[Check, ...], ...]
    source: Filter | Rule | EventFilter  # what the case is in the configuration
    element: Element

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.source.place

    @property
    def dead(self) -> bool:
        """Whether it matches no event of the type that it was compiled for, whatever the values are."""
        return any(all(check.fixed is False for check in clause) for clause in self.clauses)

    @property
    def names(self) -> set[str]:
        """The names that it can give to an event."""
        return {check.source.name for clause in self.clauses for check in clause}


class Scene:
    """A configuration with the platform that it is judged for."""

    def __init__(self, configuration: Configuration, platform: Platform) -> None:
        """Compile the rules as that platform has them."""
        self.configuration = configuration
        self.platform: Platform = platform
        self.splits_on = _SPLITS_ON[platform]
        self.ruleset = Ruleset.compile(configuration, image_splits_on=self.splits_on)
        self._meanings: dict[tuple[str, str], Meaning] = {}

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """Every condition in the order of the document."""
        return tuple(spots_of(self.configuration))

    @cached_property
    def events(self) -> tuple[EventType, ...]:
        """The events that the configuration speaks of."""
        tags = dict.fromkeys(element.tag for element in self.configuration.filters)
        return tuple(event for tag in tags for event in by_tag(tag))

    def domain(self, spot: Spot) -> Domain | None:
        """The values that its field can have, where that is known: in all events in which it is looked at."""
        name, algorithms = spot.filter.field, self.configuration.options.hash_algorithms
        domains = [domain_of(event, name, algorithms) for event in spot.looked_at_in]
        known = [domain for domain in domains if domain]
        return joined(known) if len(known) == len(domains) else None

    def meaning(self, source: Filter) -> Meaning:
        """What a condition asks for."""
        key = source.condition.value, source.value
        if key not in self._meanings:
            self._meanings[key] = meaning(source, self.splits_on)
        return self._meanings[key]

    def never(self, spot: Spot) -> bool:
        """Whether it is certain that the condition holds for no value of its field."""
        if self.meaning(spot.filter).never:
            return True
        domain = self.domain(spot)
        return domain is not None and not domain.language.can(spot.filter.condition, spot.filter.value)

    @cached_property
    def cases(self) -> Mapping[int, tuple[Case, ...]]:
        """The cases of every event that the configuration speaks of, in the order in which the engine asks."""
        rules = self.ruleset.rules
        return {e.id: tuple(c for element in rules[e.id].elements for c in _cases(element)) for e in self.events}


def spots_of(configuration: Configuration) -> Iterator[Spot]:
    """Every condition of a configuration in the order of the document."""
    for element in configuration.filters:
        for entry in element.entries:
            for source in entry.filters if isinstance(entry, Rule) else (entry,):
                rule = entry if isinstance(entry, Rule) else None
                yield Spot(source, rule, element, EVENTS[element.event_id])


def _cases(element: Element) -> Iterator[Case]:
    if element.source.relation is Relation.AND:
        yield Case(tuple(_clauses(element)), element.source, element)
        return
    for entry in element.entries:
        if isinstance(entry, Check):
            yield Case(((entry,),), entry.source, element)
        elif entry.source.relation is Relation.AND:
            yield Case(tuple((check,) for check in entry.checks), entry.source, element)
        else:
            yield from (Case(((check,),), check.source, element) for check in entry.checks)


def _clauses(element: Element) -> Iterator[tuple[Check, ...]]:
    """Of an element whose entries combine with `and`: conditions on one field are alternatives, a Rule is itself."""
    fields: dict[str, list[Check]] = {}
    for entry in element.entries:
        if isinstance(entry, Check):
            fields.setdefault(entry.field, []).append(entry)
    yield from map(tuple, fields.values())
    for entry in element.entries:
        if isinstance(entry, Group):
            yield from [entry.checks] if entry.source.relation is Relation.OR else ((check,) for check in entry.checks)
