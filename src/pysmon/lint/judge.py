"""The bytes of a configuration -> everything that the checks find in it. This is the front door of the folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter

from pysmon.config.decode import decode
from pysmon.config.problems import Problem
from pysmon.config.read import read_configuration
from pysmon.config.report import Source
from pysmon.errors import Place
from pysmon.lint.check import Check, Found
from pysmon.lint.checks import CHECKS
from pysmon.lint.platforms import platform_of
from pysmon.lint.scene import Scene
from pysmon.lint.silence import is_silenced, silenced
from pysmon.schema.shape import Platform


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found. `platform` is None if the file has errors: then these are told, and nothing else."""

    platform: Platform | None
    problems: tuple[Problem, ...]  # in the order of the file
    silenced: int  # findings that comments in the file keep from being told


def judge(
    data: bytes, file: str, *, platform: Platform | None = None, checks: Iterable[Check] = CHECKS.values()
) -> Judgement:
    """Run the checks on a configuration. Without a platform it is guessed from the paths in it."""
    reading = read_configuration(data, file)
    configuration = reading.configuration
    if configuration is None:
        return Judgement(None, reading.errors().problems, 0)
    text = decode(data).text or ""
    for_platform = platform or platform_of(configuration)
    scene = Scene(configuration, for_platform)
    source = _Lines(file, text)
    problems = [_problem(check, found, source) for check in checks for found in check.find(scene)]
    comments = silenced(text)
    told = [problem for problem in problems if not is_silenced(problem, comments)]
    told.sort(key=attrgetter("place", "code"))
    return Judgement(for_platform, tuple(told), len(problems) - len(told))


class _Lines:
    """The lines of a file, as problems show them."""

    def __init__(self, file: str, text: str) -> None:
        self._source = Source(file, text)
        self._starts = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))

    def at(self, place: Place) -> str:
        return self._source.line(self._starts[place.line - 1] + place.column - 1)


def _problem(check: Check, found: Found, lines: _Lines) -> Problem:
    source = lines.at(found.place)
    return Problem(check.code, check.severity, found.place, found.message, found.expected, found.hint, source)
