"""A service of our own making behind a real control socket, and raw connections to it."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.service.sample import HEALTHY

from pysmon.config.problems import Problem
from pysmon.errors import PysmonError
from pysmon.service.status import Status
from pysmon.service.wire import ConfigurationInUse


class FakeControls:
    """Remembers what it was told. A configuration that begins with `bad` has an error, with `odd` a warning."""

    def __init__(self, status: Status = HEALTHY) -> None:
        self.current = status
        self.own = ConfigurationInUse("", "", b"")
        self.problems: tuple[Problem, ...] = ()
        self.calls: list[str] = []
        self.strangers: list[tuple[int, int]] = []
        self.failure: Exception | None = None

    def status(self) -> Status:
        self._called("status")
        return self.current

    def configuration(self) -> ConfigurationInUse:
        return self.own

    def reconfigure(self, data: bytes, name: str) -> tuple[Problem, ...]:
        self._called("reconfigure")
        if not any(p.severity == "error" for p in self.problems):
            self.own = ConfigurationInUse(name, "ab" * 32, data)
        return self.problems

    def reset(self) -> None:
        self._called("reset")
        self.own = ConfigurationInUse("", "", b"")

    def reopen(self) -> None:
        self._called("reopen")

    def refused(self, uid: int, pid: int) -> None:
        self.strangers.append((uid, pid))
        if self.failure:
            raise self.failure

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.failure:
            raise self.failure


class TroubleError(PysmonError):
    """Something that a caller can act on."""


def connected(path: Path) -> socket.socket:
    """A connection to it."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(30)
    made.connect(str(path))
    return made


def exchange(path: Path, request: bytes) -> bytes:
    """Send the request at once, for the answer may come before its last byte, and read all that comes back."""
    with connected(path) as connection:
        connection.sendall(request)
        return rest_of(connection)


def rest_of(connection: socket.socket) -> bytes:
    """All that comes until the other end closes."""
    found = b""
    while data := connection.recv(1 << 16):
        found += data
    return found
