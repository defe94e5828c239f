"""`pysmon lint`: what in a configuration is valid and still not what was meant."""

from __future__ import annotations

import click

from pysmon.cli.findings import Files, chosen_form, configurations, forms, rows, tell
from pysmon.cli.inputs import shown_name
from pysmon.config.problems import Problem
from pysmon.errors import MisuseError
from pysmon.lint.check import Check
from pysmon.lint.checks import CHECKS
from pysmon.lint.judge import Judgement, judge
from pysmon.schema.lookup import nearest
from pysmon.schema.shape import Platform

_EXAMPLES = """\b
Examples:
  pysmon lint config.xml
  pysmon lint --select L1,L2 --ignore L112 configs/*.xml
  pysmon lint --platform linux --json config.xml | jq '.files[].problems[] | {line, code, message}'
  pysmon lint --format github config.xml

\b
A comment silences findings on its line, or, alone on a line, on the next:
  <!-- pysmon: ignore L404 -->
Exit code: 0 nothing to say, 1 something was found, 2 there is no such file, 3 a file cannot be read.
"""
_SEVERITIES = ("error", "warning", "note")


@click.command(epilog=_EXAMPLES)
@configurations
@forms
@click.option(
    "--platform", type=click.Choice(["windows", "linux"]), help="Judge for it; else by the paths in the file."
)
@click.option("--select", multiple=True, metavar="CODES", help="Only these, with commas; L4 means all that begin so.")
@click.option("--ignore", multiple=True, metavar="CODES", help="All but these.")
@click.option("--least", type=click.Choice(_SEVERITIES), default="note", help="The least severity that is told.")
def lint(
    configs: tuple[str, ...],
    form: str | None,
    as_json: bool,
    platform: Platform | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    least: str,
) -> int:
    """Find rules that are valid and not what was meant, without rights and without a sensor.

    Conditions that never or always hold, rules that shadow each other, excludes that an intruder can use, fields that
    the platform does not have, names that no tool reads. A file with errors is only checked. CONFIG `-` is standard
    input; the reference lists every finding with an example.
    """
    form = chosen_form(form, as_json=as_json)
    checks = _chosen(select, ignore, least)
    files = Files()
    judged = {name: _judged(name, files.read(name), platform, checks) for name in configs}
    problems = [problem for judgement in judged.values() for problem in judgement.problems]
    hidden = sum(judgement.silenced for judgement in judged.values())
    beside = f" ({hidden} silenced)" if hidden else ""
    document: dict[str, object] = {"files": [_file(*pair) for pair in judged.items()]}
    return tell(problems, form, lambda: document, beside=beside, worst=files.worst)


def _judged(name: str, data: bytes | tuple[Problem, ...], platform: Platform | None, checks: list[Check]) -> Judgement:
    if isinstance(data, bytes):
        return judge(data, shown_name(name), platform=platform, checks=checks)
    return Judgement(None, data, 0)


def _file(name: str, judgement: Judgement) -> dict[str, object]:
    return {
        "file": name,
        "platform": judgement.platform,
        "silenced": judgement.silenced,
        "problems": rows(judgement.problems),
    }


def _chosen(select: tuple[str, ...], ignore: tuple[str, ...], least: str) -> list[Check]:
    wanted, unwanted = _codes(select), _codes(ignore)
    severities = _SEVERITIES[: _SEVERITIES.index(least) + 1]
    return [
        check
        for check in CHECKS.values()
        if check.severity in severities
        and (not wanted or check.code.startswith(wanted))
        and not (unwanted and check.code.startswith(unwanted))
    ]


def _codes(given: tuple[str, ...]) -> tuple[str, ...]:
    codes = tuple(code.strip().upper() for text in given for code in text.split(",") if code.strip())
    if given and not codes:
        raise MisuseError("no code is named", hint=f"codes are {next(iter(CHECKS))} and so on")
    for code in codes:
        if not any(known.startswith(code) for known in CHECKS):
            close = nearest(code, CHECKS)
            hint = f"did you mean {' or '.join(close)}?" if close else f"codes are {next(iter(CHECKS))} and so on"
            raise MisuseError(f"no finding has the code {code!r}", hint=hint)
    return codes
