"""What two configurations do to the same log."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.entries import entry
from tests.rules.build import configuration, element, event, filter_
from tests.rules.test_law import TAGS, elements, events
from tests.workbench import office
from tests.workbench.logs import cut, read

from pysmon.config.model import EventFilter
from pysmon.schema.event import Event
from pysmon.sources.source import Taken
from pysmon.workbench.compare import Compare, Comparison, Pair, Sample, together, turn_of
from pysmon.workbench.readers import Reading
from pysmon.workbench.replay import Rules

OLD = Rules(configuration(element("include", filter_("Image", "end with", ".exe", "any"))))
NEW = Rules(
    configuration(
        element("include", filter_("Image", "end with", "l.exe", "shell"), filter_("Image", "end with", ".exe", "any")),
        element("exclude", filter_("Image", "contains", "Backup")),
    )
)


def turns(compared: Comparison) -> Counter[str]:
    found: Counter[str] = Counter()
    for (old, new), pair in compared.items():
        found[turn_of(old, new)] += pair.events
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[EventFilter], list[EventFilter], list[Event]]:
    tag = draw(st.sampled_from(TAGS))
    made = st.lists(elements(tag), max_size=3)
    return draw(made), draw(made), draw(st.lists(events(tag), min_size=1, max_size=6))


@given(case=cases())
@settings(max_examples=60, deadline=None)
def test_events_turn_as_the_engine_decides(case: tuple[list[EventFilter], list[EventFilter], list[Event]]) -> None:
    one, two, stream = case
    old, new = Rules(configuration(*one)), Rules(configuration(*two))
    work = Compare(old, new)
    rows: list[Taken] = []
    for each in stream:
        values = tuple(getattr(each, name) for name in work.wanted[each.type.id])
        rows.append((each.type.id, values, lambda each=each: entry(each)))  # type: ignore[misc]
    work.take(iter(rows))
    expected: Counter[str] = Counter()
    for each in stream:
        was, now = old.ruleset.decide(each), new.ruleset.decide(each)
        if was.keep != now.keep:
            expected["kept -> dropped" if was.keep else "dropped -> kept"] += 1
        else:
            expected["another RuleName" if was.keep and was != now else "same"] += 1
    assert turns(work.result()) == expected


@pytest.mark.parametrize("jobs", [1, 2])
def test_of_every_image_that_changes_the_first_event_is_named(tmp_path: Path, jobs: int) -> None:
    log = tmp_path / "office.json"
    log.write_bytes(office.log())
    compared = together(read(Reading(cut(log, size=20_000), lambda: Compare(OLD, NEW), jobs)))
    assert turns(compared) == {"kept -> dropped": 61, "another RuleName": 1, "same": 245}
    gone = [pair for (old, new), pair in compared.items() if turn_of(old, new) == "kept -> dropped" and old[0] == 1]
    samples = {str(actor): (sample.record_id, sample.events) for actor, sample in gone[0].samples.items()}
    assert samples == {office.AGENT: (1, 60), office.LOADER: (246, 1)}
    assert all(not pair.samples for (old, new), pair in compared.items() if turn_of(old, new) == "same")


def test_the_name_of_what_is_dropped_makes_no_difference() -> None:
    named, other = (1, 0, 0, False, "one"), (1, 0, 0, False, "two")
    assert turn_of(named, other) == "same"
    assert turn_of((1, 0, 0, True, "one"), (1, 0, 0, True, "two")) == "another RuleName"


def test_some_images_are_told_among_them_the_rarest() -> None:
    pair = Pair()
    for n in range(1, 10):
        pair.samples[f"image {n}"] = Sample("log", n, n, f"image {n}", "-", n)
    assert [sample.events for sample in pair.telling(4)] == [9, 8, 2, 1]
    assert [sample.events for sample in pair.telling(1)] == [9]
    assert len(pair.telling(20)) == 9


def test_images_are_bounded() -> None:
    old = Rules(configuration(element("include", filter_("Image", "end with", ".exe"), event_id=3)))
    work = Compare(old, Rules(configuration()))
    at = {name: n for n, name in enumerate(work.wanted[3])}
    rows: list[Taken] = []
    for n in range(1000):
        values = ["-"] * len(at)
        values[at["Image"]] = f"{n}.exe"
        rows.append((3, tuple(values), lambda: entry(event(3))))
    work.take(iter(rows))
    (pair,) = work.result().values()
    assert pair.events == 1000
    assert len(pair.samples) < 300
