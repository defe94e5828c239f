"""`pysmon story`: what one process and its descendants did, in order, in words."""

from __future__ import annotations

from typing import Any

import click

from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.family import asked_for, check_who, deeds_of, with_descendants
from pysmon.cli.listing import check_json, events, process_row, put_list
from pysmon.cli.printing import FORM_NAMES, Printer
from pysmon.cli.reading import Selection, reading_options
from pysmon.cli.shape_option import output_format
from pysmon.formats.visible import visible
from pysmon.views.lineage import Process
from pysmon.views.story import story as told

_WORDS = "words"
_PROCESSES, _EVENTS = 1000, 3000  # that are told of, unless all is asked for
_EXAMPLES = """\b
Examples:
  pysmon story 4711                       the latest process with that id, and all that it started
  pysmon story 4711 --id 3,22             only what they did on the network
  pysmon story 2680 Sysmon.evtx           in a log of others
  pysmon story '{b635b3db-35d9-6b01-d929-6d0000000000}' --format json

\b
Exit code: 0 found, 1 no such process, 2 misuse, 3 the log cannot be read.
"""


@click.command(epilog=_EXAMPLES, short_help="What a process did, in words.")
@click.argument("who", metavar="PID|GUID")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@reading_options()
@click.option("--alone", is_flag=True, help="Only the process itself, not what it started.")
@click.option("--all", "everything", is_flag=True, help="However much it is; else the first 3000 events.")
@output_format((_WORDS, *FORM_NAMES), help="How it is told; without it in words.")
def story(who: str, alone: bool, everything: bool, form: str | None, as_json: bool, **given: Any) -> int:
    """Tell what one process did, and all that came of it: in order, in words, indented by descent."""
    check_who(who)
    check_json(as_json, form)
    form = form or _WORDS
    selection = Selection(**given)
    wanted = selection.wanted()
    with selection.log(often=True) as log:
        _, processes = asked_for(log, who)
        if not processes:
            click.echo(f"pysmon: no process {visible(who)} in this log", err=True)
            if as_json:
                put_list("events", (), log, processes=[])
            return FINDINGS
        _tell_of_others(who, processes)
        lineage, complete = with_descendants(log, processes[-1], None if everything else _PROCESSES)
        if not complete:
            click.echo(f"pysmon: more than {_PROCESSES} processes came of it; --all tells of them all", err=True)
        root = lineage.get(processes[-1].guid)
        if root is None:
            return FINDINGS
        generations = [(0, root)] if alone else list(root.descent())
        depths = {guid: depth for depth, process in generations for guid in process.guids}
        only = wanted.query.processes or depths.keys()
        entries = deeds_of(log, depths.keys() & only, wanted, None if everything else _EVENTS + 1)
        if not everything and len(entries) > _EVENTS:
            click.echo(f"pysmon: these are the first {_EVENTS} events; --all tells all", err=True)
            entries.pop()
        if as_json:
            rows = [process_row(process, depth) for depth, process in generations]
            return FINE if put_list("events", events(entries), log, processes=rows) else FINDINGS
        printer = Printer.of_stdout()
        if form != _WORDS:
            found = printer.entries(entries, form)
        else:
            known = {guid: process for _, process in generations for guid in process.guids}
            found = printer.lines(told(entries, depths, known))
    return FINE if found else FINDINGS


def _tell_of_others(who: str, processes: list[Process]) -> None:
    if len(processes) > 1:
        others = ", ".join(process.guid for process in processes[-4:-1])
        more = "" if len(processes) <= 4 else f" and {len(processes) - 4} older ones"
        click.echo(
            f"pysmon: {len(processes)} processes had the id {who}; this is the latest. Others: {others}{more}", err=True
        )
