"""`pysmon tree`: processes as a tree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import click

from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.family import BEGINNINGS, asked_for, check_who, count_deeds, ends_of, with_ancestors, with_descendants
from pysmon.cli.how_many import number_option
from pysmon.cli.listing import process_rows, put_list
from pysmon.cli.printing import Printer
from pysmon.cli.reading import Log, Selection, Wanted, names_file, reading_options
from pysmon.errors import MisuseError
from pysmon.formats.visible import visible
from pysmon.views.lineage import Lineage, Process
from pysmon.views.tree import tree as drawn

_USUAL = 500  # processes that are shown if nobody says how many
_MOST = 500  # processes of the descendants of one
_EXAMPLES = """\b
Examples:
  pysmon tree                    the last 500 processes
  pysmon tree --since 1h         those that began within the last hour
  pysmon tree 4711               the latest process with that id, and all that it started
  pysmon tree --ancestors 4711   who started it, and who started that
  pysmon tree Sysmon.evtx        the processes of a log of others

\b
net, files, dns ... count what a process did, as far as the rules kept it.
Exit code: 0 found, 1 nothing found, 2 misuse, 3 the log cannot be read.
"""


@click.command(epilog=_EXAMPLES, short_help="Who started whom.")
@click.argument("who", metavar="[PID|GUID]", default="")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@reading_options(filters=False, formats=False)
@number_option(
    "-n",
    "--last",
    help="The last N processes. 500 without --since.",
)
@click.option("--all", "everything", is_flag=True, help="All processes, and none of them folded.")
@click.option("--ancestors", is_flag=True, help="With PID|GUID: also the processes above it.")
def tree(
    who: str,
    files: tuple[str, ...],
    last: int | None,
    everything: bool,
    ancestors: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """Show who started whom, with users, exit codes and how much each process did: in the event log, or in FILE.

    A process that is only known as a parent is marked. Many that ran the same become one line, unless --all is given.
    """
    if names_file(who):
        who, files = "", (who, *files)
    if ancestors and not who:
        raise click.UsageError("--ancestors needs a process: PID or GUID")
    if who:
        check_who(who)
    if last is not None and (everything or who):
        raise click.UsageError("--last goes without --all and without a process")
    selection = Selection(files=files, **given)
    wanted = selection.wanted()
    with selection.log(often=True) as log:
        roots = (
            _of(log, who, ancestors, everything) if who else _latest(log, wanted, last, everything or selection.bounded)
        )
        if not roots:
            told = f"no process {visible(who)} in this log" if who else "no process begins in what was asked for"
            click.echo(f"pysmon: {told}", err=True)
        if as_json:
            return FINE if put_list("processes", process_rows(roots), log) else FINDINGS
        printer = Printer.of_stdout()
        found = printer.lines(drawn(roots, printer.screen, fold=not everything, always=bool(who)))
    return FINE if found else FINDINGS


def _of(log: Log, who: str, ancestors: bool, everything: bool) -> list[Process]:
    _, processes = asked_for(log, who)
    if not processes:
        return []
    lineage, complete = with_descendants(log, processes[-1], None if everything else _MOST)
    if not complete:
        click.echo(f"pysmon: more than {_MOST} processes came of it; --all shows them all", err=True)
    root = lineage.get(processes[-1].guid)
    if root is None:
        raise MisuseError(f"the log contradicts itself about {who}")
    count_deeds(log, lineage, (guid for _, process in root.descent() for guid in process.guids))
    if ancestors:
        return _under_ancestors(with_ancestors(log, root.guids), root)
    return [root]


def _under_ancestors(above: Lineage, root: Process) -> list[Process]:
    same = above.get(root.guid)
    if same is None or same.parent is None:
        return [root.line[0]]
    same.parent.children = [root if child is same else child for child in same.parent.children]
    return [same.line[0]]


def _latest(log: Log, wanted: Wanted, last: int | None, everything: bool) -> list[Process]:
    count = last if last is not None else None if everything else _USUAL
    beginnings = replace(wanted, query=replace(wanted.query, ids=BEGINNINGS))
    rows = beginnings.of(log, count)
    lineage = Lineage(entry for _, entry in rows)
    if not rows:
        return []
    guids = [guid for process in lineage.processes for guid in process.guids]
    for entry in ends_of(log, guids):
        lineage.take(entry)
    count_deeds(log, lineage, guids)
    return list(_sorted(lineage.roots()))


def _sorted(roots: Iterable[Process]) -> list[Process]:
    return sorted(roots, key=lambda process: process.first)
