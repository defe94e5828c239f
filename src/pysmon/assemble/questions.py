"""Questions to the DNS that wait for their answer, and what is remembered of those that have it.

Time is that of the records. Every table is bounded: what is too much is told as it stands, the oldest first.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, Protocol, TypeVar

from pysmon.formats.dns_message import DnsMessage
from pysmon.schema.catalogue import DnsQuery
from pysmon.sensor.records import DnsMessageRecord

PATIENCE = 10_000_000_000  # ns until a question without an answer is told; resolvers ask again after 5 s
CALL_PATIENCE = 120_000_000_000  # ns until a look-up that does not come to its end is given up
_LIMIT = 4096  # entries of each table
_CALL_LIMIT = 32  # questions, and answers, within one look-up
NEVER = 1 << 63


class Asked(NamedTuple):
    """What tells a question: the process, its socket, the number of the message, name and type."""

    tgid: int
    start: int
    socket: int
    id: int
    name: str  # in small letters: a server may answer in others
    type: int


@dataclass(slots=True)
class Waiting:
    """A question with its event, as it is told if nothing more comes."""

    event: DnsQuery
    record: DnsMessageRecord
    due: int


class Told(NamedTuple):
    """What was told of a question, and when."""

    status: str  # empty: that there was no answer
    time: int


@dataclass(slots=True)
class LookUp:
    """What a thread has asked and heard while it is in a function of the C library."""

    due: int
    asked: dict[Asked, Waiting] = field(default_factory=dict)
    heard: list[DnsMessage] = field(default_factory=list)

    def ask(self, asked: Asked, waiting: Waiting) -> None:
        """A question was sent."""
        if len(self.asked) < _CALL_LIMIT:
            self.asked.setdefault(asked, waiting)

    def hear(self, asked: Asked, message: DnsMessage) -> Waiting | None:
        """An answer has come; the question that it is for."""
        if len(self.heard) < _CALL_LIMIT:
            self.heard.append(message)
        return self.asked.get(asked)


class _Due(Protocol):
    @property
    def due(self) -> int: ...


Thread = tuple[int, int, int]  # tgid, start, tid
Key = TypeVar("Key", bound=Hashable)
Entry = TypeVar("Entry", bound=_Due)


class Questions:
    """The questions of all processes."""

    def __init__(self, *, limit: int = _LIMIT) -> None:
        """`limit` bounds each of the tables."""
        self._limit = limit
        # All in the order of their times, and so of when they are due.
        self._waiting: dict[Asked, Waiting] = {}
        self._truncated: dict[tuple[int, int, str, int], Waiting] = {}  # by process, name and type
        self._calls: dict[Thread, LookUp] = {}
        self._told: dict[Asked, Told] = {}
        self.due = NEVER  # before that time there is nothing for `overdue`

    def ask(self, asked: Asked, waiting: Waiting) -> None:
        """A question was sent. The same again is no new one; a truncated answer is settled by asking anew."""
        if asked in self._waiting:
            return
        told = self._told.get(asked)
        if told and not told.status:
            del self._told[asked]
        self._truncated.pop(_about(asked), None)
        self._waiting[asked] = waiting
        self._expect(self._waiting, waiting.due)

    def answer(self, asked: Asked) -> Waiting | None:
        """The question that is answered; none if it was not seen."""
        return self._waiting.pop(asked, None)

    def truncate(self, asked: Asked, waiting: Waiting) -> None:
        """The answer did not fit: it will be asked for again over TCP, and if not, this is told."""
        self._truncated[_about(asked)] = waiting
        self._expect(self._truncated, waiting.due)

    def tell(self, asked: Asked, status: str, time: int) -> bool:
        """Note what is told now; False if it was told before: the same a moment ago, or that there was no answer.

        Who gets an error asks the same again at once, several times.
        """
        told = self._told.pop(asked, None)
        if told and (not told.status or (told.status == status and time < told.time + PATIENCE)):
            self._told[asked] = told
            return False
        self._told[asked] = Told(status, time)
        if len(self._told) > self._limit:
            del self._told[next(iter(self._told))]
        return True

    def call(self, thread: Thread, time: int) -> LookUp:
        """The look-up that a thread is in."""
        known = self._calls.get(thread)
        if known is None:
            known = self._calls[thread] = LookUp(time + CALL_PATIENCE)
            self._expect(self._calls, known.due)
        return known

    def called(self, thread: Thread) -> list[DnsMessage]:
        """A look-up has ended: what was heard in it."""
        ended = self._calls.pop(thread, None)
        return ended.heard if ended else []

    def overdue(self, now: int, *, last: bool = False) -> list[Waiting]:
        """What is told although nothing more came by `now`; all that waits if it is the `last` time."""
        if now < self.due and not last:
            return []
        late = [waiting for _, waiting in self._late(self._truncated, now, last)]
        for asked, waiting in self._late(self._waiting, now, last):
            self.tell(asked, "", now)
            late.append(waiting)
        for _, call in self._late(self._calls, now, last):
            late += call.asked.values()
        oldest = [*islice(self._waiting.values(), 1), *islice(self._truncated.values(), 1)]
        dues = [waiting.due for waiting in oldest] + [call.due for call in islice(self._calls.values(), 1)]
        self.due = min(dues, default=NEVER)
        return late

    def _late(self, table: dict[Key, Entry], now: int, last: bool) -> Iterator[tuple[Key, Entry]]:
        while table:
            key = next(iter(table))
            if not last and table[key].due > now and len(table) <= self._limit:
                return
            yield key, table.pop(key)

    def _expect(self, table: dict[Key, Entry], due: int) -> None:
        self.due = 0 if len(table) > self._limit else min(self.due, due)


def _about(asked: Asked) -> tuple[int, int, str, int]:
    return asked.tgid, asked.start, asked.name, asked.type
