"""What the resident service costs: rows of figures, workloads, and a round with a service that watches this process."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from bench.parts.watched import Alone
from bench.parts.workload import Workload, Workshop
from bench.service import ALL_LOGGED, SHIPPED, Measured, Run, compiles, requests, under

from pysmon.errors import SensorError
from pysmon.sensor.rights import check_rights

EXECS = Workload("2 execs", ("true",), 2, {1: 3, 5: 3})


def run(cpu: float, workload: int = 100, lost: int = 0, **logged: int) -> Run:
    return Run(0.25, 0.75, Alone(workload * 2, workload, 0), cpu, 10e-6, logged, lost, 30_000)


def test_a_price_is_the_median_of_sensor_and_programs_for_one() -> None:
    measured = Measured(EXECS, ALL_LOGGED, [Alone(9, 97, 0)], [run(30e-6), run(900e-6), run(20e-6)])
    assert measured.price(10, 2) == ("2 execs, all logged", "15.00", "5.00", "20.00", "10", "x 2.00", "+1.50")


def test_a_share_is_what_the_workload_and_what_the_machine_pays() -> None:
    before = [Alone(200, 90, 10), Alone(200, 95, 0), Alone(210, 105, 0)]
    runs = [run(5e-6, 110), run(5e-6, 500), run(5e-6, 102)]
    row = Measured(EXECS, SHIPPED, before, runs).share(0.02)
    assert row == ("2 execs, shipped rules", "0.00 s", "10.0%", "+10.0%", "+10.0%", "5.0%", "+15.0%", "2%")


def test_the_worst_round_tells_what_is_missing_and_lost() -> None:
    runs = [run(0, exec=3, exit=3), run(0, exec=9, exit=1), run(0, lost=4, exec=3, exit=3)]
    name, logged, missing, lost, *_ = Measured(EXECS, ALL_LOGGED, [], runs).fate()
    assert (name, logged, missing, lost) == ("2 execs, all logged", "6", "2", "4")


def test_memory_and_start_stand_beside_their_aims() -> None:
    assert Measured(EXECS, SHIPPED, [], [run(0)]).fate()[2:] == ("-", "0", "31", "x 0.51", "0.25", "x 0.5", "0.75")


def test_the_compile_is_as_many_files_as_asked_for(tmp_path: Path) -> None:
    workshop = Workshop.at(tmp_path)
    if not workshop.compiler:
        pytest.skip("no C compiler here")
    made = compiles(workshop, 7)
    assert (made.command[-1].count(f"{workshop.compiler} "), made.pieces) == (7, 7)
    told = subprocess.run(compiles(workshop, 1).command, input="xx", capture_output=True, text=True, check=True).stdout
    assert told.split()[:2] == ["ready", "done"]
    assert (tmp_path / "made").exists()


def test_every_request_is_answered(tmp_path: Path) -> None:
    workshop = Workshop.at(tmp_path)
    if not workshop.compiler:
        pytest.skip("no C compiler here")
    told = subprocess.run(requests(workshop, 5).command, input="xx", capture_output=True, text=True, check=True).stdout
    assert told.split()[:2] == ["ready", "done"]


def test_the_service_logs_what_the_workload_does_and_ends(tmp_path: Path) -> None:
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")
    workshop = Workshop(tmp_path, None)
    done = under(workshop.execs(5), workshop.execs(1), ALL_LOGGED, tmp_path)
    assert done.logged["exec"] >= 6
    assert done.cpu > 0
    assert 0 < done.seen < done.ready
    assert done.lost == 0
    assert not (tmp_path / "root").exists()
