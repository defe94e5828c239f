"""The one JSON document that a command which lists things prints: written as they come, an element a line.

`{"events":[` stands on the first line, an event on each, and on the last `],"logs":[...]}`: what there was in the logs
besides. So memory does not grow with the list, and the document is one for any reader of JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import click

from pysmon.cli.document import json_document
from pysmon.cli.file_log import FileLog
from pysmon.cli.printing import put
from pysmon.cli.source_log import SourceLog
from pysmon.formats.json_line import json_line
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sources.source import Tally
from pysmon.views.lineage import NO_GUID, Process
from pysmon.views.sentences import NONE


def check_json(as_json: bool, form: str | None, *, follow: bool = False) -> None:
    """UsageError if what is asked for besides `--json` is another way to print."""
    if as_json and form is not None:
        raise click.UsageError("--json and --format exclude each other (--format json: a line for each event)")
    if as_json and follow:
        raise click.UsageError("--json prints one document, which has an end (--format json: a line for each event)")


def put_list(name: str, rows: Iterable[bytes], log: object, **beside: object) -> bool:
    """Print the document with the rows under that name, and then `beside` and the logs; whether there were any."""
    coming = iter(rows)
    last = next(coming, None)  # what is wrong with a log shows before anything is printed
    put(f'{{"{name}":['.encode())
    if last is not None:
        for row in coming:
            put(last + b",")
            last = row
        put(last)
    rest = json_document({**beside, "logs": [log_row(log_name, tally) for log_name, tally in tallies(log).items()]})
    put(b"]," + rest.removeprefix(b"{"))
    return last is not None


def events(entries: Iterable[Entry[Event]]) -> Iterator[bytes]:
    """Entries as `--format json` has them."""
    return (json_line(entry) for entry in entries)


def tallies(log: object) -> Mapping[str, Tally]:
    """What was found in files besides events; of the event log nothing."""
    if isinstance(log, FileLog):
        return {log.name: log.tally}
    return log.tallies if isinstance(log, SourceLog) else {}


def log_row(name: str, tally: Tally) -> dict[str, object]:
    """A log as a row of a JSON document."""
    return {
        "name": name,
        "events": tally.entries,
        "other_channels": dict(tally.others),
        "unknown_events": dict(tally.unknown_events),
        "unknown_fields": [{"id": number, "field": f, "events": n} for (number, f), n in tally.unknown_fields.items()],
        "by_position": tally.by_position,
        "damages": tally.damages,
        "damaged": [str(damage) for damage in tally.damaged],
    }


def process_rows(processes: Iterable[Process]) -> Iterator[bytes]:
    """Processes and all their descendants as rows, parents first; in which order they are drawn."""
    for root in processes:
        for depth, process in root.descent():
            yield json_document(process_row(process, depth))


def process_row(process: Process, depth: int) -> dict[str, object]:
    """A process as a row of a JSON document. What is not known is null; so is `began` of one that began earlier."""
    programs = [entry.event for entry in process.programs]
    parent = process.parent.guid if process.parent else NO_GUID
    return {
        "guid": _known(process.guid),
        "pid": int(process.pid) if process.pid.isdigit() else None,
        "parent": None if parent == NO_GUID else parent,
        "depth": depth,
        "image": _known(process.image),
        "command_line": _known(process.command_line),
        "user": _known(process.user),
        "began": programs[0].text("UtcTime") if programs else None,
        "ended": process.end.event.text("UtcTime") if process.end else None,
        "programs": [
            {"guid": event.text("ProcessGuid"), "image": event.text("Image"), "command_line": event.text("CommandLine")}
            for event in programs
        ],
        "events": {str(number): count for number, count in sorted(process.deeds.items()) if count},
    }


def _known(text: str) -> str | None:
    return None if text == NONE else text
