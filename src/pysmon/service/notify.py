"""Tells the service manager how the service is doing (sd_notify), where there is one that wants to know."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from pysmon.formats.visible import visible

_WATCHED = 0.3  # of the watchdog's time between two signs of life: two may be late


class Notifier:
    """Speaks to the socket that the manager named; without one it says nothing.

    Source: systemd's sd_notify(3) and sd_watchdog_enabled(3).
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        named = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + named[1:] if named.startswith("@") else named
        usec, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
        meant = not pid or pid == str(os.getpid())
        self.every: float | None = int(usec) / 1e6 * _WATCHED if usec.isdigit() and meant else None  # s between `alive`
        self._next = 0.0

    def starting(self, seconds: int) -> None:
        """The service is still at it and may need so long from now on; the manager has patience for that."""
        self._say(f"EXTEND_TIMEOUT_USEC={seconds * 1_000_000}\nSTATUS=starting")

    def ready(self, status: str) -> None:
        """The service works; `status` is a line for people."""
        self._say(f"READY=1\nSTATUS={visible(status)}\nMAINPID={os.getpid()}")

    def stopping(self) -> None:
        """The service begins to end."""
        self._say("STOPPING=1\nSTATUS=stopping")

    def status(self, status: str) -> None:
        """Another line for people."""
        self._say(f"STATUS={visible(status)}")

    def alive(self, now: float) -> None:
        """The main loop goes round; `now` is in seconds of a clock that only goes forward. Call it often."""
        if self.every is not None and now >= self._next:
            self._next = now + self.every
            self._say("WATCHDOG=1")

    def _say(self, text: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as told:
            told.setblocking(False)  # a manager that is stuck must not hold us up
            try:
                told.sendto(text.encode(), self._address)
            except OSError:
                return  # a manager that does not listen is none: there is nobody to tell
