"""`pysmon uninstall`: remove the service, as `pysmon -u` does, and keep the event log if that is wanted."""

from __future__ import annotations

from pathlib import Path

import click

from pysmon.cli.acts import may_act, perform
from pysmon.cli.exits import ENVIRONMENT
from pysmon.service.install import Installation
from pysmon.service.paths import Paths

_EXAMPLES = """\b
Examples:
  pysmon uninstall
  pysmon uninstall --keep-log

\b
Exit code: 0, 87 if pysmon is not installed, 3 if this machine does not let us.
"""


@click.command(epilog=_EXAMPLES)
@click.option("--keep-log", is_flag=True, help="Keep the event log, and the files in /var/log/pysmon.")
@click.option("--force", is_flag=True, help="Go on where something cannot be done, or is not there.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), default="/", hidden=True)
def uninstall(keep_log: bool, force: bool, root: Path) -> int:
    """Stop the service and remove it, its configuration, its settings and its event log. Needs root.

    `pysmon -u [force]` does the same. What a package of the distribution brought stays: remove the package for that.
    """
    installation = Installation(Paths.under(root))
    if not may_act(installation):
        return ENVIRONMENT
    return perform(lambda: installation.uninstall(force=force, keep_log=keep_log))
