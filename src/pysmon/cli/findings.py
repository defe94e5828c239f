"""How `check` and `lint` tell what they found: as text, as JSON, or in the forms that build servers read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from pysmon.cli.configuration import STDIN, UNREADABLE, show, tally
from pysmon.cli.document import put_document
from pysmon.cli.exits import FINDINGS, FINE, MISUSE
from pysmon.config.problems import Problem
from pysmon.formats.visible import visible
from pysmon.lint.report import github, sarif

_Command = TypeVar("_Command", bound=Callable[..., Any])


def configurations(command: _Command) -> _Command:
    """The argument of a command that takes configuration files."""
    return click.argument("configs", metavar="CONFIG...", nargs=-1, required=True, callback=_once)(command)


def forms(command: _Command) -> _Command:
    """The options that say how the findings are told."""
    form = click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", "sarif", "github"]),
        default="text",
        help="For people; as one JSON document; as SARIF 2.1.0; as annotations of GitHub Actions.",
    )
    json = click.option("--json", "form", flag_value="json", help="The same as --format json.")
    return form(json(command))


def _once(_context: click.Context, _parameter: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    if names.count(STDIN) > 1:
        raise click.UsageError("standard input (-) can be read only once")
    return tuple(dict.fromkeys(names))


def tell(problems: list[Problem], form: str, document: Callable[[], dict[str, object]], *, beside: str = "") -> int:
    """Print what was found; the exit code. `document` makes the JSON, `beside` stands after the tally of a text."""
    if form == "json":
        put_document(document())
    elif form == "sarif":
        put_document(sarif(problems), indented=True)
    elif form == "github":
        for line in github(problems):
            click.echo(visible(line))
    else:
        show(problems, sys.stdout)
        click.echo(tally(problems) + beside)
    if any(problem.code == UNREADABLE for problem in problems):
        return MISUSE
    return FINDINGS if problems else FINE


def rows(problems: Iterable[Problem]) -> list[dict[str, object]]:
    """The problems as rows of a JSON document."""
    return [
        {
            "code": problem.code,
            "severity": problem.severity,
            "line": problem.place.line,
            "column": problem.place.column,
            "message": problem.message,
            "expected": problem.expected,
            "hint": problem.hint,
            "source": problem.source,
        }
        for problem in problems
    ]
