"""`pysmon status`: how the running service is."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.printing import Printer, flush, put
from pysmon.cli.signals import stopped_by_signals
from pysmon.service.ask import RunningService
from pysmon.service.paths import Paths
from pysmon.service.status_page import page
from pysmon.service.verdict import is_healthy
from pysmon.service.wire import status_document
from pysmon.signalled import SignalledEvent

_PATIENCE = 10.0  # seconds
_FIRST_LINE = b"\x1b[H\x1b[2J"  # the terminal is cleared, and the page begins at its top
_EXAMPLES = """\b
Examples:
  pysmon status
  pysmon status --watch 2
  pysmon status --json | jq '.wrong[] | {about, text}'

\b
Exit code: 0 healthy, 1 something is wrong (a blind hook, a loss, an output that rests), 2 misuse,
3 the service is not running, or you may not ask it.
"""


@click.command(epilog=_EXAMPLES, short_help="How the running service is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("--watch", type=click.FloatRange(0.1), metavar="SECONDS", help="Look again and again, until Ctrl-C.")
@click.option("--root", type=click.Path(path_type=Path), metavar="PATH", help="That of the service below it.")
def status(as_json: bool, watch: float | None, root: Path | None) -> int:
    """Show what the service sees, keeps, filters and loses, where it goes, and whether anything is wrong."""
    paths = Paths.under(root) if root else Paths.system()
    service = RunningService(paths.control, patience=_PATIENCE)
    if watch is None:
        return _show(service, as_json=as_json)
    stop = SignalledEvent()
    printer = Printer.of_stdout()
    with stopped_by_signals(stop, command=False, hangup_ends=True):
        while True:
            if printer.terminal and not as_json:
                sys.stdout.buffer.write(_FIRST_LINE)
            code = _show(service, as_json=as_json)
            flush()
            if stop.wait(watch):
                return code


def _show(service: RunningService, *, as_json: bool) -> int:
    current = service.status()
    if as_json:
        put(status_document(current).rstrip(b"\n"))
    else:
        Printer.of_stdout().lines(page(current))
    return FINE if is_healthy(current) else FINDINGS
