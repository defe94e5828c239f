"""Giving up capabilities: what is gone stays gone, and the sensor works on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.sensor.provoke import apart, call

from pysmon.errors import SensorError
from pysmon.sensor.capabilities import NAMES, drop_capabilities, effective, needed_once_attached
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.scope import Scope

READING = {"CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"}


@pytest.fixture
def rich() -> frozenset[str]:
    """What this process has; a test that gives some up needs them first."""
    held = effective()
    if not held >= READING | {"CAP_BPF", "CAP_KILL"}:
        pytest.skip("only root has capabilities to give up")
    return held


def test_the_names_have_the_numbers_of_the_kernel() -> None:
    numbers = [NAMES.index(f"CAP_{n}") for n in ("CHOWN", "SYS_PTRACE", "SYS_ADMIN", "PERFMON", "BPF")]
    assert numbers == [0, 19, 21, 38, 39]


def test_an_unknown_name_is_told_and_nothing_is_given_up() -> None:
    before = effective()
    with pytest.raises(SensorError, match="no capability is called CAP_FLY"):
        drop_capabilities({"CAP_FLY", "CAP_KILL"})
    assert effective() == before


def test_what_one_does_not_have_is_not_got_by_keeping_it() -> None:
    def act() -> tuple[frozenset[str], frozenset[str]]:
        drop_capabilities(())
        return drop_capabilities(NAMES), effective()

    assert apart(act) == (frozenset(), frozenset())


def test_all_but_what_is_kept_goes_from_every_set(rich: frozenset[str]) -> None:
    def act() -> tuple[frozenset[str], str]:
        remains = drop_capabilities({"CAP_KILL", "CAP_SYS_PTRACE"})
        return remains, Path("/proc/self/status").read_text()

    remains, status = apart(act)
    assert remains == {"CAP_KILL", "CAP_SYS_PTRACE"}
    kept = f"{1 << 5 | 1 << 19:016x}"
    sets = dict(line.split() for line in status.splitlines() if line.startswith("Cap"))
    assert (sets["CapEff:"], sets["CapPrm:"], sets["CapInh:"], sets["CapAmb:"]) == (kept, kept, "0" * 16, "0" * 16)
    assert sets["CapBnd:"] == kept or "CAP_SETPCAP" not in rich
    assert "NoNewPrivs:\t1" in status


def test_a_program_that_is_started_does_not_get_them_back(rich: frozenset[str]) -> None:
    def act() -> str:
        call("prctl", 24, 8, 0, 0, 0)  # as in a unit whose bounding set lacks CAP_SETPCAP
        drop_capabilities({"CAP_KILL"})
        shown = subprocess.run(["grep", "CapEff", "/proc/self/status"], capture_output=True, text=True, check=True)
        return shown.stdout.split()[1]

    assert apart(act) == f"{1 << 5:016x}"


def test_a_thread_that_began_too_early_is_told(rich: frozenset[str]) -> None:
    def act() -> str:
        stop = threading.Event()
        early = threading.Thread(target=stop.wait)
        early.start()
        try:
            drop_capabilities({"CAP_KILL"})
        except SensorError as error:
            return str(error)
        finally:
            stop.set()
            early.join()
        return ""

    message = apart(act)
    assert "another thread keeps" in message
    assert "CAP_BPF" in message


def test_to_read_programs_of_others_is_always_needed() -> None:
    def act() -> frozenset[str]:
        drop_capabilities(())
        return needed_once_attached()

    assert apart(act) == READING


def test_finding_out_what_is_needed_gives_nothing_up(rich: frozenset[str]) -> None:
    needed = needed_once_attached()
    assert needed >= READING
    assert needed <= READING | {"CAP_BPF", "CAP_PERFMON"}
    assert effective() == rich


def test_where_everybody_may_call_bpf_the_capability_stays_for_the_day_when_not(
    rich: frozenset[str], tmp_path: Path
) -> None:
    setting = tmp_path / "unprivileged_bpf_disabled"
    setting.write_text("0\n")
    assert needed_once_attached(setting) == READING | {"CAP_BPF", "CAP_PERFMON"}


@pytest.mark.vm
@pytest.mark.usefixtures("kernel")
def test_a_sensor_goes_on_with_what_it_is_said_to_need() -> None:
    def act() -> tuple[frozenset[str], int, int, int]:
        with Sensor() as sensor:
            remains = drop_capabilities(needed_once_attached())
            sensor.watch(Scope.of_tree(os.getpid()))
            subprocess.run([sys.executable, "-c", ""], check=True)
            sensor.wait(5.0)
            read = sensor.read()
            return remains, len(read), sensor.counts()["process"].due, len(sensor.snapshot())

    remains, read, due, tasks = apart(act)
    assert remains <= READING | {"CAP_BPF", "CAP_PERFMON"}
    assert read >= 2
    assert due >= 2
    assert tasks >= 1
