"""The texts that a field can have, as a small automaton: may a text begin, contain, end with, or be a given one?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pysmon.config.model import Condition
from pysmon.rules.conditions import NEGATED, fold, items, needles

DIGITS = "0123456789"
HEX = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Run:
    """So many characters out of a set, in lower case."""

    characters: str
    least: int = 1
    most: int = 1


def literal(text: str) -> list[Run]:
    """Exactly this text."""
    return [Run(character) for character in fold(text)]


class Language:
    """A set of texts: each is one of some sequences of runs. Questions are answered exactly, the case of letters aside.

    A state is a place in a sequence; a text that can begin anywhere starts from all of them.
    """

    def __init__(self, sequences: Iterable[Iterable[Run]], *, largest: int | None = None) -> None:
        """Take the sequences. With `largest`, texts of digits are numbers, and greater ones do not belong."""
        self._steps: list[str] = []  # the characters that lead from a state to the next
        self._skips: set[int] = set()  # states that may be left for the next without a character
        self._ends: set[int] = set()
        self._starts: list[int] = []
        self._largest = largest
        for sequence in sequences:
            self._starts.append(len(self._steps))
            for run in sequence:
                for number in range(run.most):
                    if number >= run.least:
                        self._skips.add(len(self._steps))
                    self._steps.append(run.characters)
            self._ends.add(len(self._steps))
            self._steps.append("")

    def can(self, condition: Condition, value: str) -> bool:
        """False if it is certain that no text of the language meets the condition."""
        if condition in NEGATED:
            return not self._must(NEGATED[condition], value)
        text = fold(value)
        if condition in (Condition.IS, Condition.IMAGE):  # no text of a language has a folder
            return self.has(text)
        if condition is Condition.IS_ANY:
            return any(self.has(item) for item in items(text))
        if condition is Condition.CONTAINS_ANY:
            return any(self._within(needle) for needle in needles(text))
        if condition in (Condition.CONTAINS, Condition.CONTAINS_ALL):
            parts = [text] if condition is Condition.CONTAINS else needles(text)
            return all(self._within(part) for part in parts)
        if condition is Condition.BEGIN_WITH:
            return bool(self._walk(self._starts, text))
        if condition is Condition.END_WITH:
            return bool(self._walk(range(len(self._steps)), text) & self._ends)
        return True  # less than, more than: by the order of texts nearly anything can come

    def _must(self, condition: Condition, value: str) -> bool:
        """True if it is certain that all texts meet it: only the empty text is in all."""
        return condition in (Condition.CONTAINS, Condition.BEGIN_WITH, Condition.END_WITH) and not value

    def has(self, text: str) -> bool:
        """Whether a text in lower case belongs to the language."""
        if self._largest is not None and text.isascii() and text.isdigit() and int(text[:30]) > self._largest:
            return False
        return bool(self._walk(self._starts, text) & self._ends)

    def _within(self, text: str) -> bool:
        return bool(self._walk(range(len(self._steps)), text))

    def _walk(self, states: Iterable[int], text: str) -> set[int]:
        """Where one can be after the text, from any of these states on."""
        now = self._free(states)
        for character in text:
            now = self._free(state + 1 for state in now if character in self._steps[state])
            if not now:
                break
        return now

    def _free(self, states: Iterable[int]) -> set[int]:
        reached = set()
        for start in states:
            state = start
            reached.add(state)
            while state in self._skips:
                state += 1
                reached.add(state)
        return reached


@dataclass(frozen=True, slots=True)
class Either:
    """The texts of any of some languages."""

    languages: tuple[Language | Either, ...]

    def can(self, condition: Condition, value: str) -> bool:
        """False if it is certain that no text of any of them meets the condition."""
        return any(language.can(condition, value) for language in self.languages)
