"""One of every sink, with a way to read what came out and to be in its way: what the contract is tested on."""

from __future__ import annotations

import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.sinks.certificates import make_certificates
from tests.sinks.collectors import DatagramCollector, StreamCollector
from tests.sinks.daemons import Journald, Rsyslog
from tests.sinks.full_disk import files_limited_to

from pysmon.formats.json_line import json_line
from pysmon.formats.table import FORMATS
from pysmon.sinks.console import terminal_text
from pysmon.sinks.evtx import EvtxFileSink
from pysmon.sinks.file import FileSink
from pysmon.sinks.follow import FollowSink
from pysmon.sinks.journal import JournalSink
from pysmon.sinks.sink import Sink
from pysmon.sinks.store import StoreSink
from pysmon.sinks.stream import StreamSink
from pysmon.sinks.syslog import Form, Framing, SyslogSink, Target
from pysmon.sinks.tls import tls_context
from pysmon.sources.open import open_sources
from pysmon.store.query import Query
from pysmon.store.store import Store

XML, JSON = FORMATS["xml"].render, FORMATS["json"].render
PATIENCE = 0.3  # s
FULL = Path("/dev/full")  # a device on which every write finds the disk full


class Far(Protocol):
    """What is at the other end of a sink."""

    def stall(self) -> None: ...
    def resume(self) -> None: ...
    def die(self) -> None: ...
    def come_back(self) -> None: ...


@dataclass
class Outlet:
    """A sink and its output so far. `far`: what is at the other end; `refusing`: a while in which nothing is taken."""

    sink: Sink
    read: Callable[[], bytes]
    far: Far | None = None
    refusing: Callable[[], AbstractContextManager[None]] | None = None
    end: list[Callable[[], None]] = field(default_factory=list)

    def close(self) -> None:
        with suppress(Exception):
            self.sink.close()
        for each in self.end:
            each()


Make = Callable[[Path], Outlet]


def _disk_full(folder: Path) -> AbstractContextManager[None]:
    """No file grows beyond what the largest one here has already."""
    return files_limited_to(max(p.stat().st_size for p in folder.iterdir()) + 50)


def file_outlet(folder: Path) -> Outlet:
    path = folder / "events.json"
    return Outlet(FileSink(path, JSON), path.read_bytes, refusing=partial(_disk_full, folder))


def rotating_outlet(folder: Path) -> Outlet:
    path = folder / "events.xml"
    sink = FileSink(path, XML, rotate=100_000, keep=9)

    def read() -> bytes:
        older = sorted(folder.glob("events.xml.*"), reverse=True)
        return b"".join(p.read_bytes() for p in (*older, path) if p.exists())

    return Outlet(sink, read, refusing=partial(_disk_full, folder))


def stream_outlet(folder: Path) -> Outlet:
    path = folder / "stream"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sink = StreamSink(fd, "standard output", FORMATS["text"].render)
    return Outlet(sink, path.read_bytes, refusing=partial(_disk_full, folder), end=[partial(os.close, fd)])


def terminal_outlet(folder: Path) -> Outlet:
    path = folder / "terminal"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sink = StreamSink(fd, "standard error", terminal_text(lambda: 80, colour=True))
    return Outlet(sink, path.read_bytes, refusing=partial(_disk_full, folder), end=[partial(os.close, fd)])


def store_outlet(folder: Path) -> Outlet:
    path = folder / "log"

    def read() -> bytes:
        with Store(path) as log:
            return b"".join(json_line(entry) + b"\n" for entry in log.select(Query()))

    return Outlet(StoreSink(path, retry=0.0), read, refusing=lambda: _no_room_for_sqlite())


def evtx_outlet(folder: Path) -> Outlet:
    path = folder / "events.evtx"

    def read() -> bytes:
        (log,) = open_sources([path])
        return b"".join(json_line(entry) + b"\n" for entry in log.entries())

    return Outlet(EvtxFileSink(path), read, refusing=partial(_disk_full, folder))


@contextmanager
def _no_room_for_sqlite() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def _with_far(sink: Sink, far: DatagramCollector | StreamCollector | Rsyslog | Journald) -> Outlet:
    @contextmanager
    def refusing() -> Iterator[None]:
        far.die()
        try:
            yield
        finally:
            far.come_back()

    return Outlet(sink, far.read, far, refusing, [far.die])


