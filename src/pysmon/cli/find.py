"""`pysmon find`: the events in which a text stands, and the fields in which it does."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import click

from pysmon.cli.document import json_document
from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.how_many import number_option
from pysmon.cli.listing import check_json, put_list
from pysmon.cli.printing import FORM_NAMES, Printer
from pysmon.cli.reading import Selection, names_file, reading_options
from pysmon.cli.shape_option import output_format
from pysmon.cli.where import field_name
from pysmon.errors import MisuseError
from pysmon.formats.describe import Piece
from pysmon.formats.json_line import json_line
from pysmon.formats.visible import visible
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.views.table import row
from pysmon.views.words import Line, Screen

_HITS = "hits"
_AROUND = 60  # characters of a value before and behind what was found in it
_EXAMPLES = """\b
Examples:
  pysmon find mimikatz evidence/                     in any field, in any case
  pysmon find '%TEMP%' log.evtx --field CommandLine
  pysmon find --regex 'https?://[0-9.]+/' *.json --id 1,22
  pysmon find --count 10.23.42.38 evidence/          how often, by event and field

\b
Exit code: 0 found, 1 nothing found, 2 misuse, 3 a log cannot be read.
"""

Hit = tuple[str, str, int, int]  # a field, its text, where in it
Search = Callable[[str], tuple[int, int] | None]


@click.command(epilog=_EXAMPLES, short_help="Events in which a text stands, and where.")
@click.argument("what", metavar="TEXT")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@reading_options()
@click.option("--field", "fields", multiple=True, metavar="NAME", help="Look only in this field. Several: in each.")
@click.option("--regex", is_flag=True, help="TEXT is a regular expression, as Python knows them.")
@click.option("--count", "counted", is_flag=True, help="Only how often, by event and field.")
@number_option("--first", help="Stop after N events.")
@number_option("-n", "--last", help="Only the last N of them.")
@output_format((_HITS, *FORM_NAMES), help="How they are printed; without it with what was found in them.")
def find(
    what: str,
    fields: tuple[str, ...],
    regex: bool,
    counted: bool,
    first: int | None,
    last: int | None,
    form: str | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Find a text in the fields of events, in the event log or in FILE: any shape, a folder, `*` in it.

    Letters are the same in either case. Windows doubles the sign % in some fields: it is found as it was meant, too.
    """
    if not what:
        raise click.UsageError("an empty text is everywhere")
    if not given["files"] and names_file(what):
        raise MisuseError(f"{visible(what)!r} is a file: what is to be found in it?", hint="pysmon find TEXT FILE")
    if first is not None and last is not None:
        raise MisuseError("--first and --last exclude each other")
    if counted and form is not None:
        raise MisuseError("--count and --format exclude each other", hint="--count --json: one JSON document")
    check_json(as_json, form)
    form = form or _HITS
    search = _search(what, regex)
    names = frozenset(field_name(name) for name in fields)
    selection = Selection(**given)
    wanted = selection.wanted()
    printer = Printer.of_stdout()
    with selection.log() as log:
        entries = (entry for _, entry in wanted.all(log))
        found = ((entry, hits) for entry in entries if (hits := list(_hits(entry.event, names, search))))
        taken = islice(found, first) if last is None else iter(deque(found, maxlen=last))
        if as_json and counted:
            rows = (json_document({"id": i, "event": e, "field": f, "events": n}) for (i, e, f), n in _counts(taken))
            printed = put_list("counts", rows, log)
        elif as_json:
            printed = put_list("events", (_row(entry, hits) for entry, hits in taken), log)
        elif counted:
            printed = printer.lines(_counted(taken))
        elif form == _HITS:
            printed = printer.lines(line for entry, hits in taken for line in _told(entry, hits, printer.screen))
        else:
            printed = printer.entries((entry for entry, _ in taken), form)
    return FINE if printed else FINDINGS


def _search(what: str, regex: bool) -> Search:
    try:
        pattern = re.compile(what if regex else re.escape(what), re.IGNORECASE)
    except re.error as error:
        told = f"{what!r} is no regular expression: {error}"
        raise MisuseError(told, hint="without --regex it is plain text") from error

    def search(text: str) -> tuple[int, int] | None:
        found = pattern.search(text)
        return found.span() if found else None

    return search


def _hits(event: Event, names: frozenset[str], search: Search) -> Iterator[Hit]:
    texts = [(f.name, event.text(f.name)) for f in event.type.fields if not names or f.name in names]
    if event.extra and not names:
        texts += [(name, str(value)) for name, value in event.extra.items()]
    for name, text in texts:
        at = search(text)
        if at is None and "%%" in text:
            text = text.replace("%%", "%")
            at = search(text)
        if at is not None:
            yield name, text, *at


def _told(entry: Entry[Event], hits: list[Hit], screen: Screen) -> Iterator[Line]:
    yield row(entry, screen)
    for name, text, begin, end in hits:
        before, behind = text[max(0, begin - _AROUND) : begin], text[end : end + _AROUND]
        cut_before = screen.ellipsis if begin > _AROUND else ""
        cut_behind = screen.ellipsis if end + _AROUND < len(text) else ""
        yield Line(
            [
                Piece(f"    {name}: ", "quiet"),
                Piece(visible(f"{cut_before}{before}"), "command"),
                Piece(visible(text[begin:end]), "alarm"),
                Piece(visible(f"{behind}{cut_behind}"), "command"),
            ]
        )


def _row(entry: Entry[Event], hits: list[Hit]) -> bytes:
    found = [{"field": name, "text": text, "begin": begin, "end": end} for name, text, begin, end in hits]
    return b'{"hits":' + json_document(found) + b',"event":' + json_line(entry) + b"}"


def _counts(found: Iterator[tuple[Entry[Event], list[Hit]]]) -> list[tuple[tuple[int, str, str], int]]:
    counts: dict[tuple[int, str, str], int] = {}
    for entry, hits in found:
        made = entry.event.type
        for name, *_ in hits:
            key = (made.id, made.cls.__name__, name)
            counts[key] = counts.get(key, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _counted(found: Iterator[tuple[Entry[Event], list[Hit]]]) -> Iterator[Line]:
    for (number, title, name), count in _counts(found):
        pieces = [Piece(f"{count:8}  ", "alarm"), Piece(f"{number} {title}", "name")]
        yield Line([*pieces, Piece(f"  {visible(name)}", "quiet")])
