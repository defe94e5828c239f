"""`pysmon doctor`: can pysmon run here, and what would help if not?"""

from __future__ import annotations

import click

from pysmon.cli.document import put_document
from pysmon.cli.exits import ENVIRONMENT, FINDINGS, FINE
from pysmon.cli.printing import Printer
from pysmon.service.doctor import conclusion, examine, rows, table
from pysmon.service.finding import Level, told, worst
from pysmon.service.patient import ThisMachine
from pysmon.views.words import Line

_CODES: dict[Level, int] = {"ok": FINE, "warn": FINDINGS, "bad": ENVIRONMENT}
_EXAMPLES = """\b
Examples:
  pysmon doctor
  pysmon doctor --json | jq '.findings[] | select(.level != "ok")'
  pysmon doctor --json | jq '.capabilities[] | select(.here != "yes")'

\b
Exit code: 0 all is well, 1 something could be better, 2 misuse, 3 something is in the way.
"""


@click.command(epilog=_EXAMPLES, short_help="Can pysmon run here, and what would help if not?")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def doctor(as_json: bool) -> int:
    """Examine the kernel, the rights, the sensor's hooks, the service and the room that it has; then say, for each
    event, what it needs and whether that is here.

    It works without the service, and changes nothing. The sensor is loaded for a moment, without watching anybody.
    """
    patient = ThisMachine()
    findings = list(examine(patient))
    needs = table(patient)
    if as_json:
        put_document({"worst": worst(findings), "findings": findings, "capabilities": needs})
    else:
        Printer.of_stdout().lines([*told(findings), Line([]), *rows(needs), Line([]), conclusion(findings)])
    return _CODES[worst(findings)]
