"""What waits for one output, and the books: where every entry is. Plain values, no threads.

    put -> front -> hand -> written          while the output keeps up
    put -> back -> disk -> hand -> written   once it does not: `back` is what the disk has not got yet

At every moment: `found + put = queued + spilled + written + lost`. Front is older than the disk, the disk older than
back. What leaves through the hand comes back to where it was, if the output refuses it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event

Entries = Sequence[Entry[Event]]
_FOR_BACK = 4  # this part of the queue is kept free for what is on its way to the disk


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """How much may wait for an output, in memory and on the disk, and how often one that failed is tried again."""

    entries: int = 20_000
    bytes: int = 32 << 20  # of these entries, about
    spill: int = 256 << 20  # bytes on the disk; 0: nothing goes there
    retry: float = 1.0  # s after the first failure; twice that after the second, and so on
    retry_most: float = 30.0  # s
    stalled: float = 10.0  # s in one call after which an output is said to take nothing


@dataclass(slots=True)
class Waiting:
    """The entries that wait for one output. `disk` says whether there is one to spill to."""

    limits: LaneLimits
    disk: bool
    found: int = 0  # of an earlier run
    put: int = 0
    queued: int = 0
    queued_bytes: int = 0
    spilled: int = 0
    written: int = 0
    lost: int = 0
    spilling: bool = False  # whether new entries go to the disk
    _front: deque[tuple[Entries, int]] = field(default_factory=deque)  # batches and their bytes
    _back: deque[tuple[Entries, int]] = field(default_factory=deque)
    _hand: tuple[Entries, int] = ((), 0)
    _moving: tuple[Entries, int] = ((), 0)  # from back to the disk

    def take_in(self, entries: Entries, size: int) -> None:
        """Put a batch of about so many bytes; what there is no room for is lost."""
        self.put += len(entries)
        if not self.spilling:
            entries, size = self._push(self._front, entries, size, spare=self.disk)
            if entries and self.disk:
                self.spilling = True
        if entries and self.spilling:
            entries, size = self._push(self._back, entries, size, spare=False)
        self.lost += len(entries)

    def refuse(self, entries: Entries) -> None:
        """Put a batch that comes too late."""
        self.put += len(entries)
        self.lost += len(entries)

    def next(self, most: int) -> Entries:
        """The oldest entries in memory, about so many, in hand from now on; nothing if older ones are on the disk."""
        batches: list[Entries] = []
        count = size = 0
        while self._front and count < most:
            batch, its_size = self._front.popleft()
            batches.append(batch)
            count, size = count + len(batch), size + its_size
        entries = batches[0] if len(batches) == 1 else [entry for batch in batches for entry in batch]
        self._hand = (entries, size)
        return entries

    def end_spilling(self) -> bool:
        """When the disk has been emptied: let memory do again. Whether that was possible and brought anything."""
        if self._front or self.spilled or self._moving[0]:
            return False
        self._front, self._back = self._back, self._front
        self.spilling = False
        return bool(self._front)

    def wrote(self, count: int) -> None:
        """The first so many entries in hand are written; the others wait again."""
        entries, size = self._hand
        self._hand = ((), 0)
        done = size * count // len(entries) if entries else 0
        if count < len(entries):
            self._front.appendleft((entries[count:], size - done))
        self.queued -= count
        self.queued_bytes -= done
        self.written += count

    def gave_up(self, count: int) -> None:
        """So many of the entries that were just written are not: they are lost."""
        self.written -= count
        self.lost += count

    def wrote_from_disk(self, count: int) -> None:
        """So many of the oldest entries on the disk are written."""
        self.spilled -= count
        self.written += count

    def lost_from_disk(self, count: int) -> None:
        """So many of the oldest entries on the disk cannot be read."""
        self.spilled -= count
        self.lost += count

    def retreat(self) -> bool:
        """Send all that waits to the disk, if order allows it now; whether there is anything to move."""
        if not self.disk or self.spilled or self._moving[0] or self._hand[0]:
            return False
        while self._front:
            self._back.appendleft(self._front.pop())
        self.spilling = bool(self._back)
        return self.spilling

    @property
    def to_move(self) -> bool:
        """Is there anything on its way to the disk?"""
        return bool(self._back)

    def move(self) -> Entries:
        """What is to go to the disk now; nothing if something is on its way already."""
        if self._moving[0]:
            return ()
        entries = [entry for batch, _ in self._back for entry in batch]
        self._moving = (entries, sum(size for _, size in self._back))
        self._back.clear()
        return entries

    def moved(self, kept: int) -> None:
        """Of what went to the disk the first so many are there; it refused the others, which wait in memory again."""
        entries, size = self._moving
        self._moving = ((), 0)
        done = size * kept // len(entries) if entries else 0
        if kept < len(entries):
            self._back.appendleft((entries[kept:], size - done))
        self.queued -= kept
        self.queued_bytes -= done
        self.spilled += kept

    def rest(self) -> tuple[Entries, Entries]:
        """All that is still in memory, for the end: what is older than the disk, and what is newer."""
        older = [*self._hand[0], *(entry for batch, _ in self._front for entry in batch)]
        newer = [*self._moving[0], *(entry for batch, _ in self._back for entry in batch)]
        return older, newer

    def rested(self, kept: int) -> None:
        """Of that rest so many are on the disk; the others are lost."""
        self.spilled += kept
        self.lost += self.queued - kept
        self.queued = self.queued_bytes = 0
        self._front.clear()
        self._back.clear()
        self._hand = self._moving = ((), 0)

    def _push(
        self, where: deque[tuple[Entries, int]], entries: Entries, size: int, *, spare: bool
    ) -> tuple[Entries, int]:
        """Append what there is room for; what is left of the batch."""
        most, most_bytes = self.limits.entries, self.limits.bytes
        if spare:
            most, most_bytes = most - most // _FOR_BACK, most_bytes - most_bytes // _FOR_BACK
        room, count = most_bytes - self.queued_bytes, len(entries)
        fits = min(count, most - self.queued)
        if fits > 0 and size > room:
            fits = min(fits, max(room * count // size, not self.queued))  # one that is larger than all has to go, too
        if fits <= 0:
            return entries, size
        its_size = size if fits == count else size * fits // count
        where.append((entries if fits == count else entries[:fits], its_size))
        self.queued += fits
        self.queued_bytes += its_size
        return entries[fits:], size - its_size
