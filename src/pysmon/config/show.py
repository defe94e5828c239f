"""A problem as good compilers show it: place, message, source line with a caret, what was expected, a hint."""

from __future__ import annotations

import unicodedata

from pysmon.config.problems import Problem
from pysmon.config.report import CARET_IN_CUT, CUT


def show_problem(problem: Problem) -> str:
    """Plain text of several lines, without a line end after the last. It is safe to print: no control characters."""
    lines = [f"{_safe(str(problem.place))}: {problem.severity} {problem.code}: {_safe(problem.message)}"]
    if problem.source:
        number = str(problem.place.line)
        margin = " " * len(number)
        lines += [f"  {number} | {_safe(problem.source)}", f"  {margin} | {_indent(problem)}^"]
    lines.append(f"  expected: {_safe(problem.expected)}")
    if problem.hint:
        lines.append(f"  hint: {_safe(problem.hint)}")
    return "\n".join(lines)


def _indent(problem: Problem) -> str:
    cut = problem.source.startswith(CUT) and problem.place.column > len(problem.source) + 1
    before = problem.source[: CARET_IN_CUT if cut else problem.place.column - 1]
    return "".join("\t" if c == "\t" else " " * _width(c) for c in before)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _safe(text: str) -> str:
    """Text without what a terminal would obey: control characters, and marks that turn the direction of writing."""
    return "".join(c if c == "\t" or unicodedata.category(c) not in {"Cc", "Cf", "Cs"} else "\ufffd" for c in text)
