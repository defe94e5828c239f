"""A reader that comes by itself is not woken for little, and is woken for much."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sensor.provoke import apart

from pysmon.sensor.kernel import Sensor
from pysmon.sensor.pushdown import Approval
from pysmon.sensor.records import ASKS, ExecRecord, decode
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


def test_a_reader_that_lies_down_is_woken_by_the_next_record_and_by_no_other(kernel: Sensor, tmp_path: Path) -> None:
    def act() -> list[bool]:
        with Sensor({"file create"}) as sensor:
            sensor.patient = sensor.asleep = True
            sensor.watch(Scope.of_tree(os.getpid()))
            (tmp_path / "first").touch()
            woken = [sensor.wait(5.0)]
            sensor.read()
            sensor.wait(0.0)
            (tmp_path / "second").touch()
            woken.append(sensor.wait(0.5))
            sensor.asleep = False
            sensor.read()
            sensor.asleep = True
            (tmp_path / "third").touch()
            return [*woken, sensor.wait(5.0)]

    assert apart(act) == [True, False, True]


def test_a_new_program_wakes_a_reader_that_was_woken_a_moment_ago(kernel: Sensor, tmp_path: Path) -> None:
    def act() -> list[bool]:
        with Sensor({"file create"}) as sensor:
            sensor.patient = sensor.asleep = True
            sensor.pushdown.renew({"file create": Approval(by_actor=True)})
            sensor.watch(Scope.of_tree(os.getpid()))
            (tmp_path / "first").touch()
            woken = [sensor.wait(5.0)]
            sensor.read()
            sensor.wait(0.0)
            os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
            return [*woken, sensor.wait(5.0)]

    assert apart(act) == [True, True]


def test_whoever_waits_can_be_woken_by_hand_once_and_nothing_happens_later(kernel: Sensor) -> None:
    def act() -> list[bool]:
        with Sensor({"file create"}) as sensor:
            sensor.wake()
            sensor.wake()
            woken = [sensor.wait(5.0), sensor.wait(0.1)]
        sensor.wake()
        return woken

    assert apart(act) == [True, False]


def test_a_patient_reader_is_woken_once_for_a_program_that_nobody_has_answered_for(kernel: Sensor) -> None:
    def run() -> None:
        subprocess.run(["/bin/true"], check=True)

    def act() -> list[bool]:
        with Sensor({"file create"}) as sensor:
            sensor.patient = True
            sensor.pushdown.renew({"file create": Approval(by_actor=True)})
            sensor.watch(Scope.of_tree(os.getpid()))
            run()
            woken = [sensor.wait(5.0)]
            asked = next(r for r in map(decode, sensor.read()) if isinstance(r, ExecRecord) and r.cpu & ASKS)
            process = (asked.tgid, asked.start, asked.exec_id)
            sensor.pushdown.answer(os.path.realpath("/bin/true"), asked.uid, ["file create"], process)
            sensor.wait(0.0)  # it is told again of a ring that was not empty when it was told last
            run()
            woken.append(sensor.wait(0.5))
            marks = [r.cpu & ASKS for r in map(decode, sensor.read()) if isinstance(r, ExecRecord)]
            sensor.pushdown.renew({"file create": Approval(by_actor=True)})  # of other rules nothing is known
            run()
            return [*woken, any(marks), sensor.wait(5.0)]

    assert apart(act) == [True, False, False, True]
