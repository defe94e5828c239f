"""`pysmon who`: the processes behind a domain, an address, a file or a hash, from their ancestors on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click

from pysmon.cli.document import json_document
from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.family import with_ancestors
from pysmon.cli.how_many import number_option
from pysmon.cli.listing import check_json, events, process_row, put_list
from pysmon.cli.printing import FORM_NAMES, Printer
from pysmon.cli.reading import Selection, reading_options
from pysmon.cli.shape_option import output_format
from pysmon.errors import MisuseError
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.store.query import Condition, Operator, Subject, about
from pysmon.views.chain import chain
from pysmon.views.lineage import Lineage, Process
from pysmon.views.sentences import NONE, actor
from pysmon.views.words import Line, Screen

_CHAINS = "chains"
_USUAL = 200  # events that are looked at if nobody says how many
_EXAMPLES = """\b
Examples:
  pysmon who --domain evil.example       also what lies below it: www.evil.example
  pysmon who --ip 192.0.2.1 --since yesterday
  pysmon who --file /tmp/.update         also --file .update, and --file '/tmp/*'
  pysmon who --hash 0f343b0931126a20f133d67c2b018a3b
  pysmon who --ip 192.0.2.1 evidence/     in the logs of others in a folder

\b
Exit code: 0 found, 1 nobody, 2 misuse, 3 the log cannot be read.
"""


@click.command(epilog=_EXAMPLES, short_help="Who is behind a domain, address, file or hash.")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--domain", metavar="NAME", help="Who looked up that name, or connected to a machine of that name.")
@click.option("--ip", metavar="ADDRESS", help="Who connected to that address, was called from it, or was told it.")
@click.option(
    "--file",
    "path",
    metavar="FILE",
    help="Who dealt with that file or ran it. No folder: in any; `*` at its ends.",
)
@click.option("--hash", "digest", metavar="HASH", help="Who ran or had a file with that hash, of any algorithm.")
@reading_options()
@number_option(
    "-n",
    "--last",
    default=_USUAL,
    show_default=True,
    help="The last N such events.",
)
@output_format((_CHAINS, *FORM_NAMES), help="How they are printed; without it as chains of processes.")
def who(
    domain: str | None,
    ip: str | None,
    path: str | None,
    digest: str | None,
    last: int,
    form: str | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Tell who is behind it: the process with all its known ancestors, the oldest first, and what it did."""
    asked: dict[Subject, str | None] = {"domain": domain, "ip": ip, "file": path, "hash": digest}
    named = [(subject, value) for subject, value in asked.items() if value]
    if len(named) != 1:
        raise click.UsageError("name one thing: --domain, --ip, --file or --hash")
    check_json(as_json, form)
    form = form or _CHAINS
    wanted_things = _conditions(*named[0])
    selection = Selection(**given)
    wanted = selection.wanted(any_of=wanted_things)
    printer = Printer.of_stdout()
    with selection.log(often=True) as log:
        hits = [entry for _, entry in wanted.of(log, last)]
        if as_json:
            lineage = with_ancestors(log, (actor(entry.event)[0] for entry in hits))
            found = put_list("chains", _rows(hits, lineage), log)
        elif form != _CHAINS:
            found = printer.entries(hits, form)
        else:
            lineage = with_ancestors(log, (actor(entry.event)[0] for entry in hits))
            found = printer.lines(_told(hits, lineage, printer.screen))
    return FINE if found else FINDINGS


def _conditions(subject: Subject, value: str) -> tuple[Condition, ...]:
    if subject != "file" or "*" not in value:
        return about(subject, value)
    part = value.strip("*")
    if not part or "*" in part:
        raise MisuseError(f"--file {value!r}: a * stands at the beginning or the end of a name, or at both")
    open_begin, open_end = value.startswith("*"), value.endswith("*")
    operator: Operator = "contains" if open_begin and open_end else "end with" if open_begin else "begin with"
    asked = about(subject, part)
    conditions = tuple(replace(c, operator=operator) for c in asked if c.operator == "is")
    if operator == "begin with":  # a name without a folder is one in any folder
        conditions += tuple(replace(c, operator="contains") for c in asked if c.operator != "is")
    return conditions


def _groups(hits: Sequence[Entry[Event]], lineage: Lineage) -> Iterator[tuple[Process | None, list[Entry[Event]]]]:
    """What each process did, and the process if it is known."""
    groups: dict[str, list[Entry[Event]]] = {}
    for entry in hits:
        groups.setdefault(actor(entry.event)[0], []).append(entry)
    for guid, entries in groups.items():
        process = lineage.get(guid) if guid != NONE else None
        if process is None and guid != NONE:
            process = Lineage(entries).get(guid)  # only its deeds are known
        yield process, entries


def _told(hits: Sequence[Entry[Event]], lineage: Lineage, screen: Screen) -> Iterator[Line]:
    for number, (process, entries) in enumerate(_groups(hits, lineage)):
        if number:
            yield Line([])
        yield from chain(process, entries, screen)


def _rows(hits: Sequence[Entry[Event]], lineage: Lineage) -> Iterator[bytes]:
    for process, entries in _groups(hits, lineage):
        line = process.line if process else []
        processes = json_document([process_row(each, depth) for depth, each in enumerate(line)])
        yield b'{"processes":' + processes + b',"events":[' + b",".join(events(entries)) + b"]}"
