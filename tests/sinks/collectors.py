"""Collectors for the tests of outputs: they take datagrams or framed streams, stop reading, die and come back."""

from __future__ import annotations

import array
import os
import re
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

_SHORT = 0.02  # s between looks at whether it is over


class Collector(ABC):
    """Something that messages are sent to. `messages` are those that came whole, in order."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self._reads = threading.Event()
        self._reads.set()
        self._end = threading.Event()
        self._threads: list[threading.Thread] = []

    def read(self) -> bytes:
        return b"\n".join(self.messages)

    def stall(self) -> None:
        """Read nothing."""
        self._reads.clear()

    def resume(self) -> None:
        self._reads.set()

    def die(self) -> None:
        """Close everything; what was not read is gone."""
        self._end.set()
        self._reads.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def come_back(self) -> None:
        self._end.clear()
        self.start()

    @abstractmethod
    def start(self) -> None:
        """Take messages."""

    def _run(self, work: threading.Thread) -> None:
        self._threads.append(work)
        work.start()

    def _goes_on(self) -> bool:
        while not self._reads.wait(_SHORT):
            if self._end.is_set():
                return False
        return not self._end.is_set()


class DatagramCollector(Collector):
    """On a local socket, or by UDP if there is no path. Of content that comes as a file, the file is read."""

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        self.path, self.port = path, 0
        self.start()

    def start(self) -> None:
        made = socket.socket(socket.AF_UNIX if self.path else socket.AF_INET, socket.SOCK_DGRAM)
        if self.path:
            made.bind(str(self.path))
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            made.bind(("127.0.0.1", self.port))
            self.port = made.getsockname()[1]
        made.settimeout(_SHORT)
        self._run(threading.Thread(target=self._take, args=(made,), daemon=True))

    def _take(self, ready: socket.socket) -> None:
        with ready:
            while self._goes_on():
                with suppress(TimeoutError):
                    data, ancillary, _, _ = ready.recvmsg(1 << 20, socket.CMSG_SPACE(4))
                    self.messages.append(_content_of(ancillary) if ancillary else data)
            if self.path:
                self.path.unlink()


def _content_of(ancillary: list[tuple[int, int, bytes]]) -> bytes:
    (fd,) = array.array("i", ancillary[0][2])
    try:
        return os.pread(fd, os.fstat(fd).st_size, 0)
    finally:
        os.close(fd)


class StreamCollector(Collector):
    """On a local socket, or by TCP or TLS if there is no path. Messages are framed by their length or by newlines."""

    def __init__(self, path: Path | None = None, context: ssl.SSLContext | None = None, *, octets: bool = True) -> None:
        super().__init__()
        self.path, self.port, self._context, self._octets = path, 0, context, octets
        self.torn: list[bytes] = []  # what connections ended with
        self.connections = 0
        self.start()

    def start(self) -> None:
        made = socket.socket(socket.AF_UNIX if self.path else socket.AF_INET, socket.SOCK_STREAM)
        if self.path:
            self.path.unlink(missing_ok=True)
            made.bind(str(self.path))
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            made.bind(("127.0.0.1", self.port))
            self.port = made.getsockname()[1]
        made.listen()
        made.settimeout(_SHORT)
        self._run(threading.Thread(target=self._welcome, args=(made,), daemon=True))

    def _welcome(self, listener: socket.socket) -> None:
        with listener:
            while self._goes_on():
                with suppress(TimeoutError):
                    ready, _ = listener.accept()
                    self.connections += 1
                    self._run(threading.Thread(target=self._take, args=(ready,), daemon=True))

    def _take(self, ready: socket.socket) -> None:
        data = b""
        with suppress(OSError), ready:
            ready.settimeout(5.0)
            if self._context:
                ready = self._context.wrap_socket(ready, server_side=True)
            ready.settimeout(_SHORT)
            while self._goes_on():
                with suppress(TimeoutError):
                    part = ready.recv(65536)
                    if not part:
                        break
                    data = self._cut(data + part)
            ready.close()
        self.torn.append(data)

    def _cut(self, data: bytes) -> bytes:
        while True:
            if not self._octets:
                line, newline, rest = data.partition(b"\n")
                if not newline:
                    return data
                self.messages.append(line)
            else:
                head = re.match(rb"(\d+) ", data)
                if not head or len(data) < head.end() + int(head[1]):
                    return data
                self.messages.append(data[head.end() : head.end() + int(head[1])])
                rest = data[head.end() + int(head[1]) :]
            data = rest
