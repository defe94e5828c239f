"""`pysmon explain`: why a configuration keeps or drops an event."""

from __future__ import annotations

import sys

import click

from pysmon.cli.configuration import configured
from pysmon.cli.document import put_document
from pysmon.cli.exits import FINE
from pysmon.cli.one_event import one_event
from pysmon.cli.printing import Printer
from pysmon.cli.shape_option import input_format
from pysmon.pipeline.policy import EVENTS_OF_FAMILY
from pysmon.pipeline.pushdown import WHOLE_PATH
from pysmon.rules.approve_text import pushdown_lines
from pysmon.rules.explain import Explanation, Turn, explain
from pysmon.rules.explain_text import ASCII_MARKS, MARKS, explanation_lines
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.trace import CheckTrace, ElementTrace, GroupTrace
from pysmon.rules.tree import Check
from pysmon.views.words import Line

_EXAMPLES = """\b
Examples:
  pysmon explain config.xml '{"EventID": 1, "Image": "/usr/bin/curl", "CommandLine": "curl http://evil.example/x"}'
  pysmon explain config.xml Sysmon.evtx --record 4711
  pysmon log --id 1 --last 1 --format json | pysmon explain config.xml -
  pysmon explain --pushdown config.xml
  pysmon explain --json config.xml events.json --record 4711 | jq .turns

\b
Exit code: 0 it is explained, kept or not, 2 the configuration or the event cannot be used,
3 a file cannot be read.
"""
_HANG = 14  # columns: what goes on stands below the conditions


@click.command("explain", epilog=_EXAMPLES)
@click.argument("config")
@click.argument("event", required=False)
@click.option("--record", type=click.IntRange(min=0), metavar="N", help="The event with this EventRecordID of a log.")
@input_format
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("--pushdown", is_flag=True, help="Show instead what the kernel decides by itself, rule by rule.")
@click.option("--all", "whole", is_flag=True, help="Show every condition; otherwise rows of them are summed up.")
def explain_command(
    config: str, event: str | None, record: int | None, shape: str | None, as_json: bool, whole: bool, pushdown: bool
) -> int:
    """Explain why CONFIG keeps or drops an EVENT, without rights and without a sensor.

    Shown are the rules in the order in which the engine asks them, each with its line, what came of it, and which
    single condition would have turned the verdict round. EVENT is a JSON object, a file with one,
    a log, or `-` for standard input; of a log with several events --record names the one.

    With --pushdown no event is needed: shown is what of CONFIG the kernel decides by itself, so that what nothing can
    keep never leaves it (`down`), what it decides in part (`part`), and what makes events come up to be judged (`up`).
    """
    if pushdown == (event is not None):
        raise click.UsageError("give either an EVENT or --pushdown")
    if pushdown and as_json:
        raise click.UsageError("--pushdown is told as text only, without --json")
    if event is None:
        return _show_pushdown(Ruleset.compile(configured(config)))
    found = explain(Ruleset.compile(configured(config)), one_event(event, record, shape).event)
    if as_json:
        put_document(_document(config, found))
        return FINE
    printer = Printer.of_stdout()
    marks = MARKS if sys.stdout.encoding.lower().replace("-", "") == "utf8" else ASCII_MARKS
    printer.lines(Line(pieces, _HANG) for pieces in explanation_lines(found, marks=marks, whole=whole))
    return FINE


def _show_pushdown(ruleset: Ruleset) -> int:
    lines = pushdown_lines(ruleset, sorted({n for ids in EVENTS_OF_FAMILY.values() for n in ids}), WHOLE_PATH)
    Printer.of_stdout().lines(Line(pieces, _HANG) for pieces in lines)
    return FINE


def _document(config: str, found: Explanation) -> dict[str, object]:
    decided, named = found.trace.decided_by, found.trace.named_by
    return {
        "configuration": config,
        "event_id": found.event.type.id,
        "keep": found.verdict.keep,
        "rule_name": found.verdict.rule_name,
        "decided_by": {"onmatch": decided.source.onmatch, "line": decided.source.place.line} if decided else None,
        "named_by": _condition(named) if named else None,
        "elements": [_element(element) for element in found.trace.elements],
        "turns": [_turn(turn, found.verdict.keep) for turn in found.turns],
    }


def _element(trace: ElementTrace) -> dict[str, object]:
    source = trace.element.source
    return {
        "tag": source.tag,
        "onmatch": source.onmatch,
        "relation": source.relation.name.lower(),
        "group": source.group,
        "line": source.place.line,
        "asked": trace.asked,
        "matched": trace.outcome if trace.asked else None,
        "entries": [_entry(entry) for entry in trace.entries],
    }


def _entry(trace: CheckTrace | GroupTrace) -> dict[str, object]:
    if isinstance(trace, CheckTrace):
        return {
            **_condition(trace.check),
            "event_value": trace.value,
            "looked_at": trace.looked_at,
            "holds": trace.outcome,
        }
    source = trace.group.source
    return {
        "rule": source.name,
        "relation": source.relation.name.lower(),
        "line": source.place.line,
        "looked_at": trace.looked_at,
        "matched": trace.outcome if trace.looked_at else None,
        "conditions": [_entry(check) for check in trace.checks],
    }


def _condition(check: Check) -> dict[str, object]:
    source = check.source
    return {
        "field": source.field,
        "condition": source.condition.value,
        "value": source.value,
        "name": source.name,
        "line": source.place.line,
    }


def _turn(turn: Turn, keep: bool) -> dict[str, object]:
    return {**_condition(turn.check), "had_it_held": turn.held, "keep": not keep}
