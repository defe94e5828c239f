"""Where in the values of an outer template the envelope of an event lies: found once for values of the same sizes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple

from pysmon.formats.evtx.layout import ValueType
from pysmon.formats.evtx.read_value import value_of
from pysmon.formats.evtx.write_template import Slot
from pysmon.sources.evtx_plan import Envelope, Part
from pysmon.sources.origins import PROVIDERS

_HEAD = (  # what differs from record to record, with its type and its code for struct
    ("EventID", ValueType.UINT16, "H"),
    ("TimeCreated.SystemTime", ValueType.FILETIME, "Q"),
    ("Execution.ProcessID", ValueType.UINT32, "I"),
    ("Execution.ThreadID", ValueType.UINT32, "I"),
    ("EventRecordID", ValueType.UINT64, "Q"),
)
_ALIKE = ("Version", "Security.UserID", "Provider.Name", "Channel", "Computer")  # what hardly ever differs
_MOST_KEPT = 1024


class Said(NamedTuple):
    """What the envelope says that hardly ever differs."""

    provider: str
    channel: str
    computer: str
    user: str
    version: int | None
    ours: bool  # an event of Sysmon


@dataclass(slots=True, eq=False)
class Layout:
    """Of values of certain sizes and types: where the data lies, and how to read the rest."""

    nested: int  # where the data begins, counted from the first value
    event_id: int  # where that is
    head: Callable[[bytes, int], tuple[Any, ...]]  # event id, FILETIME, process id, thread id, record id
    begin: int  # where the part begins that hardly ever differs
    end: int
    known: dict[bytes, Said] = field(default_factory=dict)  # by that part
    parts: Mapping[str, Part] = field(default_factory=dict)
    places: Sequence[tuple[int, int, int]] = ()  # of each value the type, the begin, the end

    def said(self, data: bytes, start: int) -> Said:
        """What hardly ever differs, of the values that begin at `start`. ValueError."""
        key = data[start + self.begin : start + self.end]
        if len(self.known) >= _MOST_KEPT:
            self.known.clear()
        values = [text(part_of(self.parts.get(name), self.places, data, start)) for name in _ALIKE]
        version, user, provider, channel, computer = values
        said = Said(
            provider, channel, computer, user, int(version) if version.isdigit() else None, provider in PROVIDERS
        )
        self.known[key] = said
        return said


def layout(envelope: Envelope, kinds: Sequence[int], sizes: Sequence[int]) -> Layout | None:
    """The layout of values of these types and sizes; None if they do not lie as Windows lays them.

    The size of the last value, which is the data, may be anything.
    """
    places = list(zip(kinds, *_bounds(sizes), strict=True))
    if envelope.data != len(kinds) - 1 or kinds[-1] != ValueType.BINARY_XML:
        return None
    head = []
    for name, kind, code in _HEAD:
        part = envelope.parts.get(name)
        if not isinstance(part, Slot) or part.number >= len(places) or places[part.number][0] != kind:
            return None
        head.append((places[part.number][1], code, struct.calcsize(f"<{code}")))
    alike = [part.number for name in _ALIKE if isinstance(part := envelope.parts.get(name), Slot)]
    if not alike or max(alike) >= len(places) - 1 or places[min(alike)][1] < head[-1][0] + head[-1][2]:
        return None
    read = _struct(head)
    if read is None:
        return None
    begin, end = places[min(alike)][1], places[max(alike)][2]
    return Layout(places[-1][1], head[0][0], read, begin, end, parts=envelope.parts, places=places)


def part_of(part: Part | None, places: Sequence[tuple[int, int, int]], data: bytes, start: int) -> object:
    """A part of the envelope: literal, or a value. ValueError."""
    if not isinstance(part, Slot):
        return part
    if part.number >= len(places):
        return None
    kind, begin, end = places[part.number]
    return value_of(kind, data[start + begin : start + end])


def text(value: object) -> str:
    """A part of the envelope as text; empty if there is none."""
    return "" if value is None else str(value)


def _bounds(sizes: Sequence[int]) -> tuple[list[int], list[int]]:
    ends = list(accumulate(sizes))
    return [0, *ends[:-1]], ends


def _struct(parts: Sequence[tuple[int, str, int]]) -> Callable[[bytes, int], tuple[Any, ...]] | None:
    """One struct for parts that lie one behind the other with gaps between them; None if they lie in another order."""
    codes, at = ["<"], 0
    for begin, code, size in parts:
        if begin < at:
            return None
        codes.append(f"{begin - at}x{code}")
        at = begin + size
    return struct.Struct("".join(codes)).unpack_from
