"""Configurations of every kind, for laws that hold for all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from pysmon.config.blob.compilers import COMPILERS, Compiler
from pysmon.config.model import Condition, Configuration, EventFilter, Filter, Onmatch, Options, Relation, Rule
from pysmon.errors import Place
from pysmon.schema.event import Event
from pysmon.schema.lookup import TAGS, by_tag

HERE = Place("made.xml")
NEWEST = COMPILERS[-1]

# What XML can hold, the awkward more often than chance would have it.
AWKWARD = [
    "",
    " ",
    "\t",
    "\n\n",
    "a\rb",
    "&amp;",
    "]]>",
    "<!--",
    '"',
    "'",
    "%TEMP%\\x",
    "a;b;;",
    "é",
    "漢",
    "\U0001f9ea",
    "\ufffd",
]
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
TEXTS = st.sampled_from(AWKWARD) | st.text(CHARACTERS, max_size=12)
NAMES = (
    st.just("")
    | st.sampled_from(["technique_id=T1059", "a b", '"', "<&>", "n" * 127])
    | st.text(CHARACTERS, max_size=8)
)
RELATIONS = st.sampled_from(Relation)
ONMATCH: st.SearchStrategy[Onmatch] = st.sampled_from(["include", "exclude"])


@st.composite
def filters(draw: DrawFn, fields: tuple[str, ...], conditions: tuple[Condition, ...], inherited: str) -> Filter:
    name = draw(NAMES) or inherited
    return Filter(draw(st.sampled_from(fields)), draw(st.sampled_from(conditions)), draw(TEXTS), name, HERE)


@st.composite
def elements(draw: DrawFn, compiler: Compiler, tags: tuple[str, ...]) -> EventFilter:
    tag = draw(st.sampled_from([tag for tag in tags if compiler.fields(by_tag(tag)[0].id)]))
    event = draw(st.sampled_from(by_tag(tag)))
    fields, group = compiler.fields(event.id), draw(NAMES)
    if tags != TAGS:
        fields = fields[-3:]
    entries: list[Filter | Rule] = []
    for is_rule in draw(st.lists(st.booleans(), max_size=4)):
        if is_rule:
            name = draw(NAMES)
            inside = draw(st.lists(filters(fields, compiler.conditions, name or group), max_size=3))
            entries.append(Rule(name, draw(RELATIONS), tuple(inside), 0, HERE))
        else:
            entries.append(draw(filters(fields, compiler.conditions, group)))
    return EventFilter(tag, event.id, draw(ONMATCH), draw(RELATIONS), tuple(entries), group, HERE)


@st.composite
def configurations(draw: DrawFn, compiler: Compiler = NEWEST, tags: tuple[str, ...] = TAGS) -> Configuration:
    """One that the compiler knows all of; its Rules are not numbered yet, and not all events are the fitting ones.

    With `tags` given, its filters are on the last three fields of those events only: they meet.
    """
    made = tuple(draw(st.lists(elements(compiler, tags), min_size=1, max_size=5)))
    return Configuration("made.xml", "", compiler.schema, Options(), made)


@st.composite
def events_for(draw: DrawFn, *made: Configuration) -> Event:
    """An event that filters of the configurations speak of, with values that stand in them."""
    element = draw(st.sampled_from([element for each in made for element in each.filters]))
    event_type = draw(st.sampled_from(by_tag(element.tag)))
    values = {each.value for c in made for e in c.filters for each in _all_filters(e)}
    words = sorted(values | {part for value in values for part in value.split(";")} | {"-"})
    texts = st.sampled_from(words)
    fields: dict[str, Any] = {f.name: draw(texts) if f.kind.sql == "TEXT" else 0 for f in event_type.fields}
    return event_type.cls(**fields)


def _all_filters(element: EventFilter) -> list[Filter]:
    return [each for e in element.entries for each in (e.filters if isinstance(e, Rule) else (e,))]


def placeless(configuration: Configuration) -> Configuration:
    """The configuration without what depends on the file that it stands in, and in the order of the compiler."""
    made = tuple(_element(each) for each in sorted(configuration.filters, key=lambda each: TAGS.index(each.tag)))
    return replace(configuration, file="", sha256="", filters=made)


def _element(element: EventFilter) -> EventFilter:
    entries = tuple(_entry(entry) for entry in element.entries)
    return replace(element, entries=entries, group="", place=HERE)


def _entry(entry: Filter | Rule) -> Filter | Rule:
    if isinstance(entry, Filter):
        return replace(entry, place=HERE)
    return replace(entry, filters=tuple(replace(each, place=HERE) for each in entry.filters), place=HERE)
