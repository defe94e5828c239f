"""`pysmon fmt`: configurations in the one layout."""

from __future__ import annotations

from hashlib import sha256

import click

from pysmon.cli.configuration import given
from pysmon.cli.deliver import STDOUT, deliver
from pysmon.cli.document import put_document
from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.inputs import STDIN
from pysmon.config.fmt import format_text
from pysmon.formats.visible import visible

_EXAMPLES = """\b
Examples:
  pysmon fmt config.xml
  pysmon fmt --in-place configs/*.xml
  pysmon fmt --check configs/*.xml

\b
Exit code: 0, 1 if --check finds a file that is not laid out, 2 if a file cannot be used, 3 if it cannot be written.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("configs", metavar="CONFIG...", nargs=-1, required=True)
@click.option("-i", "--in-place", is_flag=True, help="Write each file anew instead of printing it.")
@click.option("--check", is_flag=True, help="Write nothing; name the files that would change.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document; without -i and --check the XML is in it.")
def fmt(configs: tuple[str, ...], in_place: bool, check: bool, as_json: bool) -> int:
    """Lay out configurations: one element a line, two spaces a level, attributes in one order.

    Values, comments and the order of everything stay. CONFIG `-` is standard input.
    """
    if in_place and check:
        raise click.UsageError("--in-place writes and --check does not: give one of them")
    if in_place and STDIN in configs:
        raise click.UsageError("standard input (-) cannot be written")
    if len(configs) > 1 and not (in_place or check or as_json):
        raise click.UsageError("several files are for --in-place or --check")
    rows = []
    for name in configs:
        text, configuration = given(name)
        laid_out = format_text(text).encode()
        changes = sha256(laid_out).hexdigest() != configuration.sha256
        shown = {} if in_place or check else {"xml": laid_out.decode()}
        rows.append({"file": name, "changes": changes, **shown})
        if not check and (changes if in_place else not as_json):
            deliver(laid_out, name if in_place else STDOUT)
        if check and changes and not as_json:
            click.echo(visible(name))
    if as_json:
        put_document({"files": rows})
    return FINDINGS if check and any(row["changes"] for row in rows) else FINE
