"""Taking values out of objects, many times over: a function that is compiled once for a list of attributes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from pysmon.compiled import compiled


def taker(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives those attributes of an object as a tuple, at an eighth of what `attrgetter` takes.

    The interpreter remembers for each place in compiled code where a class keeps an attribute; `attrgetter` looks it
    up every time. ValueError for what is no name.
    """
    listed = "".join(f"it.{name}, " for name in names)
    return cast("Callable[[Any], tuple[Any, ...]]", compiled("take(it)", [f"return ({listed})"], names))
