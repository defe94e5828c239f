"""What a shape of logs is: a name, how it is known by its beginning, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeAlias

from pysmon.sources.found import Found, NoEventError, all_taken
from pysmon.sources.json_rows import rows, sample_rows
from pysmon.sources.parts import Row
from pysmon.sources.source import Taken, Tally, Wanted
from pysmon.sources.streams import Bytes
from pysmon.sources.texts import encoding_of

Read: TypeAlias = Callable[[Bytes, Tally, Wanted], Iterator[Taken]]


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


def _read_json(find: Callable[[Row], Found | None], source: Bytes, tally: Tally, wanted: Wanted) -> Iterator[Taken]:
    yield from all_taken(((place, partial(find, row)) for place, row in rows(source, tally)), tally, wanted)
