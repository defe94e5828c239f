"""What a call has moved over a socket, from the memory of who called: the bytes, and whose address was named."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from pysmon.tracer.calls import Call
from pysmon.tracer.ptrace import Ptrace
from pysmon.tracer.sockets import Peer, address_in

_MESSAGE = struct.Struct("<QI4x2Q24x")  # struct msghdr: address, its length, pieces, how many
_BATCHED = struct.Struct("<56sI4x")  # struct mmsghdr: the message, how many bytes were moved
_PIECE = struct.Struct("<2Q")  # struct iovec
_PIECES, _BATCH = 16, 64  # that are looked at
_LONGEST = 128  # bytes of an address


@dataclass(frozen=True, slots=True)
class Moved:
    """A message, or a piece of a stream."""

    size: int
    pieces: tuple[tuple[int, int], ...]  # address and size of each
    peer: Peer | None = None  # as the call names it

    def read(self, tid: int, ptrace: Ptrace, limit: int) -> bytes:
        """Its first bytes; fewer where the memory has gone."""
        found, left = b"", min(self.size, limit)
        for address, size in self.pieces:
            wanted = min(size, left)
            part = ptrace.memory(tid, address, wanted) if wanted else b""
            found, left = found + part, left - wanted
            if len(part) < wanted:
                break
        return found


def moved(call: Call, arguments: tuple[int, ...], result: int, tid: int, ptrace: Ptrace) -> Iterator[Moved]:
    """All that the call has moved, now that it is done."""
    if call.layout == "messages":
        for at in range(min(result, _BATCH)):
            raw = ptrace.memory(tid, arguments[1] + at * _BATCHED.size, _BATCHED.size)
            if len(raw) == _BATCHED.size:
                message, size = _BATCHED.unpack(raw)
                yield _message(message, size, tid, ptrace)
    elif call.layout == "message":
        raw = ptrace.memory(tid, arguments[1], _MESSAGE.size)
        if len(raw) == _MESSAGE.size:
            yield _message(raw, result, tid, ptrace)
    elif call.layout == "pieces":
        yield Moved(result, _pieces(arguments[1], arguments[2], tid, ptrace))
    else:
        yield Moved(result, ((arguments[1], result),), _named(call, arguments, tid, ptrace))


def _named(call: Call, arguments: tuple[int, ...], tid: int, ptrace: Ptrace) -> Peer | None:
    if call.path is None or not arguments[call.path]:
        return None
    length = arguments[call.length or 0] & 0xFFFFFFFF
    if call.kind == "receive":  # there it stands in memory: streams leave the address as it was, and tell 0
        length = int.from_bytes(ptrace.memory(tid, arguments[call.length or 0], 4), sys.byteorder)
    return address_in(ptrace.memory(tid, arguments[call.path], min(length, _LONGEST)))


def _message(raw: bytes, size: int, tid: int, ptrace: Ptrace) -> Moved:
    address, length, first, count = _MESSAGE.unpack(raw)
    peer = address_in(ptrace.memory(tid, address, min(length, _LONGEST))) if address else None
    return Moved(size, _pieces(first, count, tid, ptrace), peer)


def _pieces(first: int, count: int, tid: int, ptrace: Ptrace) -> tuple[tuple[int, int], ...]:
    raw = ptrace.memory(tid, first, min(count, _PIECES) * _PIECE.size)
    return tuple(_PIECE.iter_unpack(raw[: len(raw) // _PIECE.size * _PIECE.size]))
