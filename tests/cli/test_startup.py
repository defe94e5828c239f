"""What a command loads before it begins: no more than it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.conftest import ROOT

DEAR = ("http", "ssl", "email", "pysmon.sensor", "pysmon.service", "pysmon.pipeline.lane")


@pytest.mark.parametrize("command", ["replay", "check", "find", "timeline"])
def test_a_command_that_reads_files_loads_neither_the_service_nor_the_network(command: str) -> None:
    code = f"import sys, pysmon.cli.{command}; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True)
    loaded = told.stdout.decode().split()
    assert f"pysmon.cli.{command}" in loaded
    assert [name for name in loaded if name in DEAR] == []
