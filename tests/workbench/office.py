"""A made-up log of two days at an office machine, in flat JSON: `examples/replay/office.json` is what this makes.

python -m tests.workbench.office > examples/replay/office.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import count
from typing import Any

AGENT = "C:\\Program Files\\Backup\\agent.exe"
BROWSER = "C:\\Program Files\\Browser\\browser.exe"
SHELL = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
CONSOLE = "C:\\Windows\\System32\\conhost.exe"
LOADER = "C:\\Program Files\\Backup\\cache\\update.exe"
Row = dict[str, Any]


def log() -> bytes:
    """The whole log, a line for each event."""
    return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in _numbered())


def _numbered() -> Iterator[Row]:
    number = count(1)
    for day in (2, 3):
        for time, event_id, fields in sorted(_day(day), key=lambda event: event[0]):
            stamp = f"2026-03-{day:02} {time}"
            yield {
                "SourceName": "Microsoft-Windows-Sysmon",
                "Channel": "Microsoft-Windows-Sysmon/Operational",
                "Hostname": "OFFICE-7.example",
                "EventID": event_id,
                "RecordNumber": next(number),
                "TimeCreated": f"{stamp.replace(' ', 'T')}Z",
                "RuleName": "-",
                "UtcTime": stamp,
                **fields,
            }


def _day(day: int) -> Iterator[tuple[str, int, Row]]:
    for hour in range(8, 18):
        for minute in (5, 25, 45):
            pid = 4000 + 10 * hour + minute // 20
            yield _at(hour, minute, 0), 1, _started(AGENT, f'"{AGENT}" --sync', pid, "NT AUTHORITY\\SYSTEM")
            yield (
                _at(hour, minute, 1),
                1,
                _started(CONSOLE, f"\\??\\{CONSOLE} 0xffffffff", pid + 1, "NT AUTHORITY\\SYSTEM"),
            )
            yield (
                _at(hour, minute, 2),
                22,
                {**_by(AGENT, pid), "QueryName": "backup.office.example", "QueryStatus": "0"},
            )
            yield _at(hour, minute, 3), 3, _connected(AGENT, pid, "10.0.0.5", "443")
        yield _at(hour, 12, 0), 22, {**_by(BROWSER, 2200), "QueryName": f"news{hour}.example.org", "QueryStatus": "0"}
        yield _at(hour, 12, 1), 3, _connected(BROWSER, 2200, "203.0.113.80", "443")
        yield _at(hour, 31, 0), 11, {**_by(AGENT, 1800), "TargetFilename": f"C:\\Backup\\{day:02}-{hour}.idx"}
    if day == 3:
        yield from _intrusion()


def _intrusion() -> Iterator[tuple[str, int, Row]]:
    hidden = "powershell -nop -w hidden -enc SQBFAFgA"
    yield _at(14, 2, 0), 11, {**_by(BROWSER, 2200), "TargetFilename": "C:\\Users\\ann\\Downloads\\invoice.exe"}
    yield _at(14, 3, 0), 1, _started("C:\\Users\\ann\\Downloads\\invoice.exe", "invoice.exe", 5120, "OFFICE\\ann")
    yield _at(14, 3, 1), 1, _started(SHELL, hidden, 5124, "OFFICE\\ann")
    yield _at(14, 3, 2), 3, _connected(SHELL, 5124, "198.51.100.7", "4444")
    yield _at(14, 3, 9), 11, {**_by(SHELL, 5124), "TargetFilename": LOADER}
    yield _at(14, 4, 0), 1, _started(LOADER, f'"{LOADER}" -k', 5130, "NT AUTHORITY\\SYSTEM")
    yield _at(14, 4, 2), 3, _connected(LOADER, 5130, "198.51.100.7", "443")


def _at(hour: int, minute: int, second: int) -> str:
    return f"{hour:02}:{minute:02}:{second:02}.{(hour * minute) % 1000:03}"


def _by(image: str, pid: int) -> Row:
    return {"ProcessGuid": f"{{0a0b0c0d-0000-6700-{pid:04}-000000000000}}", "ProcessId": str(pid), "Image": image}


def _started(image: str, command_line: str, pid: int, user: str) -> Row:
    parent = {"ParentProcessId": "900", "ParentImage": "C:\\Windows\\System32\\services.exe"}
    return {**_by(image, pid), "CommandLine": command_line, "User": user, **parent}


def _connected(image: str, pid: int, address: str, port: str) -> Row:
    ends = {"SourceIp": "10.0.0.17", "DestinationIp": address, "DestinationPort": port}
    return {**_by(image, pid), "Protocol": "tcp", "Initiated": "true", **ends}


if __name__ == "__main__":
    sys.stdout.buffer.write(log())
