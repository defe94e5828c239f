"""One run of a workload, alone or under the sensor, and what it cost.

The sensor's cost is the processor time of its process between two moments: when the workload, held until then, is let
go, and when the sensor's process has ended (a process that nobody has waited for yet still has its clock). Loading and
the snapshot come before; the end of a run without work is measured too (`files(0)`), and taken off by who asks.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.parts.programs import Cost, costs
from bench.parts.workload import Workload

EVERYTHING = Path(__file__).parents[2] / "examples" / "everything.xml"
_MARKS = {"xml": "<EventID>%d</EventID>", "json": '"EventID":%d,', "text": "%5d %s  "}
_NAMES = {1: "ProcessCreate", 5: "ProcessTerminate", 11: "FileCreate", 23: "FileDelete"}
_RECORDS = re.compile(r"^(process|network|file create|file delete) +\d+ +\d+ +\d+ +\d+ +(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Alone:
    """What the workload itself took, in microseconds, with its children."""

    wall: int
    user: int
    system: int

    @property
    def cpu(self) -> int:
        """Processor time."""
        return self.user + self.system


@dataclass(frozen=True, slots=True)
class Watched:
    """The same workload under the sensor."""

    workload: Alone
    cpu: float  # s, of the sensor's process
    system: float  # the share of it that was spent in the kernel, 0 to 1
    peak: int  # KiB, the most memory that it had resident
    programs: dict[str, Cost]  # the kernel programs, while they were counted
    logged: dict[int, int]  # lines of the log by event id
    lost: int  # records that the sensor says were lost
    size: int  # bytes of the log
    told: str  # what it said at its end


class NotMeasuredError(Exception):
    """The sensor does not run here; the message is its own."""


def alone(workload: Workload) -> Alone:
    """Run it without a sensor."""
    with _started(workload.command) as process:
        _expect(process, "ready")
        took = _released(process)
        _let_go(process)
        process.wait()
    return took


def watched(workload: Workload, form: str, folder: Path, configuration: Path = EVERYTHING) -> Watched:
    """Run it under the sensor, which logs what the configuration keeps of its process tree to a file."""
    log = folder / f"log.{form}"
    log.unlink(missing_ok=True)
    sensor = (sys.executable, "-m", "pysmon", "run", "-c", str(configuration), "--format", form, "-o", str(log), "--")
    with _started((*sensor, *workload.command)) as process:
        _expect(process, "ready")
        programs, ticks, clock = costs(process.pid), _ticks(process.pid), _clock(process.pid)
        took = _released(process)
        after = costs(process.pid)
        _let_go(process)
        peak = _peak(process.pid)
        clock, (user, system) = _clock(process.pid) - clock, _less(_ticks(process.pid), ticks)
        told = process.stderr.read() if process.stderr else ""
        if process.wait():
            raise NotMeasuredError(told.strip())
    return Watched(
        workload=took,
        cpu=clock,
        system=system / max(user + system, 1),
        peak=peak,
        programs={n: Cost(c.runs - programs[n].runs, c.ns - programs[n].ns) for n, c in after.items()},
        logged=logged(log, form, workload.expected),
        lost=sum(int(lost) for _, lost in _RECORDS.findall(told)),
        size=log.stat().st_size,
        told=told,
    )


def _started(command: Sequence[str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def _expect(process: subprocess.Popen[str], word: str) -> list[str]:
    line = process.stdout.readline().split() if process.stdout else []
    if line[:1] != [word]:
        raise NotMeasuredError(process.communicate()[1].strip())
    return line[1:]


def _let_go(process: subprocess.Popen[str]) -> None:
    if process.stdin:
        process.stdin.write("\n")
        process.stdin.flush()


def _released(process: subprocess.Popen[str]) -> Alone:
    _let_go(process)
    return Alone(*map(int, _expect(process, "done")))


def _peak(pid: int) -> int:
    """Wait until the process has ended, but leave it to be waited for; the most memory that it had (VmHWM)."""
    peak = 0
    while True:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = int(line.split()[1])
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return peak
        time.sleep(0.02)


def _clock(pid: int) -> float:
    """Processor time of all threads of a process: its clock as clock_getcpuclockid(3) names it."""
    return time.clock_gettime((~pid << 3) | 2)


def _ticks(pid: int) -> tuple[int, int]:
    """User and system time in clock ticks: too coarse but for their proportion."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]), int(fields[12])


def _less(now: tuple[int, int], then: tuple[int, int]) -> tuple[int, int]:
    return now[0] - then[0], now[1] - then[1]


def logged(log: Path, form: str, ids: dict[int, int]) -> dict[int, int]:
    """How many lines of the log are events of these ids."""
    marks = {i: _MARKS[form] % ((i, _NAMES[i]) if form == "text" else i) for i in ids}
    found = dict.fromkeys(ids, 0)
    with log.open("rb") as lines:
        for line in lines:
            head = line[:220]
            for i, mark in marks.items():
                found[i] += mark.encode() in head
    return found
