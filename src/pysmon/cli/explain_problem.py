"""`pysmon explain-problem`: what a code of `check` or `lint` means, with an example."""

from __future__ import annotations

import sys

import click

from pysmon.cli.document import put_document
from pysmon.cli.exits import FINE
from pysmon.config.codes import CODES
from pysmon.errors import MisuseError
from pysmon.lint.check import Check
from pysmon.lint.checks import CHECKS
from pysmon.schema.lookup import nearest
from pysmon.sinks.console import columns_of

_EXAMPLES = """\b
Examples:
  pysmon explain-problem L103
  pysmon explain-problem --json C404

\b
Exit code: 0, or 2 if there is no such code.
"""
_WIDEST = 100  # columns of a text that is easy to read


@click.command("explain-problem", epilog=_EXAMPLES)
@click.argument("code")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def explain_problem(code: str, as_json: bool) -> int:
    """Explain a CODE of `pysmon check` or `pysmon lint`: what it means, an example, and the example put right."""
    known = CHECKS.get(code.upper()) or CODES.get(code.upper())
    if known is None:
        close = nearest(code, [*CODES, *CHECKS])
        hint = f"did you mean {' or '.join(close)}?" if close else "codes look like C404 and L103"
        raise MisuseError(f"no problem has the code {code!r}", hint=hint)
    bad, good = (known.bad, known.good) if isinstance(known, Check) else (known.example, "")
    if as_json:
        told = {"code": known.code, "severity": known.severity, "title": known.title, "doc": known.doc}
        put_document({**told, "bad": bad, "good": good})
        return FINE
    click.echo(f"{known.code} ({known.severity}): {known.title}\n")
    click.echo(click.wrap_text(known.doc, min(columns_of(sys.stdout), _WIDEST)))
    for title, text in (("An example", bad), ("Put right", good)):
        if text.strip():
            click.echo(f"\n{title}:\n\n" + "\n".join(f"  {line}" for line in text.rstrip().split("\n")))
    return FINE
