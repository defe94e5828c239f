"""`pysmon replay`: what a configuration would have kept of a log, and by which rule."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from itertools import repeat
from typing import TypeVar

import click

from pysmon.cli.configuration import configured
from pysmon.cli.deliver import must_be_another
from pysmon.cli.document import put_document
from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.inputs import STDIN
from pysmon.cli.output import Output, output_forms, output_to, same_file
from pysmon.cli.printing import Printer
from pysmon.cli.progress import watched
from pysmon.cli.replay_report import Report
from pysmon.cli.shape_option import input_format_alone, output_format
from pysmon.cli.telling import tell_logs
from pysmon.errors import MisuseError
from pysmon.pipeline.garbage import collect_seldom
from pysmon.sources.open import SHAPES, open_sources
from pysmon.sources.pieces import Piece, pieces
from pysmon.workbench.readers import Reading
from pysmon.workbench.replay import Replay, Rules
from pysmon.workbench.suggest import suggestions
from pysmon.workbench.tally import Account

_T = TypeVar("_T")
_EXAMPLES = """\b
Examples:
  pysmon replay config.xml Sysmon.evtx
  pysmon replay config.xml 'evidence/**/*.evtx' --jobs 4
  pysmon replay config.xml events.json -o kept.evtx
  pysmon replay --json config.xml events.json | jq '.by_rule[] | select(.keep)'

\b
Exit code: 0 fine, 1 a log is damaged (what can be read was judged) or there was no event, 2 misuse, 3 a log cannot be
read or the output cannot be written.
"""


@click.command("replay", epilog=_EXAMPLES, short_help="What a configuration would have kept of a log.")
@click.argument("config")
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("-o", "--output", "to", metavar="FILE", help="Write what is kept to FILE; `-` is standard output.")
@output_format(
    (*output_forms(), *SHAPES),
    metavar="FORMAT",
    help="With -o the format of FILE; without, the same as --input-format.",
)
@click.option("--store", metavar="PATH", help="Add what is kept to the event log in PATH, for `pysmon log` and others.")
@input_format_alone
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Read with N processes.")
@click.option("--top", "most", type=click.IntRange(0), default=10, show_default=True, help="Lines of each list.")
def replay(
    config: str,
    logs: tuple[str, ...],
    as_json: bool,
    to: str | None,
    form: str | None,
    store: str | None,
    shape: str | None,
    jobs: int,
    most: int,
) -> int:
    """Judge every event of LOG by CONFIG: what would be kept and dropped, by event type and by rule.

    A LOG may be of any shape, a folder, have `*` in it, or be `-` for standard input. Told are also the images and
    command lines of which most is kept, and excludes that would save the most, each with what it would hide. Bytes are
    those of JSON lines.
    """
    if config == STDIN and STDIN in logs:
        raise click.UsageError("standard input (-) can be read only once")
    if form is not None and to is None and store is None and shape is None:
        shape, form = form, None
    if form is not None and form not in output_forms():
        raise MisuseError(f"{form!r} is no format of -o", hint=f"--input-format {form} is the shape of the logs")
    if to == "-" and as_json:
        raise click.UsageError("--json and -o - would both write to standard output")
    if jobs > 1 and (to or store):
        raise MisuseError("--jobs and -o exclude each other", hint="what is kept is written by one process")
    for path in (to, store):
        if path is not None:
            must_be_another(path, config)
    rules = Rules(configured(config))
    cut = [piece for source in open_sources(logs, shape) for piece in pieces(source)]
    for path in (to, store):
        if path is not None and any(each.stream.path and same_file(each.stream.path, path) for each in cut):
            raise MisuseError(f"{path} is one of the logs that are read", hint="another file: -o FILE")
    with output_to(to, form, store) as output:
        keep = output.write if isinstance(output, Output) else None
        reading = Reading(cut, partial(Replay, rules, keep), jobs)
        follow(reading, cut)
    account = Account.of(reading.results)
    advice = list(suggestions(rules, account, most)) if most else []
    report = Report(config, rules, account, reading.tallies, advice, most)
    if as_json:
        put_document(report.document())
    elif to != "-":
        Printer.of_stdout().lines(report.lines())
    return FINE if tell_logs(reading.tallies, shape) else FINDINGS


def follow(reading: Reading[_T], cut: list[Piece]) -> None:
    """Read to the end, with a bar on a terminal."""
    collect_seldom()
    if not sys.stderr.isatty():
        for _ in reading:
            pass
        return
    done = _Done(cut)
    for _ in watched(done, done.events(reading)):
        pass


class _Done:
    """How much of the logs is read, for a bar."""

    def __init__(self, cut: list[Piece]) -> None:
        names = {piece.name for piece in cut}
        self.name = next(iter(names)) if len(names) == 1 else f"{len(names)} logs"
        self.size = sum(piece.size for piece in cut)
        self.done = 0

    def events(self, reading: Reading[_T]) -> Iterator[None]:
        """Something for each event, as they come to an end."""
        for step in reading:
            self.done += step.bytes
            yield from repeat(None, step.events)
