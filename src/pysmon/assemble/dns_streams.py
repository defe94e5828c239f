"""DNS over TCP: the messages of a stream, each with its size before it, from the pieces that were sent or received."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pysmon.sensor.records import DnsMessageRecord

_SIZE = 2  # bytes, of the size before a message
_KEPT = 4096  # bytes of a message
_LIMIT = 1024  # streams
_LOST = 1 << 62  # bytes to skip where nobody knows where a message begins


@dataclass(slots=True)
class _Stream:
    """One direction of a connection."""

    begun: bytes = b""  # of the message that is not complete yet, with its size before it
    skip: int = 0  # bytes until the next message begins


class Streams:
    """All streams, the one that was longest silent going first when there are too many."""

    def __init__(self, *, limit: int = _LIMIT) -> None:
        """`limit` is how many directions of connections are followed."""
        self._limit = limit
        self._streams: dict[tuple[int, int, int, int], _Stream] = {}

    def take(self, record: DnsMessageRecord) -> Iterator[bytes]:
        """The messages that this piece completes, or as much of them as is kept."""
        key = (record.tgid, record.start, record.socket, record.sent)
        stream = self._streams.pop(key, None) or _Stream()
        yield from _messages(stream, record.payload, record.whole)
        if stream.begun or stream.skip:
            self._streams[key] = stream
        if len(self._streams) > self._limit:
            del self._streams[next(iter(self._streams))]


def _messages(stream: _Stream, data: bytes, whole: int) -> Iterator[bytes]:
    """`whole` is how many bytes the piece had, of which `data` are the first."""
    missing = max(0, whole - len(data))
    while data:
        skipped = min(stream.skip, len(data))
        stream.skip -= skipped
        data = data[skipped:]
        taken = _wanted(stream.begun) - len(stream.begun)
        stream.begun, data = stream.begun + data[:taken], data[taken:]
        if len(stream.begun) >= _SIZE and len(stream.begun) == _wanted(stream.begun):
            yield from _complete(stream)
    if missing:
        yield from _over_a_gap(stream, missing)


def _over_a_gap(stream: _Stream, missing: int) -> Iterator[bytes]:
    """So many bytes were not kept: what has begun is told as far as it goes, if its end is among them."""
    skipped = min(stream.skip, missing)
    stream.skip, missing = stream.skip - skipped, missing - skipped
    if not missing:
        return
    begun, stream.begun = stream.begun, b""
    rest = _SIZE + int.from_bytes(begun[:_SIZE]) - len(begun) - missing if len(begun) >= _SIZE else -1
    stream.skip = rest if rest >= 0 else _LOST
    yield begun[_SIZE:]


def _complete(stream: _Stream) -> Iterator[bytes]:
    size = int.from_bytes(stream.begun[:_SIZE])
    yield stream.begun[_SIZE:]
    stream.skip = max(0, size - _KEPT)
    stream.begun = b""


def _wanted(begun: bytes) -> int:
    """How much of the message that has begun is wanted."""
    return _SIZE if len(begun) < _SIZE else _SIZE + min(int.from_bytes(begun[:_SIZE]), _KEPT)
