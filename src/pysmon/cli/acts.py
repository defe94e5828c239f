"""Doing something to the installed service: its messages as they come, and the exit codes of Sysmon."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import click

from pysmon.cli.exits import ENVIRONMENT, FINDINGS, FINE, INVALID_PARAMETER
from pysmon.errors import MisuseError, PysmonError
from pysmon.formats.visible import visible
from pysmon.service.ask import AskError
from pysmon.service.install import AbsentError, Installation


def perform(act: Callable[[], Iterator[str]]) -> int:
    """Do it, and give the exit code."""
    try:
        for message in act():
            click.echo(visible(message))
    except PysmonError as error:
        return tell(error)
    return FINE


def tell(error: PysmonError) -> int:
    """Say what went wrong, and give the exit code: 87 if there is no service, 1 if it refuses a configuration."""
    click.echo("\n".join(map(visible, str(error).splitlines())), err=True)
    if error.hint:
        click.echo(visible(error.hint), err=True)
    if isinstance(error, AbsentError) or (isinstance(error, AskError) and error.reason == "not running"):
        return INVALID_PARAMETER
    return FINDINGS if isinstance(error, MisuseError) else ENVIRONMENT


def may_act(installation: Installation) -> bool:
    """Is this root, who alone may change the service of the machine? Else says so, in Sysmon's words."""
    if os.geteuid() == 0 or os.access(installation.paths.root, os.W_OK):
        return True
    click.echo("You need to run pysmon as root.", err=True)
    return False
