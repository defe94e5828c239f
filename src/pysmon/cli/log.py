"""`pysmon log`: the entries of the event log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

import click

from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.how_many import number_option
from pysmon.cli.listing import check_json, events, put_list
from pysmon.cli.printing import FORM_NAMES, Printer, flush
from pysmon.cli.reading import Log, Row, Selection, Wanted, enough, reading_options
from pysmon.cli.shape_option import output_format
from pysmon.cli.signals import stopped_by_signals
from pysmon.errors import PysmonError
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.signalled import SignalledEvent
from pysmon.store.query import Query
from pysmon.views.table import heading

_PATIENCE = 0.5  # seconds between two looks at a log that is followed
_EXAMPLES = """\b
Examples:
  pysmon log                                          the last 20 events
  pysmon log --follow --tag NetworkConnect            connections as they are made
  pysmon log --since 2h --where 'Image end with /curl' --where 'DestinationPort is not 443'
  pysmon log --text evil.example --all --format detail
  pysmon log events.json --id 11,23 --format json | jq .TargetFilename
  pysmon log 'evidence/*.evtx' --id 1 --where 'Image image rundll32.exe' --all

\b
Exit code: 0 found, 1 nothing found, 2 misuse, 3 the log cannot be read.
"""


@click.command(epilog=_EXAMPLES, short_help="The events of the event log.")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@reading_options()
@number_option(
    "-n",
    "--last",
    help="The last N of them. 20 without --since.",
)
@click.option("--all", "everything", is_flag=True, help="All of them, however many.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@output_format(FORM_NAMES, help="How they are printed; without it as a table.")
def log(last: int | None, everything: bool, follow: bool, form: str | None, as_json: bool, **given: Any) -> int:
    """Show what stands in the event log, or in logs of others: FILE is of any shape, a folder, or has `*` in it.

    What is wanted can be said by id, name, field, time, process and text; all that is said must hold.
    """
    check_json(as_json, form, follow=follow)
    form = form or "table"
    selection = Selection(**given)
    wanted = selection.wanted()
    count = enough(last, everything, selection)
    printer = Printer.of_stdout()
    with selection.log() as source:
        position = _end(source) if follow else 0
        rows = wanted.all(source) if count is None else iter(wanted.of(source, count))
        seen = _Seen(position)
        if as_json:
            return FINE if put_list("events", events(seen.entries(rows)), source) else FINDINGS
        if form == "table" and printer.terminal:
            printer.lines([heading(printer.screen)])
        found = printer.entries(seen.entries(rows), form)
        if count is not None and seen.count == count and last is None and not follow and sys.stderr.isatty():
            click.echo(f"pysmon: these are the last {count}; --all shows all, --last N others", err=True)
        if follow:
            flush()
            found = _follow(selection, source, wanted, seen, lambda entries: printer.entries(entries, form)) or found
    return FINE if found else FINDINGS


class _Seen:
    """Remembers how far the log was read."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.count = 0

    def entries(self, rows: Iterator[Row]) -> Iterator[Entry[Event]]:
        for position, entry in rows:
            self.position = max(self.position, position)
            self.count += 1
            yield entry


def _end(source: Log) -> int:
    return next((position for position, _ in source.rows(Query(order="newest first", limit=1))), 0)


def _follow(
    selection: Selection, source: Log, wanted: Wanted, seen: _Seen, show: Callable[[Iterator[Entry[Event]]], bool]
) -> bool:
    """Show what comes until a signal; whether anything came. A log that is replaced is opened anew."""
    stop = SignalledEvent()
    found = False
    with ExitStack() as opened, stopped_by_signals(stop, command=False, hangup_ends=True):
        while True:
            replaced = not source.is_current  # asked first: what the old one still got is shown before it is left
            newer = replace(wanted, query=replace(wanted.query, after=seen.position))
            found = show(seen.entries(newer.all(source))) or found
            flush()
            if stop.wait(_PATIENCE):
                return found
            if replaced:
                with suppress(PysmonError, OSError):  # there may be none yet: then the old one is looked at again
                    source, seen.position = opened.enter_context(selection.log()), 0
