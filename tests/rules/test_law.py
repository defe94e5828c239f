"""The law of the rule engine: the fast one decides what the literal one decides, name included."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules import literal
from tests.rules.build import HERE, configuration

import pysmon.schema.catalogue  # noqa: F401 - fills EVENTS
from pysmon.config.model import Condition, EventFilter, Filter, Relation, Rule
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import EVENTS, Event, EventType

# Few letters, so that conditions hold often; of each class that case folding and the order of texts tell apart.
LETTERS = "aAb;\\/_-É\U0001f600\ufb01"
texts = st.text(LETTERS, max_size=4)
names = st.sampled_from(["", "", "n1", "n2"])
conditions = st.sampled_from(list(Condition))
relations = st.sampled_from(list(Relation))
TAGS = ["ProcessCreate", "RegistryEvent", "PipeEvent", "WmiEvent", "NetworkConnect", "FileDelete"]


def of_tag(tag: str) -> list[EventType]:
    return [t for t in EVENTS.values() if t.tag == tag]


def filters(event_type: EventType) -> st.SearchStrategy[Filter]:
    # Four fields at most, and the one that reads its own outcome: conditions must meet on one field to show their laws.
    fields = [f.name for f in event_type.fields]
    some = [fields[0], *fields[-4:]]
    values = st.one_of(texts, st.sampled_from(["0", "1", "true", "-", "443"]))
    return st.builds(Filter, st.sampled_from(some), conditions, values, names, st.just(HERE))


@st.composite
def elements(draw: st.DrawFn, tag: str) -> EventFilter:
    against = draw(st.sampled_from(of_tag(tag)))
    one = filters(against)
    rules = st.builds(Rule, st.just(""), relations, st.lists(one, max_size=3).map(tuple), st.just(1), st.just(HERE))
    entries = tuple(draw(st.lists(st.one_of(one, one, rules), max_size=5)))
    onmatch = draw(st.sampled_from(["include", "exclude"]))
    return EventFilter(tag, against.id, onmatch, draw(relations), entries, "", HERE)  # type: ignore[arg-type]


def value_of(sql: str) -> st.SearchStrategy[Any]:
    return st.one_of(texts, st.none()) if sql == "TEXT" else st.sampled_from([0, 1, 443, None])


@st.composite
def events(draw: st.DrawFn, tag: str) -> Event:
    event_type = draw(st.sampled_from(of_tag(tag)))
    values = {f.name: draw(value_of(f.kind.sql)) for f in event_type.fields}
    return event_type.cls(**values)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[EventFilter], list[Event]]:
    tag = draw(st.sampled_from(TAGS))
    return draw(st.lists(elements(tag), max_size=4)), draw(st.lists(events(tag), min_size=1, max_size=4))


@given(case=cases(), image_splits_on=st.sampled_from(["\\", "\\/"]))
@settings(max_examples=400, deadline=None)
def test_the_fast_engine_decides_what_the_literal_one_decides(
    case: tuple[list[EventFilter], list[Event]], image_splits_on: str
) -> None:
    made, stream = case
    whole = configuration(*made)
    ruleset = Ruleset.compile(whole, image_splits_on=image_splits_on)
    for event in [*stream, *stream]:  # the second time from memory
        assert ruleset.decide(event) == literal.decide(whole, event, image_splits_on)
    for event in stream:
        assert ruleset.wants(event.type.id) or not ruleset.decide(event).keep


@given(case=cases(), data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_field_that_the_rules_do_not_read_changes_no_verdict(
    case: tuple[list[EventFilter], list[Event]], data: st.DataObject
) -> None:
    made, stream = case
    ruleset = Ruleset.compile(configuration(*made))
    event = stream[0]
    before = ruleset.decide(event)
    for field in event.type.fields:
        if field.name not in ruleset.reads(event.type.id):
            setattr(event, field.name, data.draw(value_of(field.kind.sql)))
    assert ruleset.decide(event) == before
