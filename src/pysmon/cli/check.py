"""`pysmon check`: what is wrong with a configuration, all at once."""

from __future__ import annotations

from collections.abc import Iterator

import click

from pysmon.cli.findings import Files, chosen_form, configurations, forms, rows, tell
from pysmon.cli.inputs import shown_name
from pysmon.config.problems import Problem
from pysmon.config.read import Reading, read_configuration

_EXAMPLES = """\b
Examples:
  pysmon check config.xml
  pysmon check --errors-only configs/*.xml
  cat config.xml | pysmon check -
  pysmon check --json config.xml | jq '.files[].problems[] | {line, code, message}'
  pysmon check --format sarif configs/*.xml > check.sarif

\b
Exit code: 0 nothing to say, 1 something was found, 2 there is no such file, 3 a file cannot be read.
What is valid and still not meant, `pysmon lint` finds; `pysmon explain-problem CODE` explains a code.
"""


@click.command(epilog=_EXAMPLES)
@configurations
@forms
@click.option("--errors-only", is_flag=True, help="Leave warnings away: the file can be used as it is.")
def check(configs: tuple[str, ...], form: str | None, as_json: bool, errors_only: bool) -> int:
    """Check configuration files, without rights and without a sensor.

    Every problem is shown with its line, what was expected, and what Sysmon makes of it. CONFIG `-` is standard input.
    """
    form = chosen_form(form, as_json=as_json)
    files = Files()
    readings = {name: _reading(name, files.read(name)) for name in configs}
    if errors_only:
        readings = {name: reading.errors() for name, reading in readings.items()}
    problems = [problem for reading in readings.values() for problem in reading.problems]
    return tell(problems, form, lambda: {"files": list(_files(readings))}, worst=files.worst)


def _reading(name: str, data: bytes | tuple[Problem, ...]) -> Reading:
    return read_configuration(data, shown_name(name)) if isinstance(data, bytes) else Reading(None, data)


def _files(readings: dict[str, Reading]) -> Iterator[dict[str, object]]:
    for name, reading in readings.items():
        read = reading.configuration
        yield {
            "file": name,
            "usable": read is not None,
            "schema_version": str(read.schema_version) if read else None,
            "sha256": read.sha256 if read else None,
            "problems": rows(reading.problems),
        }
