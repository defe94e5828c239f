"""Does what Sysmon's own switches ask for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import click

from pysmon.cli.acts import may_act, perform, tell
from pysmon.cli.app import app
from pysmon.cli.deliver import STDOUT, deliver
from pysmon.cli.exits import ENVIRONMENT, FINDINGS, FINE, INVALID_PARAMETER
from pysmon.cli.flags import ClassicCall, parse
from pysmon.cli.given import given_file, given_switches
from pysmon.cli.running import dump_of
from pysmon.cli.schema import schema_text
from pysmon.cli.switches import has_settings
from pysmon.cli.usage import BANNER, configuration_usage, usage
from pysmon.errors import MisuseError, PysmonError
from pysmon.service.install import Given, Installation
from pysmon.service.paths import Paths

_NOT_HERE = ("Manifest", "ClipboardInstance", "ArchiveDirectory", "DriverName", "CheckRevocation")  # on Linux
_ALGORITHMS = ("sha1", "sha-1", "md5", "md-5", "sha256", "sha-256", "imphash", "imp-hash", "*", "all")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command line, and the installation that it is about."""

    call: ClassicCall
    arguments: tuple[str, ...]
    installation: Installation


def classic(arguments: Sequence[str], installation: Installation | None = None) -> int:
    """Run a command line of Sysmon's switches; 87 is the exit code of one that is not understood.

    The banner goes to standard error, not to standard output as Sysmon's: a schema can be piped on. `installation` is
    that of this machine if none is given.
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
    asked = _Asked(call, tuple(arguments), installation or Installation(Paths.system()))
    for name, act in _ACTS.items():
        if name in call:
            return act(asked)
    click.echo(f"one of -i, -c, -u and -s says what to do\n\n{usage()}", err=True)
    return INVALID_PARAMETER


def _objections(call: ClassicCall) -> None:
    """Raise MisuseError where Sysmon would not go on, in its words."""
    if any(name in call for name in _NOT_HERE):
        raise MisuseError("Option not implemented on Linux.")
    if "ConfigDefault" in call:
        if "Configuration" not in call:
            raise MisuseError("The '--' switch must be used with -c switch (config update) to set defaults.")
        if has_settings(call):
            raise MisuseError("Cannot use specific settings with enforcing defaults.")
    if (call.value("UnInstall") or "force").lower() != "force":
        raise MisuseError("Invalid option for -u.")
    if (call.value("DebugMode") or "verbose").lower() != "verbose":
        raise MisuseError("Possible options for DebugMode: verbose")
    for algorithm in (call.value("HashAlgorithms") or "*").split(","):
        if algorithm.lower() not in _ALGORITHMS:
            raise MisuseError(f"Invalid hashing algorithm: {algorithm}")


def _install(asked: _Asked) -> int:
    name, call = asked.call.value("Install"), asked.call
    given = given_file(name, call, asked.arguments) if name else given_switches(call, asked.arguments)
    if given is None and (name or has_settings(call)):
        return FINDINGS
    if not may_act(asked.installation):
        return ENVIRONMENT
    return perform(lambda: asked.installation.install(given, time.time_ns()))


def _uninstall(asked: _Asked) -> int:
    if not may_act(asked.installation):
        return ENVIRONMENT
    forced = asked.call.value("UnInstall") is not None
    return perform(lambda: asked.installation.uninstall(force=forced, keep_log=False))


def _configuration(asked: _Asked) -> int:
    call, name = asked.call, asked.call.value("Configuration")
    if "ConfigDefault" in call:
        return perform(asked.installation.reset) if may_act(asked.installation) else ENVIRONMENT
    if name:
        given = given_file(name, call, asked.arguments)
        return _update(asked, given) if given else FINDINGS
    if not may_act(asked.installation):
        return ENVIRONMENT
    try:
        if not has_settings(call):
            deliver(dump_of(asked.installation.configuration()).encode(errors="surrogateescape"), STDOUT)
            return FINE
        given = given_switches(call, asked.arguments, asked.installation.in_use())
    except PysmonError as error:
        return tell(error)
    return _update(asked, given) if given else FINDINGS


def _update(asked: _Asked, given: Given) -> int:
    if not may_act(asked.installation):
        return ENVIRONMENT
    return perform(lambda: asked.installation.update(given, time.time_ns()))


def _schema(asked: _Asked) -> int:
    try:
        click.echo(schema_text(asked.call.value("PrintSchema") or ""), nl=False)
    except MisuseError as error:
        click.echo(f"{error}\n{error.hint}", err=True)
        return INVALID_PARAMETER
    return FINE


def _debug(asked: _Asked) -> int:
    """Watch in the foreground, on the terminal, with the file that `-i` or `-c` names."""
    name = asked.call.value("Install") or asked.call.value("Configuration")
    return _command("run", "--format", "text", *(["-c", name] if name else []))


def _service(_asked: _Asked) -> int:
    """What a unit says that was written for Sysmon; its own configuration is the stored one."""
    return _command("service")


def _command(*words: str) -> int:
    with app.make_context("pysmon", list(words)) as context:
        return int(app.invoke(context))


_ACTS: Mapping[str, Callable[[_Asked], int]] = {
    "DebugMode": _debug,
    "Service": _service,
    "Install": _install,
    "UnInstall": _uninstall,
    "Configuration": _configuration,
    "PrintSchema": _schema,
}
