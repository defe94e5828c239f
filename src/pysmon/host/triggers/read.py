"""From a file about persistence to its parts, and from two versions of one to what has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from pysmon.host.triggers.parts import Part
from pysmon.host.triggers.places import Place
from pysmon.host.triggers.tables import crontab_parts, job_parts, script_parts, udev_parts
from pysmon.host.triggers.units import enabled_parts, unit_parts

Operation = Literal["Created", "Modified", "Deleted"]


def parts_of(place: Place, path: str, text: str | None) -> tuple[Part, ...]:
    """All parts that the file holds. None for its text: it could not be read, and only what the path says is known."""
    match place:
        case "unit":
            return unit_parts(path, text)
        case "enabled unit":
            return enabled_parts(path, text)
        case "udev rules":
            return udev_parts(path, text)
        case "at job":
            return job_parts(path, text)
        case "periodic script":
            return script_parts(path)
        case _:
            return crontab_parts(path, text, names_user=place == "system crontab")


def changes(before: tuple[Part, ...], now: tuple[Part, ...]) -> Iterator[tuple[Operation, Part]]:
    """What became of the parts of a file: those of a name that are still there, though different, were modified."""
    gone, new = Counter(before) - Counter(now), Counter(now) - Counter(before)
    replaced = Counter((type(part), part.name) for part in gone.elements())
    for part in new.elements():
        key = (type(part), part.name)
        operation: Operation = "Modified" if replaced[key] else "Created"
        replaced[key] -= replaced[key] > 0
        yield operation, part
    made = Counter((type(part), part.name) for part in new.elements())
    for part in gone.elements():
        key = (type(part), part.name)
        if made[key]:
            made[key] -= 1
        else:
            yield "Deleted", part
