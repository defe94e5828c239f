"""The benchmark of whole replays: small logs, every table has its rows, and what is counted is counted rightly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bench.evtx_read import made_up
from bench.parts.commands import PEER, Run, largest, run, sysmon_utils
from bench.parts.configurations import MEASURED, Measured
from bench.replay import Ratios, beside, evtx, flat, kept, memory, write_evtx, write_json

from pysmon.sources.open import open_sources

EVERYTHING: Measured = MEASURED[0]
PEER_PROGRAM = """#!{python}
import json, sys
_, word, configuration, log, _, to = sys.argv
with open(log) as lines, open(to, "w") as out:
    out.writelines(line for line in lines if json.loads(line)["RecordNumber"] % 3)
"""


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "made-up.json"
    assert write_json(path, map(flat, made_up(30))) == 30
    return path


@pytest.fixture
def peer(tmp_path: Path) -> Path:
    path = tmp_path / "peer"
    path.write_text(PEER_PROGRAM.format(python=sys.executable))
    path.chmod(0o755)
    return path


def test_one_process_and_two_are_measured(tmp_path: Path) -> None:
    log, few = tmp_path / "a.evtx", tmp_path / "few.evtx"
    write_evtx(log, 20)
    write_evtx(few, 1)
    rows = list(evtx(log, few, 20, [EVERYTHING], rounds=1))
    assert [row[0] for row in rows] == ["everything.xml, --jobs 1", "everything.xml, --jobs 2"]
    assert rows[0][4] == "x 1.00"
    assert float(rows[0][5].removesuffix(" s")) > 0


def test_made_up_events_are_the_same_in_json_and_evtx(tmp_path: Path, lines: Path) -> None:
    log = tmp_path / "a.evtx"
    write_evtx(log, 30)
    told = [[entry.event.texts() for entry in source.entries()] for source in open_sources([log, lines])]
    assert told[0] == told[1]


def test_events_that_the_other_program_judges_otherwise_are_counted(lines: Path, peer: Path) -> None:
    rows = list(beside(lines, 30, [EVERYTHING], peer, rounds=1))
    ours, theirs = kept(lines.with_suffix(".ours.json")), {number for number in range(1, 31) if number % 3}
    assert ours
    assert [row[0].partition(", ")[2] for row in rows] == ["sysmon-utils", "--jobs 1 -o FILE", "--jobs 1", "--jobs 2"]
    assert [row[6] for row in rows] == [str(len(ours ^ theirs)), "-", "-", "-"]


def test_the_start_of_both_programs_is_taken_off() -> None:
    peer = Ratios(Run(wall=9.0, processor=8.0, memory=1), Run(wall=2.0, processor=1.0, memory=1))
    assert peer.to([Run(3.0, 2.0, 1)], Run(0.5, 0.6, 1)) == ("x 3.0", "x 4.0", "x 5.0")


def test_without_the_other_program_there_is_nothing_to_compare_with(lines: Path) -> None:
    rows = list(beside(lines, 30, [EVERYTHING], None, rounds=1))
    assert {cell for row in rows for cell in row[3:7]} == {"-"}


def test_a_longer_log_is_the_same_log_several_times(tmp_path: Path, lines: Path) -> None:
    log = tmp_path / "a.evtx"
    write_evtx(log, 30)
    rows = list(memory(EVERYTHING.path, log, lines))
    assert [row[0].partition(",")[0] for row in rows] == ["EVTX", "EVTX", "JSON", "JSON"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.evtx", "made-up.json"]


def test_memory_is_that_of_the_command_not_of_who_calls_it() -> None:
    held = b"x" * 100_000_000
    assert run(sys.executable, "-c", "").memory < len(held)
    assert run(sys.executable, "-c", "len(b'x' * 60_000_000)").memory > 60_000_000


def test_a_command_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="failed: 3"):
        run(sys.executable, "-c", "raise SystemExit(3)")


def test_memory_is_told_of_the_largest() -> None:
    small, large = run(sys.executable, "-c", ""), run(sys.executable, "-c", "len(b'x' * 60_000_000)")
    assert largest([large, small]) == f"{large.memory / 1e6:.0f} MB"


def test_an_environment_that_is_there_is_not_made_anew(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "sysmon_utils"
    program.parent.mkdir()
    program.touch()
    assert sysmon_utils(tmp_path) == program
    assert PEER[0].startswith("sysmon-utils==")
