"""Functions that are written out for a class, as `dataclass` does it: for what is done with every record and event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def compiled(head: str, lines: Sequence[str], names: Iterable[str], **known: object) -> Any:
    """The function of that head, `f(a, b)`, and these lines, which may speak of what is `known`.

    They are texts of this package and `names` that stand in a class body; ValueError if one of these is none.
    """
    wrong = [name for name in names if not name.isidentifier()]
    if wrong:
        raise ValueError(f"no names of members: {wrong!r}")
    exec("\n".join([f"def {head}:", *(f"    {line}" for line in lines)]), known)  # noqa: S102 - our own texts and identifiers
    return known[head.partition("(")[0]]
