"""A made-up day of a busy machine, as entries: builds, services, shells, downloads, and one intrusion among them.

What repeats on a real machine repeats here (programs, users, folders, peers, control groups), and what does not does
not: file names, ports, two command lines in five.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from pysmon.schema.catalogue import (
    DnsQuery,
    FileCreate,
    FileDeleteDetected,
    NetworkConnect,
    ProcessCreate,
    ProcessTerminate,
)
from pysmon.schema.entry import Entry, Origin
from pysmon.schema.event import Event
from pysmon.store.values import time_of_column

START = 1_795_000_000_000  # ms since 1970
STEP = 86  # ms between two entries: a million make a day
DOMAIN, ADDRESS, FILE = "cdn.evil.example", "203.0.113.66", "/srv/cache/.x/dropper.bin"
DIGEST = "5E8F1D0C" * 8
_ORIGIN = Origin("bench", 1, 1, 0)
_NAMES = ("bash", "dash", "gcc", "cc1", "as", "ld", "make", "sed", "grep", "python3.11", "git", "curl", "ssh", "tar")
_PROGRAMS = [f"/usr/bin/{name}" for name in _NAMES]
_USERS = ["root", "builder", "www-data", "alice"]
_UNITS = ["ssh.service", "cron.service", "nginx.service", "user@1000.service", "build.scope"]
_HASHES = {program: f"SHA256={random.Random(program).randbytes(32).hex().upper()}" for program in _PROGRAMS}


class Day:
    """Makes the entries, always the same for a seed."""

    def __init__(self, seed: int = 1) -> None:
        """Begin with one process that is the ancestor of all."""
        self._dice = random.Random(seed)
        self.first = self._guid(0)
        self.living = [(self.first, 1, "/usr/lib/systemd/systemd", "root", "/sbin/init")]

    def entries(self, count: int) -> Iterator[Entry[Event]]:
        """That many entries; the intrusion is at a third of them."""
        for number in range(1, count + 1):
            at = START + number * STEP
            event = self._evil(number - count // 3, at) or self._any(number, at)
            yield Entry(number, at * 1_000_000 + self._dice.randrange(1_000_000), event, _ORIGIN)

    def _any(self, number: int, at: int) -> Event:
        dice, when = self._dice, time_of_column(at)
        kind = dice.random()
        if kind < 0.15 or len(self.living) < 20:
            return self._create(number, when)
        place = dice.randrange(1, len(self.living))
        guid, pid, image, user, _ = self.living[place]
        of: dict[str, Any] = {"UtcTime": when, "ProcessGuid": guid, "ProcessId": pid, "Image": image, "User": user}
        unit = _UNITS[pid % 5]
        extra: dict[str, object] = {"Unit": unit, "CgroupPath": f"/system.slice/{unit}"}
        if kind < 0.30:
            self.living[place] = self.living[-1]
            self.living.pop()
            return ProcessTerminate(**of, extra={"ExitCode": 0, **extra})
        if kind < 0.42:
            return self._connect(of, extra)
        if kind < 0.47:
            name = f"host{dice.randrange(300)}.example.net"
            return DnsQuery(
                **of, QueryName=name, QueryStatus="0", QueryResults=f"::ffff:192.0.2.{dice.randrange(250)};"
            )
        file = f"/home/{user}/src/build-{dice.randrange(40)}/obj/{dice.getrandbits(48):012x}.o"
        if kind < 0.85:
            extra |= {"How": "created", "Mode": "0644"}
            return FileCreate(**of, TargetFilename=file, CreationUtcTime=when, extra=extra)
        return FileDeleteDetected(**of, TargetFilename=file, extra={"LinksLeft": 0, **extra})

    def _create(self, number: int, when: str, **values: str) -> ProcessCreate:
        dice = self._dice
        parent = dice.choice(self.living[-50:])
        image, user = dice.choice(_PROGRAMS), dice.choice(_USERS)
        unique = dice.random() < 0.4
        command = f"{image[9:]} -O2 -c part{number if unique else dice.randrange(500)}.c -o /tmp/obj -I/usr/include"
        made = {"Image": image, "User": user, "CommandLine": command, "Hashes": _HASHES[image]} | values
        guid, pid = self._guid(number), 1000 + number % 30000
        if len(self.living) < 400:
            self.living.append((guid, pid, made["Image"], made["User"], made["CommandLine"]))
        return ProcessCreate(
            UtcTime=when,
            ProcessGuid=guid,
            ProcessId=pid,
            CurrentDirectory=f"/home/{user}/src/build-{dice.randrange(40)}",
            LogonGuid="{b635b3db-0000-0000-0000-000000000000}",
            LogonId="1000",
            TerminalSessionId=3,
            IntegrityLevel="no level",
            ParentProcessGuid=parent[0],
            ParentProcessId=parent[1],
            ParentImage=parent[2],
            ParentUser=parent[3],
            ParentCommandLine=parent[4],
            extra={"PidNamespace": 4026531836, "MountNamespace": 4026531841, "Unit": _UNITS[pid % 5]},
            **made,
        )

    def _connect(self, of: dict[str, Any], extra: dict[str, object], address: str = "") -> NetworkConnect:
        dice = self._dice
        return NetworkConnect(
            **of,
            Protocol="tcp",
            Initiated=True,
            SourceIsIpv6=False,
            SourceIp="192.0.2.10",
            SourcePort=dice.randrange(32768, 61000),
            DestinationIsIpv6=False,
            DestinationIp=address or f"198.51.100.{dice.randrange(250)}",
            DestinationPort=443,
            extra=extra,
        )

    def _evil(self, step: int, at: int) -> Event | None:
        if step not in range(4):
            return None
        when = time_of_column(at)
        if step == 0:
            self._culprit = self._create(
                666, when, Image=FILE, CommandLine=f"{FILE} --quiet", Hashes=f"SHA256={DIGEST}"
            )
            return self._culprit
        who = self._culprit
        of: dict[str, Any] = {
            "UtcTime": when,
            "ProcessGuid": who.ProcessGuid,
            "ProcessId": who.ProcessId,
            "Image": FILE,
            "User": who.User,
        }
        if step == 1:
            return DnsQuery(**of, QueryName=DOMAIN, QueryStatus="0", QueryResults=f"::ffff:{ADDRESS};")
        if step == 2:
            return self._connect(of, {}, ADDRESS)
        return FileCreate(**of, TargetFilename=FILE, CreationUtcTime=when)

    def _guid(self, number: int) -> str:
        return f"{{b635b3db-{number >> 16:04x}-{number & 0xFFFF:04x}-0100-{number:012x}}}"
