"""`pysmon dump`: the rules of a configuration as `sysmon -c` prints them."""

from __future__ import annotations

import click

from pysmon.cli.configuration import configured
from pysmon.cli.exits import FINE
from pysmon.config.dump import rules_dump

_EXAMPLES = """\b
Examples:
  pysmon dump config.xml
  diff <(pysmon dump config.xml) <(sysmon -c | sed -n '/^Rule configuration/,$p')

\b
Exit code: 0, or 2 if the configuration cannot be used.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("config", metavar="CONFIG")
def dump(config: str) -> int:
    """Print the rules of a configuration as `sysmon -c` prints them, line for line.

    It shows what Sysmon made of the file: the order in which it compiles the events, how their filters combine, and
    which number a Rule without a name has. CONFIG `-` is standard input.
    """
    click.echo(rules_dump(configured(config)), nl=False)
    return FINE
