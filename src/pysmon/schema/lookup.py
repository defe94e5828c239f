"""Finding event types by what people write: tags, field names, and what they probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.event import EVENTS, EventType


def _series() -> dict[str, tuple[EventType, ...]]:
    found: dict[str, tuple[EventType, ...]] = {}
    for made in EVENTS.values():
        if made.tag:
            found[made.tag] = (*found.get(made.tag, ()), made)
    return found


_SERIES = _series()

TAGS: tuple[str, ...] = tuple(_SERIES)  # in the order of the manifest


def by_tag(tag: str) -> tuple[EventType, ...]:
    """The events that a configuration filters under that element, in the order of the manifest; () if there are none.

    Several for `RegistryEvent`, `PipeEvent` and `WmiEvent`. Tags are case-sensitive, as in Sysmon.
    """
    return _SERIES.get(tag, ())


def fields_of(tag: str) -> tuple[str, ...]:
    """The names of the fields that rules under that element may speak of, each once, in the order of the manifest."""
    return tuple(dict.fromkeys(f.name for t in by_tag(tag) for f in t.fields))


def nearest(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that someone who wrote `name` may have meant, the likeliest first: three at most, perhaps none."""
    known = {n.lower(): n for n in names}
    return tuple(known[n] for n in get_close_matches(name.lower(), known, n=3, cutoff=0.7))
