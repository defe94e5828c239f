"""Does what Sysmon's own switches ask for, as far as there is anything to do it with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

import click

from pysmon.cli.configuration import read_named, show, tally
from pysmon.cli.exits import ENVIRONMENT, FINDINGS, FINE, INVALID_PARAMETER
from pysmon.cli.flags import ClassicCall, parse
from pysmon.cli.schema import schema_text
from pysmon.cli.usage import BANNER, configuration_usage, usage
from pysmon.errors import MisuseError
from pysmon.schema.versions import newest

_NOT_HERE = ("Manifest", "ClipboardInstance", "ArchiveDirectory", "DriverName", "CheckRevocation")  # on Linux
_SETTINGS = ("DnsQuery", "PipeMonitoring", "HashAlgorithms", "ProcessAccess", "ImageLoad", "NetworkConnect")
_ALGORITHMS = ("sha1", "sha-1", "md5", "md-5", "sha256", "sha-256", "imphash", "imp-hash", "*", "all")


def classic(arguments: Sequence[str]) -> int:
    """Run a command line of Sysmon's switches; 87 is the exit code of one that is not understood.

    The banner goes to standard error, not to standard output as Sysmon's: a schema can be piped on.
    """
    try:
        call = parse(arguments)
        _objections(call)
    except MisuseError as error:
        click.echo(f"{BANNER}\n{error}\n\n{usage()}", err=True)
        return INVALID_PARAMETER
    if "NoLogo" not in call:
        click.echo(BANNER, err=True)
    if call.usage:
        click.echo(configuration_usage() if call.usage == "configuration" else usage(), nl=False)
        return FINE
    for name, act in _ACTS.items():
        if name in call:
            return act(call)
    click.echo(f"one of -i, -c, -u and -s says what to do\n\n{usage()}", err=True)
    return INVALID_PARAMETER


def _objections(call: ClassicCall) -> None:
    """Raise MisuseError where Sysmon would not go on, in its words."""
    if any(name in call for name in _NOT_HERE):
        raise MisuseError("Option not implemented on Linux.")
    if "ConfigDefault" in call:
        if "Configuration" not in call:
            raise MisuseError("The '--' switch must be used with -c switch (config update) to set defaults.")
        if any(name in call for name in _SETTINGS):
            raise MisuseError("Cannot use specific settings with enforcing defaults.")
    if (call.value("UnInstall") or "force").lower() != "force":
        raise MisuseError("Invalid option for -u.")
    if (call.value("DebugMode") or "verbose").lower() != "verbose":
        raise MisuseError("Possible options for DebugMode: verbose")
    for algorithm in (call.value("HashAlgorithms") or "*").split(","):
        if algorithm.lower() not in _ALGORITHMS:
            raise MisuseError(f"Invalid hashing algorithm: {algorithm}")


def _install(call: ClassicCall) -> int:
    name = call.value("Install")
    if name and not _checked(name):
        return FINDINGS
    with_it = f" -c {name}" if name else ""
    return _not_yet(f"pysmon cannot install itself as a service yet. To watch now: pysmon run{with_it}")


def _uninstall(_call: ClassicCall) -> int:
    return _not_yet("pysmon cannot be installed as a service yet: there is nothing to uninstall.")


def _configuration(call: ClassicCall) -> int:
    name = call.value("Configuration")
    if name and "ConfigDefault" not in call:
        if not _checked(name):
            return FINDINGS
        click.echo("pysmon is not running as a service: nothing was changed.")
        return FINE
    click.echo("pysmon is not running as a service: it has no configuration to show or reset.", err=True)
    click.echo("To read one: pysmon -c <configfile>. To watch with one: pysmon run -c <configfile>", err=True)
    return INVALID_PARAMETER


def _schema(call: ClassicCall) -> int:
    try:
        click.echo(schema_text(call.value("PrintSchema") or ""), nl=False)
    except MisuseError as error:
        click.echo(f"{error}\n{error.hint}", err=True)
        return INVALID_PARAMETER
    return FINE


def _debug(_call: ClassicCall) -> int:
    return _not_yet("pysmon has no debug mode. To watch in the foreground: pysmon run [-c <configfile>]")


def _service(_call: ClassicCall) -> int:
    return _not_yet("pysmon cannot run as a service yet. To watch now: pysmon run [-c <configfile>]")


_ACTS: Mapping[str, Callable[[ClassicCall], int]] = {
    "Install": _install,
    "UnInstall": _uninstall,
    "Configuration": _configuration,
    "PrintSchema": _schema,
    "DebugMode": _debug,
    "Service": _service,
}


def _checked(name: str) -> bool:
    """Read a configuration with Sysmon's chatter; unlike Sysmon, one with errors is not called validated."""
    reading = read_named(name)
    show(reading.problems, sys.stderr)
    if reading.configuration is None:
        click.echo(f"{name} was not accepted: {tally(reading.problems)}", err=True)
        return False
    version, current = reading.configuration.schema_version, newest("linux").version
    click.echo(f"Loading configuration file with schema version {version}")
    if version != current:
        click.echo(f"Sysmon schema version: {current}")
    click.echo("Configuration file validated.")
    return True


def _not_yet(message: str) -> int:
    click.echo(message, err=True)
    return ENVIRONMENT
