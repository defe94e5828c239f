"""What lint says of rules is so: the engine itself is asked, with events that look like the rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.build import HERE, configuration
from tests.rules.places import changed, only, told_apart

from pysmon.config.model import Condition, Configuration, EventFilter, Filter, Relation, Rule
from pysmon.errors import Place
from pysmon.lint.checks import CHECKS
from pysmon.lint.scene import Scene
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import EVENTS, Event
from pysmon.schema.lookup import by_tag
from pysmon.schema.shape import Platform

FIELDS = {  # by tag: a few fields, so that conditions meet on one
    "ProcessCreate": ("Image", "User", "IntegrityLevel", "Hashes", "RuleName"),
    "NetworkConnect": ("Image", "Protocol", "Initiated", "DestinationPort", "DestinationIp"),
    "RegistryEvent": ("EventType", "TargetObject", "User", "Details"),
    "PipeEvent": ("EventType", "PipeName", "Image"),
    "ProcessAccess": ("GrantedAccess", "SourceImage"),
}
VALUES: dict[str, list[Any]] = {  # what fields of events can have; any other has some text
    "Protocol": ["tcp", "udp"],
    "Initiated": [True, False],
    "DestinationPort": [0, 80, 443, 65535],
    "DestinationIp": ["10.0.0.1", "0:0:0:0:0:0:0:1", "-"],
    "IntegrityLevel": ["Low", "High", "no level"],
    "Hashes": [f"MD5={'a0' * 16}", f"SHA1={'0' * 40},MD5={'b' * 32}", "-"],
    "GrantedAccess": ["0x0", "0x1410", "0x1fffff"],
}
EVENT_TYPES = {12: "CreateKey", 13: "SetValue", 14: "RenameKey", 17: "CreatePipe", 18: "ConnectPipe"}
WRONG = ["yes", "TCP/IP", "80-90", "0443", "::1", "MD5=", "0x001410", "Highest", "true", "443", "ConnectPipe", "-", ""]

texts = st.text("aAb;\\/", min_size=1, max_size=4)
rule_values = st.one_of(
    st.text("aAb;\\/", max_size=4), st.sampled_from([*WRONG, *EVENT_TYPES.values(), "tcp", "0x1410"])
)
relations = st.sampled_from(list(Relation))
names = st.sampled_from(["", "n"])


def filters(names_of_fields: tuple[str, ...]) -> st.SearchStrategy[Filter]:
    fields = st.sampled_from(names_of_fields)
    return st.builds(Filter, fields, st.sampled_from(list(Condition)), rule_values, names, st.just(HERE))


@st.composite
def elements(draw: st.DrawFn, tag: str) -> EventFilter:
    against = draw(st.sampled_from(by_tag(tag)))
    one = filters(tuple(name for name in FIELDS[tag] if against.field(name)))
    rules = st.builds(
        Rule, st.just(""), relations, st.lists(one, min_size=1, max_size=3).map(tuple), st.just(1), st.just(HERE)
    )
    entries = tuple(draw(st.lists(st.one_of(one, one, rules), max_size=5)))
    onmatch = draw(st.sampled_from(["include", "exclude"]))
    return EventFilter(tag, against.id, onmatch, draw(relations), entries, "", HERE)  # type: ignore[arg-type]


@st.composite
def events(draw: st.DrawFn, tag: str, said: list[str]) -> Event:
    """An event with values for all numbers; its texts are often those of the rules, or made of them."""
    kind = draw(st.sampled_from(by_tag(tag)))
    near = st.one_of(texts, st.sampled_from(said), st.tuples(st.sampled_from(said), texts).map("\\".join))
    values: dict[str, Any] = {}
    for field in kind.fields:
        if field.name == "EventType":
            values[field.name] = EVENT_TYPES[kind.id]
        elif field.name in VALUES:
            values[field.name] = draw(st.sampled_from(VALUES[field.name]))
        else:
            values[field.name] = 0 if field.kind.sql == "INTEGER" else draw(near)
    return kind.cls(**values)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Scene, list[Event]]:
    tag = draw(st.sampled_from(sorted(FIELDS)))
    made = told_apart(draw(st.lists(elements(tag), min_size=1, max_size=3)))
    platform: Platform = draw(st.sampled_from(["windows", "linux"]))
    scene = Scene(configuration(*made), platform)
    parts = [part for spot in scene.spots for part in (spot.filter.value, *spot.filter.value.split(";"))]
    stream = draw(st.lists(events(tag, [part for part in parts if part] or ["a"]), min_size=1, max_size=8))
    return scene, stream


def kept(scene: Scene, whole: Configuration, stream: Iterable[Event]) -> list[bool]:
    ruleset = Ruleset.compile(whole, image_splits_on=scene.splits_on)
    return [ruleset.decide(event).keep for event in stream]


def alone(scene: Scene, stream: Iterable[Event], *places: Place) -> list[bool]:
    """Which events the part, or the parts, at these places match, alone."""
    return kept(scene, only(scene.configuration, set(places)), stream)


@given(case=cases())
@settings(max_examples=200, deadline=None)
def test_a_condition_that_never_holds_never_does(case: tuple[Scene, list[Event]]) -> None:
    scene, stream = case
    for spot in scene.spots:
        if scene.never(spot):
            assert not any(alone(scene, stream, spot.filter.place))


@given(case=cases())
@settings(max_examples=150, deadline=None)
def test_a_condition_that_always_holds_always_does(case: tuple[Scene, list[Event]]) -> None:
    scene, stream = case
    for found in CHECKS["L102"].find(scene):
        spot = next(spot for spot in scene.spots if spot.filter.place == found.place)
        of_its_event = [event for event in stream if event.type in spot.looked_at_in]
        assert all(alone(scene, of_its_event, found.place))


@given(case=cases())
@settings(max_examples=150, deadline=None)
def test_conditions_that_exclude_each_other_keep_their_rule_from_matching(case: tuple[Scene, list[Event]]) -> None:
    scene, stream = case
    for found in CHECKS["L201"].find(scene):
        spot = next(spot for spot in scene.spots if spot.filter.place == found.place)
        around = spot.element if spot.element.relation is Relation.AND else spot.rule
        assert around
        assert not any(alone(scene, stream, around.place))


@given(case=cases())
@settings(max_examples=150, deadline=None)
def test_alternatives_that_leave_nothing_out_match_every_event(case: tuple[Scene, list[Event]]) -> None:
    scene, stream = case
    for found in CHECKS["L202"].find(scene):
        spot = next(spot for spot in scene.spots if spot.filter.place == found.place)
        other = next(s for s in scene.spots if f"line {s.filter.place.line}:" in found.message)
        either = replace(spot.element, onmatch="include", relation=Relation.OR, entries=(spot.filter, other.filter))
        of_its_event = [event for event in stream if event.type in spot.looked_at_in]
        assert all(kept(scene, configuration(either), of_its_event))


@given(case=cases())
@settings(max_examples=200, deadline=None)
def test_without_a_rule_that_changes_nothing_nothing_changes(case: tuple[Scene, list[Event]]) -> None:
    scene, stream = case
    before = kept(scene, scene.configuration, stream)
    for code in ("L301", "L302", "L303"):
        for found in CHECKS[code].find(scene):
            without = changed(scene.configuration, found.place, lambda _: None)
            assert kept(scene, without, stream) == before


@given(case=cases())
@settings(max_examples=200, deadline=None)
def test_an_include_that_is_swallowed_keeps_nothing(case: tuple[Scene, list[Event]]) -> None:
    scene, stream = case
    whole = kept(scene, scene.configuration, stream)
    for found in CHECKS["L304"].find(scene):
        for matched, keep in zip(alone(scene, stream, found.place), whole, strict=True):
            assert not (matched and keep)


@given(case=cases())
@settings(max_examples=200, deadline=None)
def test_the_rule_that_is_named_matches_whatever_the_other_matches(case: tuple[Scene, list[Event]]) -> None:
    scene, stream = case
    for code in ("L301", "L302", "L303", "L304"):
        for found in CHECKS[code].find(scene):
            named = re.search(r"line (\d+)", found.message)
            assert named
            by = Place("test.xml", int(named[1]), 1)
            for matched, covered in zip(alone(scene, stream, found.place), alone(scene, stream, by), strict=True):
                assert covered or not matched


@given(case=cases())
@settings(max_examples=150, deadline=None)
def test_a_condition_that_adds_nothing_can_go(case: tuple[Scene, list[Event]]) -> None:
    scene, stream = case
    before = kept(scene, scene.configuration, stream)
    for found in list(CHECKS["L204"].find(scene))[:1]:  # one at a time: of two equal ones each adds nothing
        assert kept(scene, changed(scene.configuration, found.place, lambda _: None), stream) == before


@given(case=cases())
@settings(max_examples=100, deadline=None)
def test_every_check_can_judge_any_rules(case: tuple[Scene, list[Event]]) -> None:
    scene, _ = case
    places = {part.place for spot in scene.spots for part in (spot.filter, spot.rule, spot.element) if part}
    places |= {element.place for element in scene.configuration.filters}
    for check in CHECKS.values():
        assert {found.place for found in check.find(scene)} <= places


def test_event_types_of_the_test_are_those_of_the_schema() -> None:
    assert {number for tag in ("RegistryEvent", "PipeEvent") for number in (e.id for e in by_tag(tag))} == set(
        EVENT_TYPES
    )
    assert all(EVENTS[number].field("EventType") for number in EVENT_TYPES)
