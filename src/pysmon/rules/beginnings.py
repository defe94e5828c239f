"""Texts that a value may begin with: the longest that it does begin with tells all others."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from pysmon.rules.tree import Hits


class Beginnings:
    """Which checks hold for a value, by its beginning.

    All that a value begins with are beginnings of each other. In the order of texts, whatever stands between the
    longest of them and the value begins with it too: so it is found from the last text before the value, step by step.
    """

    __slots__ = ("_before", "_hits", "_texts")

    def __init__(self, table: Mapping[str, Hits]) -> None:
        """Take the checks that hold, by beginning."""
        self._texts = sorted(table)
        self._before: dict[str, str] = {}  # by text, the longest of the others that it begins with
        self._hits = dict(table)
        open_: list[str] = []
        for text in self._texts:
            while open_ and not text.startswith(open_[-1]):
                open_.pop()
            if open_:
                self._before[text] = open_[-1]
                self._hits[text] |= self._hits[open_[-1]]
            open_.append(text)

    def hits(self, value: str) -> Hits:
        """The checks that hold for a value that begins with any of the texts."""
        text = self._texts[bisect_right(self._texts, value) - 1]
        while not value.startswith(text):
            text = self._before[text]
        return self._hits[text]
