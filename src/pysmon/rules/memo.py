"""What the rule engine remembers: bounded, and emptied when full."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Generic, TypeVar

from pysmon.compiled import compiled
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

    __slots__ = ("_absent", "_hits", "_make", "_shared", "_text")

    def __init__(
        self, text: Callable[[object], str], make: Callable[[], Callable[[str], Hits]], absent: Found | None = None
    ) -> None:
        """Take the way from a value to its text, and what None stands for; without `absent` its text is compared.

        `make` gives the way from the text to the checks that hold. It is asked with the first value: of most fields
        that the rules read there never is any.
        """
        super().__init__()
        self._absent = absent
        self._text = text
        self._make = make
        self._hits: Callable[[str], Hits] = self._first_hits
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

    def _first_hits(self, text: str) -> Hits:
        self._hits = self._make()
        return self._hits(text)


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

    __slots__ = ("_are_known", "_verdicts", "fields", "found")

    def __init__(self, fields: tuple[FieldMemo, ...], judge: Callable[[Hits, Hits], _T]) -> None:
        """Take the memories of the fields, in the order of the values, and the way to the verdict."""
        super().__init__()
        self.fields = fields
        self._are_known, self.found = _of_values(len(fields))(*fields)
        self._verdicts = FoundMemo(judge)

    def __missing__(self, values: tuple[object, ...]) -> _T:
        """Compute what is not known; remember it unless one of the values is new, as most new ones never come again."""
        familiar = self._are_known(values)
        verdict = self._verdicts[self.found(values)]
        if familiar:
            if len(self) >= _ENTRIES:
                self.clear()
            self[values] = verdict
        return verdict


@cache
def _of_values(count: int) -> Callable[..., tuple[Callable[[tuple[Any, ...]], bool], Callable[..., tuple[Found, ...]]]]:
    """For memories of so many fields: two functions of as many values, are all known, and what was found for each."""
    names = [f"field_{n}" for n in range(count)]
    known = " and ".join(f"values[{n}] in {name}" for n, name in enumerate(names)) or "True"
    found = "".join(f"{name}[values[{n}]], " for n, name in enumerate(names))
    lines = [f"return (lambda values: {known}), (lambda values: ({found}))"]
    function: Callable[..., Any] = compiled(f"of_values({', '.join(names)})", lines, names)
    return function
