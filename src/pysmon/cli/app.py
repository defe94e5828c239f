"""The `pysmon` command: its sub-commands, one file each."""

from __future__ import annotations

import click

from pysmon.cli.blob import blob
from pysmon.cli.check import check
from pysmon.cli.coverage import coverage_command
from pysmon.cli.doctor import doctor
from pysmon.cli.dump import dump
from pysmon.cli.explain import explain_command
from pysmon.cli.explain_problem import explain_problem
from pysmon.cli.find import find
from pysmon.cli.fmt import fmt
from pysmon.cli.lint import lint
from pysmon.cli.log import log
from pysmon.cli.merge import convert_command, merge_command, split_command
from pysmon.cli.run import run
from pysmon.cli.schema import schema
from pysmon.cli.service import service
from pysmon.cli.status import status
from pysmon.cli.story import story
from pysmon.cli.test import test_command
from pysmon.cli.timeline import timeline
from pysmon.cli.tree import tree
from pysmon.cli.uninstall import uninstall
from pysmon.cli.who import who
from pysmon.release import VERSION

_CLASSIC = """\b
Sysmon's own switches work as well, without a sub-command:
  pysmon -accepteula -i config.xml   install the service
  pysmon -c config.xml               change its configuration
  pysmon -u                          uninstall it
  pysmon -?                          explain all switches
  pysmon -? config                   explain configuration files
"""


@click.group(epilog=_CLASSIC, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, message="pysmon %(version)s")
def app() -> None:
    """Sysmon, in Python: see which process did what, and keep what your rules say."""


for _command in (
    run,
    service,
    status,
    doctor,
    log,
    timeline,
    find,
    tree,
    story,
    who,
    check,
    lint,
    explain_command,
    explain_problem,
    coverage_command,
    test_command,
    fmt,
    convert_command,
    merge_command,
    split_command,
    dump,
    blob,
    schema,
    uninstall,
):
    app.add_command(_command)
