"""What a shape of logs is: a name, how it is known by its beginning, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeAlias

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sources.found import Found, NoEventError, entry_of
from pysmon.sources.json_rows import rows, sample_rows
from pysmon.sources.parts import Row
from pysmon.sources.source import Taken, Tally, Wanted
from pysmon.sources.streams import Bytes
from pysmon.sources.windows_xml import encoding_of

Read: TypeAlias = Callable[[Bytes, Tally], Iterator[Entry[Event]]]
ReadRows: TypeAlias = Callable[[Bytes, Tally, Wanted], Iterator[Taken]]


class Sample:
    """The beginning of a stream, looked at in the ways that tell shapes apart."""

    def __init__(self, head: bytes) -> None:
        """Take the first bytes."""
        self.head = head

    @cached_property
    def text(self) -> str:
        """As text."""
        return self.head.decode(encoding_of(self.head), "replace")

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The JSON objects in it, those that are whole; none if it is no JSON."""
        return sample_rows(self.head)


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape of logs."""

    name: str
    about: str  # for users, in a few words
    fits: Callable[[Sample], bool]
    read: Read = field(repr=False)
    rows: ReadRows | None = field(default=None, repr=False)  # a way to some fields alone, if it has one


def json_shape(name: str, about: str, find: Callable[[Row], Found | None]) -> Shape:
    """A shape of JSON objects, by the function that finds the event in one."""
    return Shape(name, about, partial(_any_fits, find), partial(_read_json, find))


def _any_fits(find: Callable[[Row], Found | None], sample: Sample) -> bool:
    return any(_fits(find, row) for row in sample.rows)


def _fits(find: Callable[[Row], Found | None], row: Row) -> bool:
    try:
        return find(row) is not None
    except NoEventError:
        return True  # the shape is right, the event is not


def _read_json(find: Callable[[Row], Found | None], source: Bytes, tally: Tally) -> Iterator[Entry[Event]]:
    for place, row in rows(source, tally):
        try:
            found = find(row)
            entry = None if found is None else entry_of(found, tally)
        except NoEventError as error:
            tally.damage(place, str(error))
            continue
        if found is None:
            tally.damage(place, f"an object of another shape (its names: {_names(row)})")
        elif entry is not None:
            yield entry


def _names(row: dict[str, Any]) -> str:
    return ", ".join(sorted(row)[:5]) or "none"
