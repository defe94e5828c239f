"""What a command loads before it begins: no more than it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.conftest import ROOT

DEAR = ("http", "ssl", "email", "pysmon.sensor", "pysmon.service", "pysmon.pipeline.lane")


LATER = ("pysmon.assemble", "pysmon.rules", "pysmon.schema", "pysmon.store", "pysmon.formats.frame")


@pytest.mark.parametrize("command", ["replay", "check", "find", "timeline"])
def test_a_command_that_reads_files_loads_neither_the_service_nor_the_network(command: str) -> None:
    loaded = loaded_by(f"pysmon.cli.{command}")
    assert f"pysmon.cli.{command}" in loaded
    assert [name for name in loaded if name in DEAR] == []


def test_the_service_sees_processes_before_it_loads_what_makes_events_of_them() -> None:
    loaded = loaded_by("pysmon.cli.service")
    assert "pysmon.sensor.kernel" in loaded
    assert [name for name in loaded if name.startswith(LATER)] == []


def loaded_by(module: str) -> list[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True)
    return told.stdout.decode().split()
