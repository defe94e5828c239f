"""What the rule engine remembers: bounded, and emptied when full."""

from __future__ import annotations

from collections.abc import Callable
from operator import contains, getitem
from typing import Generic, TypeVar

from pysmon.rules.tree import Hits

_ENTRIES = 16384  # of each memory
_LONGEST = 2048  # characters of a value worth remembering: bounds what a full memory can hold
_T = TypeVar("_T")  # what is remembered: a verdict, or a ruling


class Found:
    """What was found for a value. Values with the same outcome share one object, which hashes by its identity."""

    __slots__ = ("hits", "unknown")

    def __init__(self, hits: Hits, unknown: Hits = 0) -> None:
        """Take the checks that hold, or those that cannot be made because there is no value."""
        self.hits = hits
        self.unknown = unknown


class FieldMemo(dict[object, Found]):
    """What was found for the values of one field; computes what it does not know.

    Emptying it under another thread's hands is harmless: a verdict is looked up by the `Found` objects themselves, and
    one that nobody shares any more is merely judged again.
    """

    __slots__ = ("_absent", "_hits", "_shared", "_text")

    def __init__(self, text: Callable[[object], str], hits: Callable[[str], Hits], absent: Found | None = None) -> None:
        """Take the way from a value to its text, from the text to the checks that hold, and what None stands for.

        Without `absent`, None is a value like any other: its text is compared.
        """
        super().__init__()
        self._absent = absent
        self._text = text
        self._hits = hits
        self._shared: dict[Hits, Found] = {}

    def __missing__(self, value: object) -> Found:
        """Compute what is not known, and remember it."""
        if value is None and self._absent is not None:
            return self._absent
        text = value if value.__class__ is str else self._text(value)
        hits = self._hits(text)
        found = self._shared.get(hits)
        if found is None:
            if len(self._shared) >= _ENTRIES:
                self._shared.clear()
            found = self._shared.setdefault(hits, Found(hits))
        if len(text) <= _LONGEST:
            if len(self) >= _ENTRIES:
                self.clear()
            self[value] = found
        return found


class FoundMemo(dict[tuple[Found, ...], _T], Generic[_T]):
    """The verdicts by what was found for each field; computes what it does not know."""

    __slots__ = ("_judge",)

    def __init__(self, judge: Callable[[Hits, Hits], _T]) -> None:
        """Take the way from all checks that hold, and those that cannot be made, to the verdict."""
        super().__init__()
        self._judge = judge

    def __missing__(self, found: tuple[Found, ...]) -> _T:
        """Compute what is not known, and remember it."""
        hits = unknown = 0
        for each in found:
            hits |= each.hits
            unknown |= each.unknown
        verdict = self._judge(hits, unknown)
        if len(self) >= _ENTRIES:
            self.clear()
        self[found] = verdict
        return verdict


class VerdictMemo(dict[tuple[object, ...], _T], Generic[_T]):
    """The verdicts by the values of the fields that the rules read; computes what it does not know."""

    __slots__ = ("_verdicts", "fields")

    def __init__(self, fields: tuple[FieldMemo, ...], judge: Callable[[Hits, Hits], _T]) -> None:
        """Take the memories of the fields, in the order of the values, and the way to the verdict."""
        super().__init__()
        self.fields = fields
        self._verdicts = FoundMemo(judge)

    def __missing__(self, values: tuple[object, ...]) -> _T:
        """Compute what is not known; remember it unless one of the values is new, as most new ones never come again."""
        familiar = all(map(contains, self.fields, values))
        verdict = self._verdicts[tuple(map(getitem, self.fields, values))]
        if familiar:
            if len(self) >= _ENTRIES:
                self.clear()
            self[values] = verdict
        return verdict
