"""One line of the event log: an event and the envelope (`<System>`) that Sysmon puts around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from pysmon.schema.event import Event

E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who writes the log; the same for every entry of a run."""

    computer: str  # host name
    process_id: int  # of pysmon
    thread_id: int
    user_id: int  # effective uid of pysmon


class Entry(NamedTuple, Generic[E_co]):  # a tuple: one is made for every event, at half the cost
    """An event with its place in the log. `time` is when it happened, in ns since 1970 (UTC)."""

    record_id: int
    time: int
    event: E_co
    origin: Origin
