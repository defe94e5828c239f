"""`pysmon diff`: what is different between two configurations, by what they mean and by what they do to a log."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import click

from pysmon.cli.configuration import configured
from pysmon.cli.diff_report import DiffReport
from pysmon.cli.document import put_document
from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.inputs import STDIN
from pysmon.cli.printing import Printer
from pysmon.cli.replay import follow
from pysmon.cli.shape_option import input_format
from pysmon.cli.telling import tell_logs
from pysmon.sources.open import open_sources
from pysmon.sources.pieces import pieces
from pysmon.sources.source import Tally
from pysmon.workbench.compare import Compare, Comparison, together
from pysmon.workbench.diff import diff
from pysmon.workbench.readers import Reading
from pysmon.workbench.replay import Rules

_EXAMPLES = """\b
Examples:
  pysmon diff old.xml new.xml
  pysmon diff old.xml new.xml yesterday.evtx 'archive/*.json'
  git show HEAD:config.xml | pysmon diff - config.xml Sysmon.evtx
  pysmon diff --json old.xml new.xml Sysmon.evtx | jq .behaviour.turns

\b
Exit code: 0 the same, 1 different, or a log is damaged or without events, 2 misuse, 3 a log cannot be read.
"""


@click.command("diff", epilog=_EXAMPLES, short_help="What is different between two configurations.")
@click.argument("old")
@click.argument("new")
@click.argument("logs", metavar="[LOG]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@input_format
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Read with N processes.")
@click.option(
    "--top", "most", type=click.IntRange(0), default=10, show_default=True, help="Lines of each list of events."
)
def diff_command(
    old: str, new: str, logs: tuple[str, ...], as_json: bool, shape: str | None, jobs: int, most: int
) -> int:
    """Compare the configurations OLD and NEW by what they mean, and on the events of LOG by what they do.

    By meaning: comments, layout, the case of values and the order of what the engine takes in any order make no
    difference. By behaviour: which events are kept by one and dropped by the other or get another RuleName, and which
    rule of each is behind it.
    """
    if [old, new, *logs].count(STDIN) > 1:
        raise click.UsageError("standard input (-) can be read only once")
    before, after = Rules(configured(old)), Rules(configured(new))
    changes = diff(before.configuration, after.configuration)
    compared: Comparison | None = None
    tallies: Mapping[str, Tally] = {}
    whole = True
    if logs:
        cut = [piece for source in open_sources(logs, shape) for piece in pieces(source)]
        reading = Reading(cut, partial(Compare, before, after), jobs)
        follow(reading, cut)
        compared, tallies = together(reading.results), reading.tallies
        whole = tell_logs(tallies, shape)
    report = DiffReport(old, new, before, after, changes, compared, tallies, most)
    if as_json:
        put_document(report.document())
    else:
        Printer.of_stdout().lines(report.lines())
    return FINE if report.same and whole else FINDINGS
