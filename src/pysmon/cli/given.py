"""The configuration that a command line of Sysmon's switches gives: a file, switches, or both."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pysmon.cli.configuration import show, tally
from pysmon.cli.flags import ClassicCall
from pysmon.cli.switches import has_settings, overwritten, with_settings
from pysmon.config.decode import LIMIT
from pysmon.config.model import Configuration
from pysmon.config.read import read_configuration, read_file
from pysmon.errors import MisuseError
from pysmon.schema.versions import newest
from pysmon.service.install import Given


def given_file(name: str, call: ClassicCall, arguments: Sequence[str]) -> Given | None:
    """Read a file, and add what the switches beside it say; None if it has errors, which were told then."""
    try:
        with Path(name).open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError:
        show(read_file(Path(name)).problems, sys.stderr)  # says why it cannot be read
        return None
    configuration = _accepted(data, name)
    if configuration is None:
        return None
    for switch, node in overwritten(call, configuration):
        warning = f"Warning: Command-line switch '{switch}' was overwritten by configuration node '{node}' value"
        click.echo(warning, err=True)
    merged = with_settings(call, data, configuration)
    return Given(data, name) if merged == data else _checked(merged, _line(arguments))


def given_switches(call: ClassicCall, arguments: Sequence[str], base: Given | None = None) -> Given | None:
    """What the switches say, on top of `base` if there is one; None if they say nothing, or nothing good."""
    if not has_settings(call):
        return None
    known = read_configuration(base.data, base.name).configuration if base else None
    if known and (doubled := overwritten(call, known)):
        switches, nodes = (", ".join(words) for words in zip(*doubled, strict=True))
        raise MisuseError(f"the configuration in use speaks of {nodes} itself: change that instead (-{switches})")
    return _checked(with_settings(call, base.data if base else b"", known), _line(arguments))


def _checked(data: bytes, name: str) -> Given | None:
    return Given(data, name) if _accepted(data, name) else None


def _accepted(data: bytes, name: str) -> Configuration | None:
    """Read a configuration; unlike Sysmon, one with errors is not called validated."""
    reading = read_configuration(data, name)
    show(reading.problems, sys.stderr)
    if reading.configuration is None:
        click.echo(f"{name} was not accepted: {tally(reading.problems)}", err=True)
        return None
    version, current = reading.configuration.schema_version, newest("linux").version
    click.echo(f"Loading configuration file with schema version {version}")
    if version != current:
        click.echo(f"Sysmon schema version: {current}")
    click.echo("Configuration file validated.")
    return reading.configuration


def _line(arguments: Sequence[str]) -> str:
    return f"pysmon {shlex.join(arguments)}"
