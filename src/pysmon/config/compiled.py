"""The order of Sysmon's compiler, which its binary rules and `sysmon -c` share: by event, not as the file has it."""

from __future__ import annotations

from collections.abc import Iterable

from pysmon.config.model import EventFilter
from pysmon.schema.lookup import TAGS


def compiled_order(filters: Iterable[EventFilter]) -> list[EventFilter]:
    """The elements by event in the order of the manifest, and those of one event as they stand in the file."""
    return sorted(filters, key=lambda each: TAGS.index(each.tag))
