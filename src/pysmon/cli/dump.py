"""`pysmon dump`: the rules of a configuration as `sysmon -c` prints them."""

from __future__ import annotations

import click

from pysmon.cli.configuration import configured
from pysmon.cli.deliver import STDOUT, deliver
from pysmon.cli.document import put_document
from pysmon.cli.exits import FINE
from pysmon.cli.rule_rows import element_rows
from pysmon.config.dump import rules_dump

_EXAMPLES = """\b
Examples:
  pysmon dump config.xml
  diff <(pysmon dump config.xml) <(sysmon -c | sed -n '/^Rule configuration/,$p')

\b
Exit code: 0, 2 if the configuration cannot be used, 3 if it cannot be read.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("config", metavar="CONFIG")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def dump(config: str, as_json: bool) -> int:
    """Print the rules of a configuration as `sysmon -c` prints them, line for line.

    It shows what Sysmon made of the file: the order in which it compiles the events, how their filters combine, and
    which number a Rule without a name has. CONFIG `-` is standard input.
    """
    made = configured(config)
    if as_json:
        about = {"configuration": config, "schema_version": str(made.schema_version), "sha256": made.sha256}
        put_document({**about, "rules": element_rows(made.filters)})
    else:
        deliver(rules_dump(made).encode(errors="surrogateescape"), STDOUT)
    return FINE
