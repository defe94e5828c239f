"""Where problems are gathered while a file is read, and how a spot in the text becomes a place and a source line."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from pysmon.config.codes import CODES
from pysmon.config.problems import Problem, Severity
from pysmon.errors import Place

KEPT = 500  # problems of each severity that are told one by one; the rest is counted
BEYOND = "C102"  # the code that ends all reading
_WHOLE = 1000  # a source line or a message up to this long is kept whole
_BEFORE, _AFTER = 60, 200  # of a longer line, what is kept around the spot
CUT = "…"  # stands where a long source line was cut
CARET_IN_CUT = len(CUT) + _BEFORE  # where the spot stands in a line that was cut before it


class Finding(NamedTuple):
    """A problem before it has a place: `at` is an offset into the text, or None for the file as a whole."""

    code: str
    at: int | None
    message: str
    expected: str
    hint: str = ""


class Source:
    """The text of a file, able to say on which line and in which column an offset stands."""

    def __init__(self, file: str, text: str) -> None:
        """Take the text with line ends already made `\\n`."""
        self.file = file
        self.text = text
        self._last, self._line, self._start = 0, 1, 0  # the last place: most questions go on from there

    def place(self, at: int) -> Place:
        """The place of an offset; both numbers count from 1."""
        if at < self._start:
            self._line -= self.text.count("\n", at, self._start)
            self._start = self.text.rfind("\n", 0, at) + 1
        elif at > self._last:
            passed = self.text.count("\n", self._last, at)
            if passed:
                self._line += passed
                self._start = self.text.rfind("\n", self._last, at) + 1
        self._last = at
        return Place(self.file, self._line, at - self._start + 1)

    def line(self, at: int) -> str:
        """The source line of an offset; of a very long line only the part around it, cut where `…` stands."""
        start = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", at)
        end = len(self.text) if end < 0 else end
        if end - start <= _WHOLE:
            return self.text[start:end]
        if at - start < _WHOLE - _AFTER // 2:
            return self.text[start : start + _WHOLE] + CUT
        tail = CUT if at + _AFTER < end else ""
        return CUT + self.text[at - _BEFORE : min(at + _AFTER, end)] + tail


class Report:
    """Gathers the problems of one source. The first 500 errors and 500 warnings are kept; C108 counts the rest."""

    def __init__(self, source: Source) -> None:
        """Start with nothing wrong."""
        self.source = source
        self._problems: list[Problem] = []
        self._hints = 0
        self._beyond = False
        self._told: dict[Severity, int] = {"error": 0, "warning": 0, "note": 0}

    @property
    def failed(self) -> bool:
        """Whether any error was told: then there is no configuration."""
        return self._told["error"] > 0

    @property
    def full(self) -> bool:
        """Whether reading has to end: too many errors were told, or the file is beyond the limits."""
        return self._told["error"] >= KEPT or self._beyond

    def add(self, code: str, at: int | None, message: str, expected: str, hint: str = "") -> None:
        """Tell a problem; its severity is that of its code."""
        severity = CODES[code].severity
        self._told[severity] += 1
        self._beyond = self._beyond or code == BEYOND
        if self._told[severity] > KEPT:
            return
        place = Place(self.source.file) if at is None else self.source.place(at)
        line = "" if at is None else self.source.line(at)
        self._problems.append(Problem(code, severity, place, _cut(message), _cut(expected), _cut(hint), line))

    def nearest(self, word: str, known: Iterable[str]) -> str:
        """A hint that names the known word nearest to this one; "" if none is near, or if hints enough were given."""
        self._hints += 1
        if self._hints > 2 * KEPT:  # a search costs more than all else: a hostile file would ask for it 100,000 times
            return ""
        lower = {each.lower(): each for each in known}
        near = get_close_matches(word.lower()[:100], lower, n=1, cutoff=0.6)
        return f"did you mean {lower[near[0]]!r}?" if near else ""

    def problems(self) -> tuple[Problem, ...]:
        """All that was told, in the order of the file."""
        told = sorted(self._problems, key=lambda problem: problem.place)
        rest = sum(max(0, count - KEPT) for count in self._told.values())
        if rest:
            code = CODES["C108"]
            told.append(
                Problem(
                    code.code,
                    code.severity,
                    Place(self.source.file),
                    f"{rest} more problems are not shown",
                    f"at most {KEPT} errors and {KEPT} warnings",
                    "mend the first ones and read the file again",
                )
            )
        return tuple(told)


def quoted(text: str) -> str:
    """A value as a message shows it: in quotes, control characters escaped, cut if it is long."""
    return repr(text) if len(text) <= 80 else repr(text[:77] + CUT)


def _cut(text: str) -> str:
    return text if len(text) <= _WHOLE else text[: _WHOLE - 1] + CUT
