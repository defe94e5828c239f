"""How `check` and `lint` tell what they found: as text, as JSON, or in the forms that build servers read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from pysmon.cli.configuration import show, tally
from pysmon.cli.document import put_document
from pysmon.cli.exits import ENVIRONMENT, FINDINGS, FINE, MISUSE
from pysmon.cli.inputs import STDIN, bytes_of_configuration
from pysmon.config.problems import Problem
from pysmon.config.report import Report, Source
from pysmon.errors import MisuseError
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
        help="For people; as one JSON document; as SARIF 2.1.0; as annotations of GitHub Actions.",
    )
    json = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
    return form(json(command))


def chosen_form(form: str | None, *, as_json: bool) -> str:
    """Of the two options the one that is given."""
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} exclude each other")
    return "json" if as_json else form or "text"


def _once(_context: click.Context, _parameter: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    if names.count(STDIN) > 1:
        raise click.UsageError("standard input (-) can be read only once")
    return tuple(dict.fromkeys(names))


class Files:
    """Configuration files that are looked at one after the other: one that cannot be read is told as its problem."""

    def __init__(self) -> None:
        """None yet."""
        self.worst = FINE

    def read(self, name: str) -> bytes | tuple[Problem, ...]:
        """The bytes, or what keeps them from being read."""
        try:
            return bytes_of_configuration(name)
        except MisuseError as error:
            self.worst = max(self.worst, MISUSE)
            why = str(error).removeprefix(f"{name}: ")
        except OSError as error:
            self.worst = max(self.worst, ENVIRONMENT)
            why = error.strerror or str(error)
        report = Report(Source(name, ""))
        report.add("C101", None, f"cannot read the file: {why}", "a configuration file that can be read")
        return report.problems()


def tell(
    problems: list[Problem],
    form: str,
    document: Callable[[], dict[str, object]],
    *,
    beside: str = "",
    worst: int = FINE,
) -> int:
    """Print what was found; the exit code. `document` makes the JSON, `beside` stands after the tally of a text.

    `worst` is the exit code for what could not be read.
    """
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
    return max(worst, FINDINGS if problems else FINE)


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
