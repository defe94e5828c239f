"""A replay counts what the engine decides, whatever the log is cut into and whoever reads it."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.entries import entry
from tests.rules.build import AND, configuration, element, event, filter_
from tests.rules.test_law import TAGS, elements, events
from tests.workbench import office
from tests.workbench.logs import cut, numbers, read, replayed, written

from pysmon.config.model import EventFilter
from pysmon.errors import PysmonError
from pysmon.formats.json_line import json_line
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sources.pieces import Piece
from pysmon.sources.source import Taken, Wanted
from pysmon.workbench.readers import Reading
from pysmon.workbench.replay import Replay, Rules
from pysmon.workbench.tally import EVERY, FIRST, MOST, Account, Days, Kept, Table

INCLUDE = element("include", filter_("Image", "is", "a", "one"), filter_("User", "is", "x"))
EXCLUDE = element("exclude", filter_("Image", "is", "b"))
RULES = Rules(configuration(INCLUDE, EXCLUDE))


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[EventFilter], list[Event]]:
    tag = draw(st.sampled_from(TAGS))
    return draw(st.lists(elements(tag), max_size=3)), draw(st.lists(events(tag), min_size=1, max_size=6))


@given(case=cases())
@settings(max_examples=60, deadline=None)
def test_every_event_is_counted_as_the_engine_decides(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[list[EventFilter], list[Event]]
) -> None:
    made, stream = case
    rules = Rules(configuration(*made))
    work = Replay(rules)
    rows: list[Taken] = []
    for each in stream:
        values = tuple(getattr(each, name) for name in work.wanted[each.type.id])
        rows.append((each.type.id, values, lambda each=each: entry(each)))  # type: ignore[misc]
    work.take(iter(rows))
    account = work.result()
    verdicts = [(each.type.id, rules.ruleset.decide(each)) for each in stream]
    assert numbers(account) == Counter((number, verdict.keep, verdict.rule_name) for number, verdict in verdicts)
    assert sum(kept.events for kept in account.kept.ways.values()) == sum(verdict.keep for _, verdict in verdicts)


def test_what_is_kept_is_handed_on_in_order_with_the_name_of_its_rule(tmp_path: Path) -> None:
    images = ["a", "b", "c", "a"] * 400
    log = written(tmp_path / "log.json", [event(Image=image, User="q", RuleName="old") for image in images])
    kept: list[Entry[Event]] = []
    replayed(RULES, cut(log), keep=kept.extend)
    assert [each.record_id for each in kept] == [n for n, image in enumerate(images, 1) if image == "a"]
    assert {each.event.text("RuleName") for each in kept} == {"one"}


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_pieces_and_processes_make_no_difference(tmp_path: Path, jobs: int) -> None:
    log = tmp_path / "office.json"
    log.write_bytes(office.log())
    rules = Rules(configuration(element("exclude", filter_("Image", "end with", "conhost.exe"))))
    whole, parts = cut(log), cut(log, size=20_000)
    assert (len(whole), len(parts) > 5) == (1, True)
    one, several = replayed(rules, whole), replayed(rules, parts, jobs=jobs)
    assert numbers(one) == numbers(several)
    assert {way: kept.events for way, kept in one.kept.ways.items()} == {
        way: kept.events for way, kept in several.kept.ways.items()
    }
    assert several.counts == replayed(rules, parts).counts  # bytes, too: whoever reads them


def test_the_steps_add_up_to_the_log_and_damages_are_told_at_their_lines(tmp_path: Path) -> None:
    log = tmp_path / "office.json"
    lines = office.log().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:100], b"{oops\n", *lines[100:250], b"{oops\n", *lines[250:]]))
    parts = cut(log, size=20_000)
    reading = Reading(parts, lambda: Replay(RULES), 2)
    steps = list(reading)
    assert sum(step.events for step in steps) == len(lines) == reading.tallies[str(log)].entries
    assert sum(step.bytes for step in steps) == log.stat().st_size
    assert [damage.place for damage in reading.tallies[str(log)].damaged] == ["line 101", "line 252"]


def test_a_packed_log_is_one_piece(tmp_path: Path) -> None:
    log = tmp_path / "office.json.gz"
    log.write_bytes(gzip.compress(office.log()))
    parts = cut(log, size=1000)
    assert len(parts) == 1
    assert sum(numbers(replayed(RULES, parts, jobs=2)).values()) == 307


class Failing:
    """Work that cannot be done."""

    @property
    def wanted(self) -> Wanted:
        return {}

    def begin(self, piece: Piece) -> None:
        raise PysmonError(f"no piece {piece.number}")

    def take(self, rows: object) -> None: ...

    def result(self) -> None: ...


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_fails_in_another_process_fails_here(tmp_path: Path, jobs: int) -> None:
    log = tmp_path / "office.json"
    log.write_bytes(office.log())
    with pytest.raises(PysmonError, match="no piece"):
        read(Reading(cut(log, size=50_000), Failing, jobs))


def test_the_bytes_are_those_of_json_lines(tmp_path: Path) -> None:
    stream = [event(Image="a", CommandLine="x" * (n % 50)) for n in range(FIRST + 20 * EVERY)]
    log = written(tmp_path / "log.json", stream)
    (count,) = replayed(RULES, cut(log)).counts.values()
    real = sum(len(json_line(entry(made, n))) + 1 for n, made in enumerate(stream, 1))
    assert count.events == len(stream)
    assert abs(count.bytes - real) < 0.03 * real


def test_of_few_events_each_is_weighed(tmp_path: Path) -> None:
    stream = [event(Image="a", CommandLine="x" * n * n) for n in range(FIRST)]
    log = written(tmp_path / "log.json", stream)
    (count,) = replayed(RULES, cut(log)).counts.values()
    assert count.bytes == log.stat().st_size


def test_a_full_table_counts_the_rarest_together_and_loses_none() -> None:
    table = Table()
    for n in range(3 * MOST):
        table.add(((1, -1, -1, True, "-"), f"image {n % 7}", f"object {n}"), Kept(1 + (n == 5), ()))
        assert len(table.ways) <= MOST
    assert sum(kept.events for kept in table.ways.values()) == 3 * MOST + 1
    assert not table.exact
    assert ((1, -1, -1, True, "-"), "image 5", "object 5") in table.ways
    assert table.ways[(1, -1, -1, True, "-"), "image 5", None].events > 0


def test_images_are_counted_together_if_they_are_too_many_themselves() -> None:
    table = Table()
    for n in range(3 * MOST):
        table.add(((1, -1, -1, True, "-"), f"image {n}", None), Kept(1, ()))
        assert len(table.ways) <= MOST
    assert sum(kept.events for kept in table.ways.values()) == 3 * MOST


def test_ways_are_bounded_while_a_log_is_read(tmp_path: Path) -> None:
    work = Replay(Rules(configuration(element("exclude"))))
    at = {name: n for n, name in enumerate(work.wanted[1])}

    def rows() -> list[Taken]:
        values = [[""] * len(at) for _ in range(2 * MOST)]
        for n, each in enumerate(values):
            each[at["CommandLine"]] = f"{n}" * (400 if n % 2 else 1)
        return [(1, tuple(each), lambda: entry(event())) for each in values]

    work.take(iter(rows()))
    assert len(work._kept) <= MOST
    account = work.result()
    assert sum(kept.events for kept in account.kept.ways.values()) == 2 * MOST
    assert all(len(str(thing)) <= 1000 for _, _, thing in account.kept.ways)


DAY = 86_400_000_000_000


@pytest.mark.parametrize(
    ("times", "covered"),
    [
        ([], 0.0),
        ([5 * DAY], 0.0),
        ([5 * DAY, 5 * DAY + DAY // 4], 0.25),
        ([5 * DAY + DAY // 2, 6 * DAY + DAY // 4], 0.75),
        ([DAY // 2, 9 * DAY + DAY // 2], 1.0),  # nothing in between: those days do not count
        ([DAY // 2, 2 * DAY, 9 * DAY + DAY // 2], 2.0),
    ],
)
def test_a_log_covers_the_days_on_which_something_happened(times: list[int], covered: float) -> None:
    days = Days()
    for time in times:
        days.see(time)
    assert days.covered == pytest.approx(covered)
    halves = Days(), Days()
    for n, time in enumerate(times):
        halves[n % 2].see(time)
    halves[0].add(halves[1])
    assert halves[0] == days


def test_an_element_that_takes_all_is_told_as_a_whole(tmp_path: Path) -> None:
    rules = Rules(configuration(element("include", *INCLUDE.entries, relation=AND)))
    log = written(tmp_path / "log.json", [event(Image="a", User="x"), event(Image="a")])
    counts: Account = replayed(rules, cut(log))
    by = {rules.ruleset.rulings(1).by_key(key).by: count.events for key, count in counts.counts.items()}
    assert by == {rules.configuration.filters[0]: 1, None: 1}


def test_the_sample_log_is_what_its_script_makes() -> None:
    sample = Path(__file__).parents[2] / "examples" / "replay" / "office.json"
    assert sample.read_bytes() == office.log()
