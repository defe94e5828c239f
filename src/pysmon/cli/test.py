"""`pysmon test`: whether a configuration keeps and drops what its tests say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from pysmon.cli.configuration import configured, many
from pysmon.cli.deliver import deliver, must_be_another
from pysmon.cli.document import put_document
from pysmon.cli.exits import FINDINGS, FINE
from pysmon.cli.inputs import STDIN, bytes_of_file, shown_name
from pysmon.cli.progress import watched
from pysmon.cli.shape_option import input_format
from pysmon.cli.telling import tell_all, tell_logs
from pysmon.errors import MisuseError
from pysmon.formats.visible import visible
from pysmon.rules.ruleset import Ruleset
from pysmon.workbench.cases import LARGEST, Case, Mistake, cases_of
from pysmon.workbench.junit import junit
from pysmon.workbench.testing import Result, run_cases

_EXAMPLES = """\b
Examples:
  pysmon test config.xml tests.yaml
  pysmon test --junit results.xml config.xml tests/*.yaml
  pysmon test --json config.xml tests.yaml | jq -r '.tests[] | select(.passed | not) | .name'

\b
A file of tests:
  tests:
    - name: a download is kept
      event: {EventID: 1, Image: /usr/bin/curl, CommandLine: curl http://example.com/x}
      expect: keep
      rule: technique_id=T1105
    - {log: attack.evtx, record: 4711, expect: drop}

\b
Exit code: 0 all passed, 1 some failed, 2 the tests or the configuration cannot be used,
3 a file cannot be read or the results cannot be written.
"""


@click.command("test", epilog=_EXAMPLES)
@click.argument("config")
@click.argument("files", metavar="TESTS...", nargs=-1, required=True)
@click.option("--junit", "junit_file", metavar="FILE", help="Write the results as JUnit XML; `-` is standard output.")
@input_format
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("-v", "--verbose", is_flag=True, help="Tell of the tests that passed, too.")
def test_command(
    config: str, files: tuple[str, ...], junit_file: str | None, shape: str | None, as_json: bool, verbose: bool
) -> int:
    """Run the TESTS of CONFIG, without rights and without a sensor.

    A test names an event, written out or by the log and the record id where it stands, whether it should be kept, and
    under which RuleName. Logs may be in any shape that pysmon reads; they are looked for beside the file of tests, or
    here if the tests come from standard input (`-`).
    """
    if (config, *files).count(STDIN) > 1:
        raise click.UsageError("standard input (-) can be read only once")
    if as_json and junit_file == "-":
        raise click.UsageError("--json and --junit - would both write to standard output")
    if junit_file is not None:
        must_be_another(junit_file, config, *files)
    cases = _read(files)
    ruleset = Ruleset.compile(configured(config))
    results = {shown_name(name): _run(ruleset, of_file, shape) for name, of_file in cases.items()}
    everything = [result for suite in results.values() for result in suite]
    if junit_file is not None:
        deliver(junit(results), junit_file)
    if as_json:
        put_document({"configuration": config, **_tally(everything), "tests": _rows(everything)})
    elif junit_file != "-":
        _show(everything, verbose=verbose)
    return FINE if all(result.passed for result in everything) else FINDINGS


def _read(files: Iterable[str]) -> dict[str, tuple[Case, ...]]:
    read = {name: cases_of(bytes_of_file(name, LARGEST + 1), shown_name(name), _folder(name)) for name in files}
    _refuse([mistake for _, mistakes in read.values() for mistake in mistakes])
    return {name: cases for name, (cases, _) in read.items()}


def _folder(name: str) -> Path:
    return Path() if name == STDIN else Path(name).parent


def _run(ruleset: Ruleset, cases: Sequence[Case], form: str | None) -> Sequence[Result]:
    results, mistakes, tallies = run_cases(ruleset, cases, form, watched)
    tell_logs(tallies, form)
    _refuse(mistakes)
    return results


def _refuse(mistakes: Sequence[Mistake]) -> None:
    tell_all(f"{each.place}: {each.message}{f' ({each.hint})' if each.hint else ''}" for each in mistakes)
    if mistakes:
        raise MisuseError(
            f"the tests cannot be used: {many(len(mistakes), 'error')}", hint="what is wrong stands above"
        )


def _show(results: Sequence[Result], *, verbose: bool) -> None:
    for result in results:
        if not result.passed:
            click.echo(f"{click.style('failed', fg='red', bold=True)}  {visible(result.case.name)}")
            click.echo(f"        {visible(str(result.case.place))}: {visible(result.difference)}")
            for line in result.why:
                click.echo(f"        {visible(line)}")
        elif verbose:
            click.echo(f"{click.style('passed', fg='green')}  {visible(result.case.name)}")
    counts = _tally(results)
    click.echo(f"{many(len(results), 'test')}: {counts['passed']} passed, {counts['failed']} failed")


def _tally(results: Sequence[Result]) -> dict[str, int]:
    passed = sum(result.passed for result in results)
    return {"passed": passed, "failed": len(results) - passed}


def _rows(results: Iterable[Result]) -> list[dict[str, object]]:
    return [
        {
            "name": result.case.name,
            "file": result.case.place.file,
            "line": result.case.place.line,
            "passed": result.passed,
            "expected": {"keep": result.case.keep, "rule_name": result.case.rule},
            "keep": result.verdict.keep,
            "rule_name": result.verdict.rule_name if result.verdict.keep else None,
            "why": result.why,
        }
        for result in results
    ]
