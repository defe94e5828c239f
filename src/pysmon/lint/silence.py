"""Comments that silence findings: `<!-- pysmon: ignore L302 L404 -->` on the line of a finding, or before it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from pysmon.config.problems import Problem

_COMMENT = re.compile(r"<!--\s*pysmon:\s*ignore\s+([A-Z]\d+(?:[\s,]+[A-Z]\d+)*)\s*-->")


def silenced(text: str) -> Mapping[int, frozenset[str]]:
    """By line number the codes that are not told of there; a code may be the beginning of several (`L4`).

    A comment counts for its own line; if nothing else stands there, for the next line that is not blank and not such a
    comment. `text` has its line ends as `\\n`.
    """
    found: dict[int, frozenset[str]] = defaultdict(frozenset)
    waiting: frozenset[str] = frozenset()
    for number, line in enumerate(text.split("\n"), 1):
        codes = frozenset(code for comment in _COMMENT.findall(line) for code in re.split(r"[\s,]+", comment))
        rest = _COMMENT.sub("", line).strip()
        if not rest:
            waiting |= codes
            continue
        if codes or waiting:
            found[number] = codes | waiting
        waiting = frozenset()
    return found


def is_silenced(problem: Problem, lines: Mapping[int, frozenset[str]]) -> bool:
    """Whether a comment says not to tell of it."""
    return any(problem.code.startswith(code) for code in lines.get(problem.place.line, ()))
