"""Reading a configuration that somebody named on the command line, and showing what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

import click

from pysmon.cli.inputs import bytes_of_configuration, refuse_log, shown_name
from pysmon.config.decode import decode
from pysmon.config.model import Configuration
from pysmon.config.problems import Problem
from pysmon.config.read import Reading, read_configuration
from pysmon.config.show import show_problem
from pysmon.errors import MisuseError
from pysmon.formats.visible import visible

_MOST = 20  # warnings that are told before they are only counted
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def show(problems: Iterable[Problem], to: TextIO) -> None:
    """Print the problems; on a terminal their kind is coloured."""
    for problem in problems:
        kind = f": {problem.severity} {problem.code}: "
        coloured = click.style(kind, fg=_COLOURS[problem.severity], bold=True)
        click.echo(show_problem(problem).replace(kind, coloured, 1) + "\n", file=to)


def tally(problems: Iterable[Problem], *, least: str = "error") -> str:
    """`2 errors, 1 warning`, and notes if there are any; of a file that has none, without errors."""
    severities = [problem.severity for problem in problems]
    words = [many(severities.count(word), word) for word in ("error", "warning") if least in ("error", word)]
    notes = severities.count("note")
    return ", ".join([*words, many(notes, "note")] if notes else words)


def configured(name: str) -> Configuration:
    """The configuration of that name for use; its warnings are told, MisuseError if it has errors."""
    data = bytes_of_configuration(name)
    reading = read_configuration(data, shown_name(name))
    configuration = _usable(name, reading, data)
    _warn(name, reading.problems)
    return configuration


def given(name: str) -> tuple[str, Configuration]:
    """The text of a configuration with line ends made `\\n`, and its model; MisuseError if it has errors."""
    data = bytes_of_configuration(name)
    configuration = _usable(name, read_configuration(data, shown_name(name)), data)
    return decode(data).text or "", configuration


def _usable(name: str, reading: Reading, data: bytes) -> Configuration:
    """The configuration; if it has errors these are shown as `check` does, and MisuseError says that it has."""
    if reading.configuration is None:
        refuse_log(data, name)
        errors = reading.errors().problems
        show(errors, sys.stderr)
        raise MisuseError(f"{name} cannot be used: {many(len(errors), 'error')}", hint="what is wrong stands above")
    return reading.configuration


def _warn(name: str, problems: Sequence[Problem]) -> None:
    """A line for each, and how many there are."""
    for problem in problems[:_MOST]:
        words = f"{problem.place}: {problem.severity} {problem.code}: {problem.message}"
        click.echo(f"pysmon: {visible(words)}", err=True)
    if problems:
        more = f", {len(problems) - _MOST} of them not shown" if len(problems) > _MOST else ""
        words = f"{name}: {tally(problems, least='warning')}{more}; pysmon check explains them"
        click.echo(f"pysmon: {visible(words)}", err=True)


def many(count: int, word: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
