"""Calling pysmon in a test: in this process, or as a process of its own where signals and pipes matter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.assemble.stage import BOOT, CHILD, SHELL, ended, execute, leave
from tests.conftest import ROOT

from pysmon.__main__ import main
from pysmon.errors import SensorError
from pysmon.sensor.rights import check_rights
from pysmon.sensor.tape import TapeWriter

GOOD = '<Sysmon schemaversion="4.90"><EventFiltering><ProcessCreate onmatch="exclude"/></EventFiltering></Sysmon>\n'
BAD = GOOD.replace("/></", "><Imagine>x</Imagine></ProcessCreate></")
PROGRAM = (sys.executable, "-m", "pysmon")


class Answer(NamedTuple):
    """What came of a call."""

    code: int
    out: str
    err: str


class Caller:
    """Calls pysmon in this process."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def __call__(self, *arguments: object) -> Answer:
        self._captured.readouterr()
        code = main([str(argument) for argument in arguments])
        return Answer(code, *self._captured.readouterr())


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def spawned(*arguments: object, stdin: bytes = b"") -> Answer:
    """Call pysmon as a process of its own."""
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, env=environment(), timeout=60, check=False
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def tape(path: Path, commands: int = 1) -> Path:
    """A tape of programs that a shell ran one after the other: `true 0`, `true 1` ..."""
    with TapeWriter(path) as writer:
        writer.facts(machine_id=1, boot_id=2, boot_time=BOOT, clock_offset=BOOT, computer="vm", users={"0": "root"})
        for number in range(commands):
            writer.record(execute(CHILD, "/usr/bin/true", b"true\0" + ended(str(number)), by=SHELL).encode())
            writer.record(leave(CHILD).encode())
    return path


def need_sensor() -> None:
    """Skip the test where the sensor cannot run."""
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"the sensor cannot run here: {error}")
