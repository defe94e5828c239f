"""One line of the event log: an event and the envelope (`<System>`) that Sysmon puts around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from pysmon.schema.event import Event

E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Foreign:
    """What the log of another program said of an entry beyond its values; one object for all entries of a kind."""

    provider: str  # Microsoft-Windows-Sysmon
    guid: str  # of the provider: `{5770385f-c22a-43e0-bf4c-06f5698ffbd9}`
    channel: str  # Microsoft-Windows-Sysmon/Operational
    user: str = ""  # the account that wrote it: `S-1-5-18`; "" if the log does not say
    version: int | None = None  # of the event; None if the log does not say
    fields: tuple[str, ...] | None = None  # those that it had, in its order; None if that is not known


@dataclass(frozen=True, slots=True)
class Origin:
    """Who writes the log; the same for every entry of a run."""

    computer: str  # host name
    process_id: int  # of pysmon
    thread_id: int
    user_id: int  # effective uid of pysmon
    foreign: Foreign | None = None  # of entries that another program wrote; None: they are pysmon's own


class Entry(NamedTuple, Generic[E_co]):  # a tuple: one is made for every event, at half the cost
    """An event with its place in the log. `time` is when it happened, in ns since 1970 (UTC)."""

    record_id: int
    time: int
    event: E_co
    origin: Origin
