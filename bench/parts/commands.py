"""Whole commands as a user runs them: how long they take on the clock and of the processor, and how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.parts.configurations import ROOT

_LAUNCH = """
import os, resource, subprocess, sys, time
begun = time.perf_counter()
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wall, used = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
"""  # by a small process: what a child has used at most begins with what its parent uses
PEER = ("sysmon-utils==0.1.2", "click<8.2")  # with a newer click it does not start
_HINDERING = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")  # an installed pysmon has its modules compiled
_QUIET = subprocess.DEVNULL


@dataclass(frozen=True)
class Run:
    """One run of a command."""

    wall: float  # seconds
    processor: float  # seconds, of all its processes
    memory: int  # bytes, of the largest of its processes


def run(*command: object) -> Run:
    """Run a command to its end; SystemExit if it fails."""
    words = [str(word) for word in command]
    environment = {name: value for name, value in os.environ.items() if name not in _HINDERING}
    environment["PYTHONPATH"] = str(ROOT / "src")
    launched = [sys.executable, "-S", "-c", _LAUNCH, *words]
    told = subprocess.run(launched, stdout=subprocess.PIPE, check=True, env=environment, text=True).stdout
    status, wall, processor, memory = told.split()
    if status != "0":
        raise SystemExit(f"{' '.join(words)} failed: {status}")
    return Run(float(wall), float(processor), int(memory))


def pysmon(*words: object) -> Run:
    """Run a command of pysmon."""
    return run(sys.executable, "-m", "pysmon", *words)


def rates(runs: Sequence[Run], events: int) -> tuple[str, str]:
    """Events a second: on the clock with its range, and of the processor."""
    wall = sorted(events / each.wall for each in runs)
    return f"{median(wall):,.0f} ({wall[0]:,.0f}-{wall[-1]:,.0f})", f"{median(events / r.processor for r in runs):,.0f}"


def largest(runs: Sequence[Run]) -> str:
    """The memory of the largest process of all runs."""
    return f"{max(run.memory for run in runs) / 1e6:.0f} MB"


def sysmon_utils(home: Path) -> Path | None:
    """The program of the package sysmon-utils, in an environment of its own in that folder; None if it cannot be had.

    It is installed once: the next benchmark finds it there.
    """
    program = home / "bin" / "sysmon_utils"
    if program.exists():
        return program
    try:
        for command in ((sys.executable, "-m", "venv", str(home)), (str(home / "bin" / "pip"), "install", *PEER)):
            subprocess.run(command, check=True, stdout=_QUIET, stderr=_QUIET)
    except (OSError, subprocess.CalledProcessError):
        return None
    return program
