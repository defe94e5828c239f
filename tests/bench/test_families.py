"""What families cost: a configuration for each, and what the sensor says that it has seen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bench.families import FAMILIES, OFF, Measured, configuration, main, records, workloads
from bench.parts.programs import Cost
from bench.parts.watched import Alone, Watched
from bench.parts.workload import SOURCES, Workshop

from pysmon.config.read import read_configuration
from pysmon.pipeline.policy import Policy

TOLD = """\
id  event         kept  filtered
11  FileCreate       2         3
records      seen  kept  filtered  pushed down  lost
process        34     2        32            0     0
file create     5     2         3            0     0
"""


def policy(*families: str) -> Policy:
    return Policy.of(read_configuration(configuration(families).encode(), "made").configuration)


@pytest.mark.parametrize("family", sorted(FAMILIES.keys() - {"process"}))
def test_a_family_is_switched_on_by_itself(family: str) -> None:
    also = {"file create"} if family == "sysctl" else set()  # settings of desktops are files
    assert policy(family).families == {family} | also


def test_off_has_no_family_on() -> None:
    assert policy().families == frozenset()
    assert not any(policy().ruleset.wants(number) for number in (1, 5))
    assert all(policy("process").ruleset.wants(number) for number in (1, 5))


def test_what_was_seen_is_read_from_the_end_of_a_run() -> None:
    assert records(TOLD) == {"process": 34, "file create": 5}
    assert records("no records came\n") == {}


def run(cpu: int, sensor: float, ns: int, told: str = TOLD) -> Watched:
    programs = {"on_exec": Cost(10, ns)}
    return Watched(Alone(0, cpu, 0), sensor, 0.0, 0, programs, {}, 0, 0, told)


def test_costs_are_shares_of_the_workload_by_itself() -> None:
    runs = [run(1_100_000, 0.3, 10_000_000), run(9_000_000, 9.0, 10_000_000), run(1_000_000, 0.2, 10_000_000)]
    row = Measured("process", [Alone(5, 900_000, 100_000)], runs, end=0.1).row()
    assert row == ("process", "x 1.100", "10", "1.0%", "20.0%", "21.0%", "34", "-")


def test_many_records_have_a_price_for_one() -> None:
    many = TOLD.replace("  34 ", "1000 ")
    row = Measured("process", [Alone(5, 1_000_000, 0)], [run(1_000_000, 0.2, 10_000_000, many)], end=0.1).row()
    assert row[-2:] == ("1,000", "110.0")
    assert Measured(OFF, [Alone(5, 1_000_000, 0)], [run(1_000_000, 0.2, 0)], end=0.1).row()[-2:] == ("0", "-")


def test_the_workloads_run_and_tell_what_they_took(tmp_path: Path) -> None:
    made = {work.name: work for work in workloads(Workshop.at(tmp_path))}
    assert "find" in made
    if "web server" in made:
        server = (*made["web server"].command[:1], "5", *made["web server"].command[2:])
        told = subprocess.run(server, input="xx", capture_output=True, text=True, check=True).stdout.split()
        assert told[:2] == ["ready", "done"]
        assert len(list(map(int, told[2:]))) == 3


def test_any_command_can_be_held() -> None:
    command = (sys.executable, str(SOURCES / "held.py"), sys.executable, "-c", "sum(range(10**6))")
    ready, done, wall, *took = subprocess.run(
        command, input="xx", capture_output=True, text=True, check=True
    ).stdout.split()
    assert (ready, done) == ("ready", "done")
    assert int(wall) > 0
    assert sum(map(int, took)) > 0


def test_an_unknown_family_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["families", "dns", "weather"])
    with pytest.raises(SystemExit):
        main()
    assert "weather: there are process, network" in capsys.readouterr().err
