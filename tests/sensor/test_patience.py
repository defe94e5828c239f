"""A reader that comes by itself is not woken for little, and is woken for much."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sensor.provoke import apart

from pysmon.sensor.kernel import Sensor
from pysmon.sensor.scope import Scope

pytestmark = pytest.mark.vm

MANY = 12_000  # file records of some 250 bytes: more than the 2 MiB at which the kernel wakes a patient reader
CREATE = """
import os, sys
for i in range(int(sys.argv[2])):
    os.close(os.open(f"{sys.argv[1]}/{'x' * 100}{i}", os.O_CREAT | os.O_WRONLY))
"""


def test_a_patient_reader_is_woken_only_if_much_waits(kernel: Sensor, tmp_path: Path) -> None:
    def created(count: int) -> None:
        subprocess.run([sys.executable, "-I", "-S", "-c", CREATE, str(tmp_path), str(count)], check=True)

    def act() -> tuple[bool, int, bool, int]:
        with Sensor({"file create"}) as sensor:
            sensor.patient = True
            sensor.watch(Scope.of_tree(os.getpid()))
            created(1)
            for_little, few = sensor.wait(0.5), sensor.counts()["file create"].due
            sensor.read()
            created(MANY)
            for_much, lost = sensor.wait(0.5), sensor.counts()["file create"].lost
            return for_little, few, for_much, lost

    assert apart(act) == (False, 1, True, 0)


def test_a_reader_that_is_not_patient_is_woken_for_one_record(kernel: Sensor, tmp_path: Path) -> None:
    def act() -> bool:
        with Sensor({"file create"}) as sensor:
            sensor.watch(Scope.of_tree(os.getpid()))
            (tmp_path / "one").touch()
            return sensor.wait(5.0)

    assert apart(act)
