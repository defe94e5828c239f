"""Questions to name servers and their answers: what a traced process moves over a socket whose peer has port 53."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass

from pysmon.layout.record import Record
from pysmon.sensor.records import DnsMessageRecord
from pysmon.tracer.deeds import Begun
from pysmon.tracer.messages import moved
from pysmon.tracer.processes import Traced
from pysmon.tracer.ptrace import Ptrace
from pysmon.tracer.sockets import Peer, ends_of, socket_behind

_PORT = 53
_PAYLOAD = 4096  # bytes, as the kernel programs take
_SOCKETS = 4096  # that are remembered
_PEEK = 2  # MSG_PEEK
_LOW = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Server:
    """The other end of a socket."""

    protocol: int
    peer: Peer
    connected: bool  # so that read and write may be used


class Names:
    """Sockets that ask the DNS, by their inodes: whoever holds a copy of a descriptor asks, too."""

    def __init__(self) -> None:
        """Begin without any."""
        self._servers: dict[int, _Server] = {}

    def records(self, begun: Begun, result: int, who: Traced, tid: int, ptrace: Ptrace) -> Iterator[Record]:
        """At the end of a call: what it has moved to a name server or from one. Keeps `who.asks` up to date."""
        kind, descriptor = begun.call.kind, begun.arguments[0] & _LOW
        if kind == "connect":
            if result in (0, -errno.EINPROGRESS) and self._connected(begun, descriptor, tid, ptrace):
                who.asks = True
        elif kind == "close":
            if who.asks and begun.socket in self._servers:
                who.asks = self.held(who.tgid)
        elif kind in ("send", "receive") and result > 0 and not _peeks(begun):
            yield from self._moved(begun, descriptor, result, who, tid, ptrace)

    def held(self, tgid: int) -> bool:
        """Has this process a socket that is connected to a name server?"""
        at = f"/proc/{tgid}/fd"
        try:
            behind = (self._servers.get(socket_behind(f"{at}/{each}")) for each in os.listdir(at))
            return any(server is not None and server.connected for server in behind)
        except OSError:
            return False

    def _connected(self, begun: Begun, descriptor: int, tid: int, ptrace: Ptrace) -> bool:
        peer = begun.peer(tid, ptrace)
        inode = socket_behind(f"/proc/{tid}/fd/{descriptor}")
        if peer is None or peer[2] != _PORT:
            self._servers.pop(inode, None)  # it has another peer now, or none
            return False
        return self._remember(inode, descriptor, tid, peer, connected=True) is not None

    def _remember(self, inode: int, descriptor: int, tid: int, peer: Peer, *, connected: bool) -> _Server | None:
        ends = ends_of(tid, descriptor)
        if ends is None:
            return None
        self._servers.pop(inode, None)
        while len(self._servers) >= _SOCKETS:
            del self._servers[next(iter(self._servers))]
        made = self._servers[inode] = _Server(ends.protocol, peer, connected)
        return made

    def _moved(
        self, begun: Begun, descriptor: int, result: int, who: Traced, tid: int, ptrace: Ptrace
    ) -> Iterator[Record]:
        inode = socket_behind(f"/proc/{tid}/fd/{descriptor}")
        known = self._servers.get(inode)
        if not inode or (known is None and not begun.call.names_peers):
            return  # a file, or a socket of which nobody has said that it asks
        for each in moved(begun.call, begun.arguments, result, tid, ptrace):
            named = each.peer
            if named is not None and named[2] != _PORT:
                continue
            if named is not None and (known is None or not (known.connected or known.peer == named)):
                known = self._remember(inode, descriptor, tid, named, connected=False)
            if known is None:
                continue
            family, address, _ = named or known.peer
            yield DnsMessageRecord.make(
                **who.head(tid),
                socket=inode,
                server=address,
                uid=who.uid,
                whole=each.size,
                family=family,
                protocol=known.protocol,
                sent=int(begun.call.kind == "send"),
                called=0,  # functions of the C library are not seen
                payload=each.read(tid, ptrace, _PAYLOAD),
            )


def _peeks(begun: Begun) -> bool:
    flags = begun.call.flags
    return flags is not None and bool(begun.arguments[flags] & _PEEK)
