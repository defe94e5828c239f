"""The option FieldSizes: long texts are cut (facts 2.2)."""

from __future__ import annotations

from collections.abc import Mapping

from pysmon.schema.event import Event
from pysmon.schema.kinds import TEXT

_DOTS = "..."
_NONE = "-"


class Trimmer:
    """Cuts the text fields that a configuration gives a size to."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        """`sizes` by field name, in characters; they hold for every event that has such a field."""
        self.sizes = dict(sizes)
        self._fields: dict[int, tuple[tuple[str, int], ...]] = {}

    def trim(self, event: Event) -> list[str]:
        """Cut in place; the names of the fields that were too long."""
        if not self.sizes:
            return []
        cut = []
        for name, size in self._of(event):
            value = getattr(event, name)
            if len(value) > size:
                setattr(event, name, shortened(value, size))
                cut.append(name)
        return cut

    def _of(self, event: Event) -> tuple[tuple[str, int], ...]:
        found = self._fields.get(event.type.id)
        if found is None:
            named = (f for f in event.type.fields if f.kind is TEXT and f.name in self.sizes)
            found = tuple((f.name, self.sizes[f.name]) for f in named)
            self._fields[event.type.id] = found
        return found


def shortened(value: str, size: int) -> str:
    """At most `size` characters, the last three of them dots; `-` where there is no room for dots."""
    if len(value) <= size:
        return value
    return value[: size - len(_DOTS)] + _DOTS if size >= len(_DOTS) else _NONE