def _syslog(target: str, form: Form | None = None, framing: Framing | None = None) -> SyslogSink:
    return SyslogSink(Target.parse(target), XML, form=form, framing=framing, longest=200_000, patience=PATIENCE)


def local_syslog_outlet(folder: Path) -> Outlet:
    far = DatagramCollector(folder / "log")
    return _with_far(_syslog(str(far.path)), far)


def local_stream_outlet(folder: Path) -> Outlet:
    far = StreamCollector(folder / "log", octets=False)
    return _with_far(_syslog(str(far.path)), far)


def tcp_outlet(_: Path) -> Outlet:
    far = StreamCollector()
    return _with_far(_syslog(f"tcp://127.0.0.1:{far.port}"), far)


def tcp_lines_outlet(_: Path) -> Outlet:
    far = StreamCollector(octets=False)
    return _with_far(_syslog(f"tcp://127.0.0.1:{far.port}", "bsd", "lines"), far)


def tls_outlet(folder: Path) -> Outlet:
    certificates = make_certificates(folder)
    far = StreamCollector(context=certificates.server_context())
    context = partial(tls_context, ca=str(certificates.ca))
    target = Target.parse(f"tls://127.0.0.1:{far.port}")
    sink = SyslogSink(target, JSON, longest=200_000, context=context, patience=PATIENCE)
    return _with_far(sink, far)


def journal_protocol_outlet(folder: Path) -> Outlet:
    far = DatagramCollector(folder / "socket")
    made = _with_far(JournalSink(JSON, folder / "socket", patience=PATIENCE), far)
    made.read = lambda: b"\n".join(message.split(b"\n")[0] for message in list(far.messages))
    return made


def rsyslog_local_outlet(folder: Path) -> Outlet:
    far = Rsyslog(folder)
    return _with_far(_syslog(str(far.socket)), far)


def rsyslog_tcp_outlet(folder: Path) -> Outlet:
    far = Rsyslog(folder)
    return _with_far(_syslog(f"tcp://127.0.0.1:{far.tcp}"), far)


def journald_outlet(folder: Path) -> Outlet:
    far = Journald(folder)
    return _with_far(JournalSink(XML, far.socket, patience=PATIENCE), far)


class Follower:
    """Follows, stalls, leaves, and follows again."""

    def __init__(self, path: Path) -> None:
        self.path, self.data = path, b""
        self.come_back()

    def read(self) -> bytes:
        with suppress(BlockingIOError, OSError):
            while self._reads and (part := self._socket.recv(1 << 20)):
                self.data += part
        return self.data

    def stall(self) -> None:
        self._reads = False

    def resume(self) -> None:
        self._reads = True

    def die(self) -> None:
        self._socket.close()

    def come_back(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(self.path))
        self._socket.setblocking(False)
        self._reads = True


def follow_outlet(folder: Path) -> Outlet:
    sink = FollowSink(folder / "events.sock")
    far = Follower(folder / "events.sock")

    def read() -> bytes:
        sink.flush()
        return far.read()

    return Outlet(sink, read, far, end=[far.die])


OUTLETS: dict[str, Make] = {
    "file": file_outlet,
    "rotating file": rotating_outlet,
    "stream": stream_outlet,
    "terminal": terminal_outlet,
    "store": store_outlet,
    "evtx": evtx_outlet,
    "local syslog": local_syslog_outlet,
    "local syslog stream": local_stream_outlet,
    "syslog tcp": tcp_outlet,
    "syslog tcp lines": tcp_lines_outlet,
    "syslog tls": tls_outlet,
    "journal protocol": journal_protocol_outlet,
    "followers": follow_outlet,
    "rsyslogd local": rsyslog_local_outlet,
    "rsyslogd tcp": rsyslog_tcp_outlet,
    "journald": journald_outlet,
}
_NEAR = ("file", "rotating file", "stream", "terminal", "store", "evtx")
WITH_FAR = [name for name in OUTLETS if name not in _NEAR]
WHOLE = [name for name in OUTLETS if name != "evtx"]  # a record of EVTX has at most 64 KB: tests/sinks/test_evtx.py
REFUSING = [name for name in OUTLETS if name != "followers"]  # they are never refused: nobody needs to listen
