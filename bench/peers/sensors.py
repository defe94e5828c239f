"""The sensors in the guest: each is started as its package means it, told what to log, and asked what it has logged."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bench.peers.processes import end, family

IN = Path("/in")
_PATIENCE = 300  # s of the guest for a sensor to begin
# What all are told to log: execs, exits, files created and removed, both ends of connections.
_AUDIT_RULES = """\
-D
-b 8192
--backlog_wait_time 60000
-f 1
-a always,exit -F arch=b64 -S execve,execveat -k exec
-a always,exit -F arch=b64 -S exit,exit_group -k exit
-a always,exit -F arch=b64 -S openat -F a2&64 -F success=1 -k create
-a always,exit -F arch=b64 -S creat -F success=1 -k create
-a always,exit -F arch=b64 -S unlink,unlinkat -F success=1 -k delete
-a always,exit -F arch=b64 -S connect,accept,accept4 -k connect
"""
_TRACE = """\
tracepoint:sched:sched_process_exec { printf("exec %d %d %s\\n", pid, uid, str(args->filename)); }
tracepoint:sched:sched_process_exit /pid == tid/ { printf("exit %d %s\\n", pid, comm); }
tracepoint:syscalls:sys_enter_openat /args->flags & 64/ {
    printf("create %d %s %s\\n", pid, comm, str(args->filename));
}
tracepoint:syscalls:sys_enter_creat { printf("create %d %s %s\\n", pid, comm, str(args->pathname)); }
tracepoint:syscalls:sys_enter_unlink { printf("delete %d %s %s\\n", pid, comm, str(args->pathname)); }
tracepoint:syscalls:sys_enter_unlinkat { printf("delete %d %s %s\\n", pid, comm, str(args->pathname)); }
tracepoint:sock:inet_sock_set_state /args->newstate == 1/ {
    printf("connect %d %s %d %d\\n", pid, comm, args->sport, args->dport);
}
"""
_KEY = re.compile(rb'key="?(exec|exit|create|delete|connect)"?|"key":"?(exec|exit|create|delete|connect)"')
_WORD = re.compile(rb"^(exec|exit|create|delete|connect) ", re.MULTILINE)
_PACKED = "SELECT shapes.type, sum(rows) FROM {} JOIN shapes ON number = shape GROUP BY shapes.type"
_LOST = re.compile(rb"Lost (\d+) events")


class Sensor(Protocol):
    """Something that observes the whole guest while it is started."""

    name: str

    def start(self) -> None:
        """Begin; returns when it observes."""

    def pids(self) -> list[int]:
        """Its processes."""

    def logged(self) -> dict[str, int]:
        """What its log holds: deeds by kind, and `other`."""

    def lost(self) -> int:
        """What it says itself that it has lost."""

    def stop(self) -> None:
        """End, and leave nothing behind that observes."""


class Counted:
    """The lines of a log by what they tell of; each is read once."""

    def __init__(self, path: Path, pattern: re.Pattern[bytes]) -> None:
        """Nothing is read yet."""
        self.path, self._pattern = path, pattern
        self._at, self._found = 0, dict[str, int]()

    def counts(self) -> dict[str, int]:
        """Of all lines that are whole now."""
        if not self.path.exists():
            return {}
        with self.path.open("rb") as log:
            log.seek(self._at)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._at += len(line)
                if match := self._pattern.search(line):
                    kind = next(group for group in match.groups() if group).decode()
                    self._found[kind] = self._found.get(kind, 0) + 1
        return dict(self._found)


class Nobody:
    """No sensor at all."""

    name = "no sensor"

    def start(self) -> None:
        """Nothing to do."""

    def pids(self) -> list[int]:
        """None."""
        return []

    def logged(self) -> dict[str, int]:
        """Nothing."""
        return {}

    def lost(self) -> int:
        """Nothing."""
        return 0

    def stop(self) -> None:
        """Nothing to do."""


class Pysmon:
    """The resident service with its event log, under a configuration that the host has stored."""

    def __init__(
        self,
        name: str,
        root: Path,
        tables: Mapping[str, str],
        program: Sequence[str] = ("/usr/bin/pysmon",),
        scope: Sequence[str] = (),
    ) -> None:
        """`tables`: by a table of the event log, and by the number of a type of event, the kind of deed told of.
        `scope`: options that limit whom it watches.
        """
        self.name = name
        self._root, self._tables, self._pid = root, tables, 0
        self._program, self._scope = program, scope

    def start(self) -> None:
        """Until it tells its supervisor that it is ready, or ends; no patience in seconds: the guest's clock leaps
        while a disk is waited for.
        """
        place = self._root / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ears, (self._root / "told").open("wb") as told:
            ears.bind(str(place))
            command = [*self._program, "service", "--root", str(self._root), *self._scope]
            environment = os.environ | {"NOTIFY_SOCKET": str(place), "MALLOC_ARENA_MAX": "2"}
            self._pid = subprocess.Popen(command, env=environment, stdout=told, stderr=told).pid
            ended = os.pidfd_open(self._pid)
            try:
                while b"READY=1" not in _heard(ears, ended):
                    pass
            finally:
                os.close(ended)
                place.unlink()

    def pids(self) -> list[int]:
        """The service, and its helper if it has one."""
        return family(self._pid)

    def logged(self) -> dict[str, int]:
        """Entries of the event log: rows by themselves, and many of them as one value (pysmon's store/tables.py)."""
        log = self._root / "var/lib/pysmon/log"
        found = dict.fromkeys(self._tables.values(), 0)
        with contextlib.closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as opened:
            there = {name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            asked = [f"SELECT '{table}', count(*) FROM {table}" for table in there & self._tables.keys()]
            asked += [_PACKED.format(packs) for packs in there if packs.startswith("packs_")]
            for kept, rows in (row for each in asked for row in opened.execute(each)):
                found[self._tables[str(kept)]] += rows
        return found

    def lost(self) -> int:
        """By its status: of all families."""
        command = [*self._program, "status", "--json", "--root", str(self._root)]
        told = json.loads(subprocess.run(command, check=False, capture_output=True).stdout)
        return sum(family["lost"] for family in told["families"])

    def stop(self) -> None:
        """As a supervisor does."""
        end(self._pid)


class Auditd:
    """The audit daemon with equal rules; with `laurel`, its plugin writes the log as JSON instead of the daemon."""

    def __init__(self, *, laurel: bool = False) -> None:
        """Nothing begins yet."""
        self.name = "auditd + laurel" if laurel else "auditd, equal rules"
        self._laurel, self._pid = laurel, 0
        self._log = Counted(Path("/var/log/laurel/audit.log" if laurel else "/var/log/audit/audit.log"), _KEY)

    def start(self) -> None:
        """The daemon first, then the rules; its log is on a file system in memory, and never rotated."""
        settings, plugin = Path("/etc/audit/auditd.conf"), Path("/etc/audit/plugins.d/laurel.conf")
        text = re.sub(r"(?m)^max_log_file_action *=.*", "max_log_file_action = ignore", settings.read_text())
        text = re.sub(r"(?m)^write_logs *=.*", f"write_logs = {'no' if self._laurel else 'yes'}", text)
        settings.write_text(text)
        if plugin.exists():
            active = f"active = {'yes' if self._laurel else 'no'}"
            plugin.write_text(re.sub(r"(?m)^active *=.*", active, plugin.read_text()))
            own = Path("/etc/laurel/config.toml")
            own.write_text(re.sub(r"(?m)^size *=.*", "size = 5000000000", own.read_text()))
        for folder, mode in (("audit", "700"), ("laurel", "755")):
            if not os.path.ismount(place := f"/var/log/{folder}"):
                os.makedirs(place, exist_ok=True)
                owner = "uid=_laurel," if folder == "laurel" and plugin.exists() else ""
                subprocess.run(["mount", "-t", "tmpfs", "-o", f"{owner}mode={mode}", "tmpfs", place], check=True)
        rules = Path("/tmp/audit.rules")
        rules.write_text(_AUDIT_RULES)
        self._pid = subprocess.Popen(["/sbin/auditd", "-n"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid
        _wait(lambda: b"pid " + str(self._pid).encode() in _told("auditctl", "-s"), "auditd does not begin")
        _told("auditctl", "-R", str(rules))

    def pids(self) -> list[int]:
        """The daemon and its plugin."""
        return family(self._pid)

    def logged(self) -> dict[str, int]:
        """Records with the keys of our rules."""
        return self._log.counts()

    def lost(self) -> int:
        """By the kernel's own account."""
        found = re.search(rb"^lost (\d+)", _told("auditctl", "-s"), re.MULTILINE)
        return int(found[1]) if found else 0

    def stop(self) -> None:
        """No rules any more, and no auditing."""
        _told("auditctl", "-D")
        _told("auditctl", "-e", "0")
        end(self._pid)


class Bpftrace:
    """A script that prints a line for each."""

    name = "bpftrace, lines of text"

    def __init__(self) -> None:
        """Nothing begins yet."""
        self._log, self._pid = Counted(Path("/tmp/bpftrace.log"), _WORD), 0
        self._told = Path("/tmp/bpftrace.told")

    def start(self) -> None:
        """Until the kernel has all its programs; attaching them takes it no time that counts."""
        command = ["bpftrace", "-B", "line", "-e", _TRACE]
        with self._log.path.open("wb") as lines, self._told.open("wb") as told:
            self._pid = subprocess.Popen(command, stdout=lines, stderr=told).pid
        _wait(self._attached, "bpftrace does not begin")

    def _attached(self) -> bool:
        links = [path for path in Path(f"/proc/{self._pid}/fdinfo").iterdir() if "prog_id" in path.read_text()]
        return len(links) >= _TRACE.count("tracepoint:")

    def pids(self) -> list[int]:
        """One."""
        return [self._pid]

    def logged(self) -> dict[str, int]:
        """Lines."""
        return self._log.counts()

    def lost(self) -> int:
        """What it printed of that."""
        texts = [path.read_bytes() for path in (self._log.path, self._told)]
        return sum(int(number) for text in texts for number in _LOST.findall(text))

    def stop(self) -> None:
        """As Ctrl-C does."""
        end(self._pid)


def _heard(ears: socket.socket, ended: int) -> bytes:
    ready, _, _ = select.select([ears.fileno(), ended], [], [])
    if ears.fileno() not in ready:
        raise ChildProcessError("it ended before it was ready")
    return ears.recv(4096)


def _told(*command: str) -> bytes:
    return subprocess.run(command, check=False, capture_output=True).stdout


def _wait(condition: Callable[[], bool], trouble: str) -> None:
    until = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(trouble)
        time.sleep(0.2)
