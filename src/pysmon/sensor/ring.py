"""Reading a BPF ring buffer: the memory that the kernel shares, in pure Python.

Layout (kernel/bpf/ringbuf.c): one page with the consumer's position, one with the producer's, then the data. A record
is a 32-bit length with two flags, 4 bytes unused, its bytes, and padding to 8. The kernel offers the data twice in a
row, so that a record never wraps; mapping them once and joining the few that wrap keeps half the memory.
"""

from __future__ import annotations

import mmap
import struct
from collections import deque
from ctypes import c_uint64

_BUSY = 1 << 31
_DISCARDED = 1 << 30
_HEADER = 8
RESERVE = 1 << 25  # bytes


class Ring:
    """The reading end of one ring. There must be only one reader."""

    def __init__(self, fd: int, size: int, *, reserve: int = RESERVE) -> None:
        """Map the ring behind a map's descriptor; `size` is its max_entries, in bytes.

        `reserve`: how much (bytes) of what waits may be set aside in memory, so that the kernel has room again.
        """
        page = mmap.PAGESIZE
        self.fd = fd
        self._size = size
        self._mask = size - 1
        self._consumer_page = mmap.mmap(fd, page, prot=mmap.PROT_READ | mmap.PROT_WRITE, flags=mmap.MAP_SHARED)
        self._data = mmap.mmap(fd, page + size, prot=mmap.PROT_READ, flags=mmap.MAP_SHARED, offset=page)
        for mapped in (self._consumer_page, self._data):
            mapped.madvise(mmap.MADV_DONTFORK)  # processes of our own that are forked from here have no use for it
        self._view = memoryview(self._data)
        self._lengths = self._view.cast("I")
        self._consumed = c_uint64.from_buffer(self._consumer_page)
        self._base = page
        self._reserve = reserve
        self._aside: deque[bytes] = deque()
        self._aside_size = 0  # as it was in the ring
        self.more = False  # did the last `drain` leave records behind?

    def drain(self, limit: int = 1 << 62) -> list[bytes]:
        """The records that are complete, oldest first, up to `limit` bytes; the room of all goes back to the kernel."""
        if not self._aside and self._waiting() <= limit:
            return self._read()
        if self._aside_size < self._reserve:
            read = self._read(self._reserve - self._aside_size)
            self._aside += read
            self._aside_size += sum(map(_room, read))
        found: list[bytes] = []
        while self._aside and limit > 0:
            found.append(self._aside.popleft())
            taken = _room(found[-1])
            self._aside_size -= taken
            limit -= taken
        self.more = bool(self._aside) or self._waiting() > 0
        return found

    def _waiting(self) -> int:
        (produced,) = struct.unpack_from("<Q", self._view, 0)
        return int(produced) - self._consumed.value

    def _read(self, limit: int = 1 << 62) -> list[bytes]:
        """What is complete in the ring, up to `limit` bytes."""
        position = self._consumed.value
        begin, produced = position, position + self._waiting()
        spans: list[tuple[int, int]] = []
        # First only the lengths, then one copy: a record seen complete here is complete in the copy.
        stop = min(produced, position + limit)
        while position < stop:
            length = self._lengths[self._base + (position & self._mask) >> 2]
            if length & _BUSY:
                break
            size = length & ~_DISCARDED
            if not length & _DISCARDED:
                spans.append((position - begin + _HEADER, size))
            position += (size + _HEADER + 7) & ~7
        self.more = position < produced
        if position == begin:
            return []
        copied = self._copy(begin & self._mask, position - begin)
        self._consumed.value = position
        return [copied[start : start + size] for start, size in spans]

    def _copy(self, start: int, size: int) -> bytes:
        first, end = self._base + start, self._base + self._size
        if first + size <= end:
            return bytes(self._view[first : first + size])
        return bytes(self._view[first:end]) + bytes(self._view[self._base : first + size - self._size])

    def close(self) -> None:
        """Unmap; the ring itself belongs to the kernel object."""
        del self._consumed
        self._lengths.release()
        self._view.release()
        self._data.close()
        self._consumer_page.close()


def _room(record: bytes) -> int:
    """What a record takes in the ring."""
    return (len(record) + _HEADER + 7) & ~7
