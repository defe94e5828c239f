"""Findings of `check` and `lint` for machines that show them beside the code: SARIF 2.1.0 and GitHub's annotations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from pysmon.config.codes import CODES
from pysmon.config.problems import Problem, Severity
from pysmon.lint.checks import CHECKS
from pysmon.release import VERSION

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_GITHUB: Mapping[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}


def sarif(problems: Iterable[Problem]) -> dict[str, Any]:
    """One SARIF log with one run. Columns count characters; a place that is not known is left out."""
    told = list(problems)
    codes = list(dict.fromkeys(problem.code for problem in told))
    driver = {
        "name": "pysmon",
        "version": VERSION,
        "semanticVersion": VERSION,
        "rules": [_rule(code) for code in codes],
    }
    results = [_result(problem, codes.index(problem.code)) for problem in told]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, object]:
    known = CHECKS[code] if code in CHECKS else CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.doc},
        "defaultConfiguration": {"level": known.severity},
    }


def _result(problem: Problem, rule: int) -> dict[str, object]:
    place = problem.place
    physical: dict[str, object] = {
        "artifactLocation": {"uri": quote(place.file.replace("\\", "/"), safe="/:", errors="surrogateescape")}
    }
    if place.line:
        physical["region"] = {"startLine": place.line, **({"startColumn": place.column} if place.column else {})}
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": _sentence(problem)},
        "locations": [{"physicalLocation": physical}],
    }


def _sentence(problem: Problem) -> str:
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{problem.message}; expected: {problem.expected}{hint}"


def github(problems: Iterable[Problem]) -> Iterator[str]:
    """The workflow commands that make GitHub Actions show the problems at their lines."""
    for problem in problems:
        place = problem.place
        spot = f",line={place.line}" + (f",col={place.column}" if place.column else "") if place.line else ""
        where = f"file={_property(place.file)}{spot},title={_property(f'{problem.code}')}"
        yield f"::{_GITHUB[problem.severity]} {where}::{_data(_sentence(problem))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
