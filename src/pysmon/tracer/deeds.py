"""From a system call that was done to the record of it: files that come and go, connections."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from pysmon.layout.record import Record
from pysmon.sensor.records import (
    LINKED,
    OPENED,
    RENAMED,
    SYMLINKED,
    FileCreateRecord,
    FileDeleteRecord,
    FlowRecord,
    components_of,
)
from pysmon.tracer.calls import Call
from pysmon.tracer.messages import moved
from pysmon.tracer.processes import Traced, kernel_device
from pysmon.tracer.ptrace import Ptrace
from pysmon.tracer.sockets import Ends, Peer, address_in, ends_of, socket_behind

_HERE = 0xFFFFFF9C  # AT_FDCWD, as an unsigned number of 32 bits
_REMOVE_FOLDER = 0x200  # AT_REMOVEDIR
_HOW = {"rename": RENAMED, "link": LINKED, "symlink": SYMLINKED}
_FLOWS = 4096  # of UDP that are remembered for a process


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that began: what has to be known before it is done."""

    call: Call
    arguments: tuple[int, ...]
    name: bytes = b""  # as the process gave it
    folder: str = ""  # where it begins
    before: os.stat_result | None = None  # what has that name now
    socket: int = 0  # of one that is about to be closed: its inode

    def peer(self, tid: int, ptrace: Ptrace) -> Peer | None:
        """Whom `connect` names; None if it is nobody of IP."""
        address, size = self.arguments[1], self.arguments[2] & 0xFFFFFFFF
        return address_in(ptrace.memory(tid, address, min(size, 128)))


def begin(call: Call, arguments: tuple[int, ...], tid: int, ptrace: Ptrace) -> Begun:
    """At its beginning."""
    if call.kind == "close":
        return Begun(call, arguments, socket=socket_behind(f"/proc/{tid}/fd/{arguments[0] & 0xFFFFFFFF}"))
    if call.path is None or call.length is not None:
        return Begun(call, arguments)
    name = ptrace.text(tid, arguments[call.path])
    folder = _folder(tid, name, arguments[call.folder] & 0xFFFFFFFF if call.folder is not None else _HERE)
    return Begun(call, arguments, name, folder, _there(tid, folder, name))


def records(begun: Begun, result: int, who: Traced, tid: int, ptrace: Ptrace) -> Iterator[Record]:
    """At its end: what it did, if it did anything that is told."""
    kind = begun.call.kind
    if kind == "connect":
        if result in (0, -errno.EINPROGRESS):
            yield from _connected(who, tid, begun.arguments[0] & 0xFFFFFFFF)
    elif result < 0 or kind in ("receive", "close"):
        return
    elif kind == "accept":
        yield from _accepted(who, tid, result)
    elif kind == "send":
        yield from _sent(begun, result, who, tid, ptrace)
    elif kind == "open":
        yield from _opened(begun, result, who, tid)
    elif kind == "unlink":
        yield from _unlinked(begun, who, tid)
    else:
        yield from _named(begun, who, tid)


def _folder(tid: int, name: bytes, descriptor: int) -> str:
    """Where a name begins: at a descriptor, the working directory or, if it is absolute, the root of the process."""
    link = "root" if name[:1] == b"/" else "cwd" if descriptor == _HERE else f"fd/{descriptor}"
    try:
        return os.readlink(f"/proc/{tid}/{link}")
    except OSError:
        return "/"


def _there(tid: int, folder: str, name: bytes) -> os.stat_result | None:
    given = os.fsdecode(name)
    path = given if given.startswith("/") else f"{folder}/{given}"
    try:
        return os.lstat(f"/proc/{tid}/root{path}")
    except (OSError, ValueError):
        return None


def _file(who: Traced, tid: int, found: os.stat_result | None) -> dict[str, int | bytes]:
    facts = who.head(tid) | {"uid": who.uid}
    if found:
        facts |= {"inode": found.st_ino, "device": kernel_device(found.st_dev), "mode": found.st_mode}
    return facts


def _begins(begun: Begun) -> dict[str, bytes]:
    absolute = begun.name[:1] == b"/" and begun.folder == "/"
    return {"directory": b"" if absolute else components_of(begun.folder), "name": begun.name + b"\0"}


def _opened(begun: Begun, descriptor: int, who: Traced, tid: int) -> Iterator[Record]:
    if begun.before is not None:
        return  # it was there
    try:
        path = os.readlink(f"/proc/{tid}/fd/{descriptor}")
        found = os.stat(f"/proc/{tid}/fd/{descriptor}")
    except OSError:
        return
    if stat.S_ISREG(found.st_mode) and found.st_nlink:
        yield FileCreateRecord.make(**_file(who, tid, found), how=OPENED, path=components_of(path))


def _named(begun: Begun, who: Traced, tid: int) -> Iterator[Record]:
    found = _there(tid, begun.folder, begun.name)
    if found is None or not stat.S_ISDIR(found.st_mode):
        yield FileCreateRecord.make(**_file(who, tid, found), how=_HOW[begun.call.kind], **_begins(begun))


def _unlinked(begun: Begun, who: Traced, tid: int) -> Iterator[Record]:
    if begun.call.flags is not None and begun.arguments[begun.call.flags] & _REMOVE_FOLDER:
        return
    links = begun.before.st_nlink if begun.before else 0
    yield FileDeleteRecord.make(**_file(who, tid, begun.before), links=links, **_begins(begun))


def _connected(who: Traced, tid: int, descriptor: int) -> Iterator[Record]:
    ends = ends_of(tid, descriptor)
    if ends and ends.protocol == 6 and ends.remote[1]:
        yield _flow(who, tid, ends, initiated=True)


def _accepted(who: Traced, tid: int, descriptor: int) -> Iterator[Record]:
    ends = ends_of(tid, descriptor)
    if ends:
        yield _flow(who, tid, ends, initiated=False)


def _sent(begun: Begun, result: int, who: Traced, tid: int, ptrace: Ptrace) -> Iterator[Record]:
    """The first datagram from a socket to an address."""
    descriptor = begun.arguments[0] & 0xFFFFFFFF
    inode = socket_behind(f"/proc/{tid}/fd/{descriptor}") if begun.call.always else 0
    if not inode or inode in who.others:
        return
    ends = ends_of(tid, descriptor)
    if ends is None or ends.protocol != 17:
        if len(who.others) < _FLOWS:
            who.others.add(inode)
        return
    for each in moved(begun.call, begun.arguments, result, tid, ptrace):
        family, address, port = each.peer or (ends.family, *ends.remote)
        there = Ends(ends.inode, ends.protocol, family, ends.local, (address, port))
        flow = (there.inode, *there.remote)
        if flow not in who.flows and len(who.flows) < _FLOWS:
            who.flows.add(flow)
            yield _flow(who, tid, there, initiated=True)


def _flow(who: Traced, tid: int, ends: Ends, *, initiated: bool) -> Record:
    source, destination = (ends.local, ends.remote) if initiated else (ends.remote, ends.local)
    return FlowRecord.make(
        **who.head(tid),
        source=source[0],
        destination=destination[0],
        uid=who.uid,
        family=ends.family,
        protocol=ends.protocol,
        source_port=source[1],
        destination_port=destination[1],
        initiated=int(initiated),
    )
