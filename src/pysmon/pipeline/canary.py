"""The canary: a harmless process of our own that does a little of everything, to prove that the sensor sees it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pysmon.layout.record import Record
from pysmon.pipeline.command import HeldCommand
from pysmon.sensor.records import (
    LINKED,
    OPENED,
    RENAMED,
    BriefExecRecord,
    ExecRecord,
    ExitRecord,
    FileCreateRecord,
    FileDeleteRecord,
    FlowRecord,
    LookUpRecord,
)

WITHIN = 1.0  # s after its end in which everything must have come, if the reader keeps up
BEHIND = 60.0  # s that a reader may lag behind; after that nothing is proved
PATIENCE = 10.0  # s for it to end: a machine that boots is slow
_HOW = {OPENED: "files created", RENAMED: "files renamed", LINKED: "files linked"}
_FLOWS = {
    (6, 1): "TCP connected",
    (6, 0): "TCP accepted",
    (17, 1): "UDP sent",
    (17, 0): "UDP received",
}
PROVES = frozenset({"processes", "files deleted", "names looked up", *_HOW.values(), *_FLOWS.values()})
_DEEDS = """
import os, socket, sys, tempfile
with tempfile.TemporaryDirectory(prefix="canary-", dir=sys.argv[1]) as folder:
    os.chdir(folder)
    os.close(os.open("first", os.O_CREAT | os.O_WRONLY))
    os.rename("first", "second")
    os.link("second", "third")
    os.unlink("third")
with socket.socket() as server, socket.socket() as client:
    server.bind(("127.0.0.1", 0))
    server.listen()
    client.connect(server.getsockname())
    server.accept()[0].close()
kind = socket.SOCK_DGRAM
with socket.socket(type=kind) as server, socket.socket(type=kind) as client:
    server.bind(("127.0.0.1", 0))
    client.sendto(b"canary", server.getsockname())
    server.recvfrom(16)
socket.getaddrinfo("127.0.0.1", 0)  # asks nobody, and is told by the kernel all the same
"""


@dataclass(frozen=True, slots=True)
class Sight:
    """What came of a canary, by the names of the sensor's abilities."""

    seen: frozenset[str]
    blind: frozenset[str]  # what it did and the sensor did not tell within the time
    ended: bool  # whether it came to its end, and in time; if not, what is blind says nothing

    def __str__(self) -> str:
        """One line for people."""
        if not self.ended:
            return "the canary failed: what the sensor sees is not proved"
        return f"blind for: {', '.join(sorted(self.blind))}" if self.blind else "sees its own canary"


UNPROVED = Sight(frozenset(), frozenset(), ended=False)


class Canary:
    """One run of it. Held until `release`, so that the sensor can be told whom to watch."""

    def __init__(self, folder: Path, expected: Iterable[str], *, patience: float = PATIENCE) -> None:
        """`folder` is where it makes and removes a file; `expected` are the abilities that should tell of it.

        `patience`: s that it has to come to its end. OSError or MisuseError if no process can be started.
        """
        self._expected, self._patience = PROVES & frozenset(expected), patience
        self._seen: set[str] = set()
        self._command = HeldCommand([sys.executable, "-I", "-S", "-c", _DEEDS, str(folder)])
        self._began = 0.0
        self._ended: float | None = None
        self._lagged = 0.0  # when the reader was last behind
        self._last_came = False  # the record of its end
        self._start = 0  # of its process, ns since boot; 0 until a record tells
        self.pid = self.number = self._command.pid  # `number` is what records call it

    def release(self, now: float, number: int | None = None) -> None:
        """Let it fly; `now` is in seconds of a clock that only goes forward.

        `number` is what records call it, if that is not `pid`.
        """
        self._began = now
        self.number = self.pid if number is None else number
        self._command.release()

    def owns(self, record: Record) -> bool:
        """Is the record about the canary? Then it is noted, and is nobody else's business."""
        if record.tgid != self.number or self._start not in (0, record.start):
            return False
        self._start = record.start
        name = _ability(record)
        if name:
            self._seen.add(name)
        self._last_came = self._last_came or isinstance(record, ExitRecord)
        return True

    def result(self, now: float, *, behind: bool = False) -> Sight | None:
        """What came of it; None while more may come, as it may while the reader of the records is `behind`."""
        if self._ended is None:
            if not self._command.poll():
                return None if now < self._began + self._patience else self._sight(ended=False)
            self._ended = now
        if self._command.status:
            return self._sight(ended=False)
        if self._last_came and self._expected <= self._seen:
            return self._sight(ended=True)
        if behind:  # what is missing may stand in the rings
            self._lagged = now
            return self._sight(ended=False) if now >= self._ended + BEHIND else None
        return self._sight(ended=True) if now >= max(self._ended, self._lagged) + WITHIN else None

    def stop(self) -> None:
        """End it if it still runs."""
        self._command.stop()
        self._command.poll()

    def _sight(self, *, ended: bool) -> Sight:
        return Sight(frozenset(self._seen), self._expected - self._seen, ended)


def _ability(record: Record) -> str:
    if isinstance(record, (ExecRecord, BriefExecRecord, ExitRecord)):
        return "processes"
    if isinstance(record, FlowRecord):
        return _FLOWS.get((record.protocol, record.initiated), "")
    if isinstance(record, FileCreateRecord):
        return _HOW.get(record.how, "")
    if isinstance(record, LookUpRecord):
        return "names looked up"
    return "files deleted" if isinstance(record, FileDeleteRecord) else ""
