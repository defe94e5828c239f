"""`pysmon timeline`: events of any number of logs in the order in which they happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import click

from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.how_many import number_option
from pysmon.cli.listing import check_json, events, put_list
from pysmon.cli.printing import FORM_NAMES, Printer
from pysmon.cli.reading import Selection, enough, reading_options
from pysmon.cli.shape_option import output_format
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sources.order import in_order
from pysmon.views.table import heading

_EXAMPLES = """\b
Examples:
  pysmon timeline dc.evtx workstation.evtx --all        two machines, interleaved
  pysmon timeline evidence/ --since 2021-12-04T21:19 --until 2021-12-04T21:20
  pysmon timeline evidence/ --id 1,3,22 --all --format json > timeline.jsonl

\b
Exit code: 0 found, 1 nothing found, 2 misuse, 3 a log cannot be read.
"""


@click.command(epilog=_EXAMPLES, short_help="Events of several logs in order.")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@reading_options()
@number_option(
    "-n",
    "--last",
    help="The last N of them. 20 without --since.",
)
@click.option("--all", "everything", is_flag=True, help="All of them, however many.")
@output_format(FORM_NAMES, help="How they are printed; without it as a table.")
def timeline(last: int | None, everything: bool, form: str | None, as_json: bool, **given: Any) -> int:
    """Show events in the order in which they happened: by UtcTime, then by record id.

    Logs are not in that order: Sysmon logs connections and look-ups seconds later than the rest, and several logs come
    one after the other.
    """
    check_json(as_json, form)
    form = form or "table"
    selection = Selection(**given)
    wanted = selection.wanted()
    count = enough(last, everything, selection)
    printer = Printer.of_stdout()
    with selection.log() as log:
        entries: Iterator[Entry[Event]] = in_order(entry for _, entry in wanted.all(log))
        if count is not None:
            entries = iter(deque(entries, maxlen=count))
        if as_json:
            return FINE if put_list("events", events(entries), log) else FINDINGS
        if form == "table" and printer.terminal:
            printer.lines([heading(printer.screen)])
        found = printer.entries(entries, form)
    return FINE if found else FINDINGS
