"""Tests of a configuration: whether it keeps and drops what it should, and why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from pysmon.errors import PysmonError
from pysmon.rules.explain import explain
from pysmon.rules.explain_text import explanation_lines
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.verdict import Verdict
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sources.open import open_sources
from pysmon.sources.source import Source, Tally
from pysmon.workbench.cases import Case, Mistake, Recorded

Watch: TypeAlias = Callable[[Source, Iterator[Entry[Event]]], Iterator[Entry[Event]]]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a test. `why` explains the verdict in a few lines; empty if it is the expected one."""

    case: Case
    verdict: Verdict
    passed: bool
    why: tuple[str, ...] = ()

    @property
    def difference(self) -> str:
        """`expected keep, RuleName web, and it is dropped`; for a test that failed."""
        wanted = "keep" if self.case.keep else "drop"
        name = "" if self.case.rule is None else f", RuleName {self.case.rule}"
        is_so = f"is kept, RuleName {self.verdict.rule_name}" if self.verdict.keep else "is dropped"
        return f"expected {wanted}{name}, and it {is_so}"


class Outcome(NamedTuple):
    """What came of all tests; what cannot be tried because its log or record is not there is a mistake."""

    results: tuple[Result, ...]
    mistakes: tuple[Mistake, ...]
    tallies: Mapping[str, Tally]  # of the logs


def run_cases(
    ruleset: Ruleset, cases: Sequence[Case], form: str | None = None, watch: Watch = lambda _, entries: entries
) -> Outcome:
    """Judge every event. `form` forces the shape of the logs (`pysmon.sources.open.SHAPES`).

    `watch` is given the entries of each log, and gives them on.
    """
    tallies: dict[str, Tally] = {}
    recorded, mistakes = _fetched(cases, form, watch, tallies)
    results = []
    for case in cases:
        event = recorded.get(case.event) if isinstance(case.event, Recorded) else case.event
        if event is not None:
            results.append(_judged(ruleset, case, event))
    return Outcome(tuple(results), tuple(mistakes), tallies)


def _judged(ruleset: Ruleset, case: Case, event: Event) -> Result:
    verdict = ruleset.decide(event)
    if verdict.keep == case.keep and case.rule in (None, verdict.rule_name):
        return Result(case, verdict, passed=True)
    why = []
    for pieces in explanation_lines(explain(ruleset, event)):
        if not pieces:  # the verdict and where it comes from stand first; then the rules follow
            break
        why.append("".join(piece.text for piece in pieces))
    return Result(case, verdict, passed=False, why=tuple(why))


def _fetched(
    cases: Iterable[Case], form: str | None, watch: Watch, tallies: dict[str, Tally]
) -> tuple[dict[Recorded, Event], list[Mistake]]:
    """The events that stand in logs: each log is read once."""
    by_log: defaultdict[Path, list[tuple[Recorded, Case]]] = defaultdict(list)
    for case in cases:
        if isinstance(case.event, Recorded):
            by_log[case.event.log].append((case.event, case))
    events: dict[Recorded, Event] = {}
    mistakes = []
    for log, wanting in by_log.items():
        try:
            found = _of_log(log, {wanted.record for wanted, _ in wanting}, form, watch, tallies)
        except (PysmonError, OSError) as error:
            words = f"{log}: {error.strerror}" if isinstance(error, OSError) and error.strerror else str(error)
            mistakes += [Mistake(case.place, words) for _, case in wanting]
            continue
        for wanted, case in wanting:
            same = found.get(wanted.record, [])
            if len(same) == 1:
                events[wanted] = same[0]
            else:
                mistakes.append(Mistake(case.place, _missing(wanted, len(same)), "pysmon log FILE --all shows it"))
    return events, mistakes


def _of_log(
    log: Path, records: set[int | None], form: str | None, watch: Watch, tallies: dict[str, Tally]
) -> dict[int | None, list[Event]]:
    """The wanted events of a log by record id, two of each at most; under None whatever is in it."""
    found: defaultdict[int | None, list[Event]] = defaultdict(list)
    for source in open_sources([log], form):
        entries = source.entries()
        tallies[source.name] = source.tally
        for entry in watch(source, entries):
            for key in {entry.record_id, None} & records:
                if len(found[key]) < 2:
                    found[key].append(entry.event)
    return found


def _missing(wanted: Recorded, count: int) -> str:
    if wanted.record is None:
        return f"{wanted.log} has {'several events: name one with record' if count else 'no event'}"
    words = "several events" if count else "no event"
    return f"{wanted.log} has {words} with the record id {wanted.record}"
