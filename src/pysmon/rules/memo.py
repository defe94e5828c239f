"""What the rule engine remembers: bounded, and emptied when full."""

from __future__ import annotations

from collections.abc import Callable

from pysmon.rules.tree import Hits
from pysmon.rules.verdict import Verdict

_VALUES = 8192  # of one field
_LONGEST = 2048  # characters of a value worth remembering: bounds a field's memory to some 16 million of them
_VERDICTS = 16384  # of one event type


class Found:
    """What was found for a value. Values with the same outcome share one object, which hashes by its identity."""

    __slots__ = ("hits", "unknown")

    def __init__(self, hits: Hits, unknown: Hits = 0) -> None:
        """Take the checks that hold, or those that cannot be made because there is no value."""
        self.hits = hits
        self.unknown = unknown


class ValueMemo(dict[object, Found]):
    """What was found for the values of one field; computes what it does not know.

    Emptying it under another thread's hands is harmless: a verdict is looked up by the `Found` objects themselves, and
    one that nobody shares any more is merely computed again.
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
        text = self._text(value)
        hits = self._hits(text)
        if len(self._shared) >= _VALUES:
            self._shared.clear()
        found = self._shared.setdefault(hits, Found(hits))
        if len(text) <= _LONGEST:
            if len(self) >= _VALUES:
                self.clear()
            self[value] = found
        return found


class VerdictMemo(dict[tuple[Found, ...], Verdict]):
    """The verdicts by what was found for the fields; computes what it does not know."""

    __slots__ = ("_judge",)

    def __init__(self, judge: Callable[[tuple[Found, ...]], Verdict]) -> None:
        """Take the way from what was found to the verdict."""
        super().__init__()
        self._judge = judge

    def __missing__(self, found: tuple[Found, ...]) -> Verdict:
        """Compute what is not known, and remember it."""
        verdict = self._judge(found)
        if len(self) >= _VERDICTS:
            self.clear()
        self[found] = verdict
        return verdict
