"""Reading a configuration that somebody named on the command line, and showing what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import click

from pysmon.config.decode import LIMIT, decode
from pysmon.config.model import Configuration
from pysmon.config.problems import Problem
from pysmon.config.read import Reading, read_configuration, read_file
from pysmon.config.show import show_problem
from pysmon.errors import MisuseError

STDIN = "-"
UNREADABLE = "C101"  # the code of a file that cannot be read at all
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def read_named(name: str) -> Reading:
    """Read the file of that name; `-` is standard input."""
    if name == STDIN:
        return read_configuration(sys.stdin.buffer.read(LIMIT + 1), "<stdin>")
    return read_file(Path(name))


def show(problems: Iterable[Problem], to: TextIO) -> None:
    """Print the problems; on a terminal their kind is coloured."""
    for problem in problems:
        kind = f": {problem.severity} {problem.code}: "
        coloured = click.style(kind, fg=_COLOURS[problem.severity], bold=True)
        click.echo(show_problem(problem).replace(kind, coloured, 1) + "\n", file=to)


def tally(problems: Iterable[Problem]) -> str:
    """`2 errors, 1 warning`, and notes if there are any."""
    severities = [problem.severity for problem in problems]
    words = [many(severities.count(word), word) for word in ("error", "warning")]
    notes = severities.count("note")
    return ", ".join([*words, many(notes, "note")] if notes else words)


def configured(name: str) -> Configuration:
    """The configuration of that name for use; its warnings go to standard error, MisuseError if it has errors."""
    reading = read_named(name)
    show(reading.problems, sys.stderr)
    if reading.configuration is None:
        raise MisuseError(f"{name} cannot be used: {tally(reading.problems)}", hint="what is wrong stands above")
    return reading.configuration


def given(name: str) -> tuple[str, Configuration]:
    """The text of a configuration with line ends made `\\n`, and its model; MisuseError if it has errors."""
    data = sys.stdin.buffer.read(LIMIT + 1) if name == STDIN else _bytes(Path(name))
    reading = read_configuration(data, "<stdin>" if name == STDIN else name).errors()
    text = decode(data).text
    if reading.configuration is None or text is None:
        show(reading.problems, sys.stderr)
        raise MisuseError(f"{name} cannot be used: {tally(reading.problems)}", hint="what is wrong stands above")
    return text, reading.configuration


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LIMIT + 1)
    except OSError as error:
        raise MisuseError(f"{path} cannot be read: {error.strerror}") from error


def many(count: int, word: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
