"""`pysmon check`: what is wrong with a configuration, all at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
import msgspec

from pysmon.cli.configuration import STDIN, UNREADABLE, read_named, show, tally
from pysmon.cli.exits import FINDINGS, FINE, MISUSE
from pysmon.config.problems import Problem
from pysmon.config.read import Reading

_EXAMPLES = """\b
Examples:
  pysmon check config.xml
  pysmon check --errors-only configs/*.xml
  cat config.xml | pysmon check -
  pysmon check --json config.xml | jq '.files[].problems[] | {line, code, message}'

\b
Exit code: 0 nothing to say, 1 something was found, 2 a file could not be read.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("configs", metavar="CONFIG...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("--errors-only", is_flag=True, help="Leave warnings away: the file can be used as it is.")
def check(configs: tuple[str, ...], as_json: bool, errors_only: bool) -> int:
    """Check configuration files, without rights and without a sensor.

    Every problem is shown with its line, what was expected, and what Sysmon makes of it. CONFIG `-` is standard input.
    """
    if configs.count(STDIN) > 1:
        raise click.UsageError("standard input (-) can be read only once")
    readings = {name: read_named(name) for name in dict.fromkeys(configs)}
    if errors_only:
        readings = {name: reading.errors() for name, reading in readings.items()}
    problems = [problem for reading in readings.values() for problem in reading.problems]
    if as_json:
        click.echo(msgspec.json.encode({"files": list(_rows(readings))}, enc_hook=str))
    else:
        show(problems, sys.stdout)
        click.echo(tally(problems))
    return _exit_code(problems)


def _exit_code(problems: list[Problem]) -> int:
    if any(problem.code == UNREADABLE for problem in problems):
        return MISUSE
    return FINDINGS if problems else FINE


def _rows(readings: dict[str, Reading]) -> Iterator[dict[str, object]]:
    for name, reading in readings.items():
        read = reading.configuration
        yield {
            "file": name,
            "usable": read is not None,
            "schema_version": str(read.schema_version) if read else None,
            "sha256": read.sha256 if read else None,
            "problems": [_row(problem) for problem in reading.problems],
        }


def _row(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "line": problem.place.line,
        "column": problem.place.column,
        "message": problem.message,
        "expected": problem.expected,
        "hint": problem.hint,
        "source": problem.source,
    }
