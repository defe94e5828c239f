"""The comparison with other sensors: what is counted in their logs, what tables are made of the figures."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from bench.parts.workload import Workshop
from bench.peers.image import peers_image
from bench.peers.machine import _sysmon, known
from bench.peers.processes import busy, clock, end, family, memory
from bench.peers.report import BEGIN, END, NOBODY, cells, report, write_into
from bench.peers.rulesets import KINDS, TABLES, of_sysmon, rulesets
from bench.peers.sensors import _KEY, _LOST, _WORD, Counted, Pysmon
from bench.peers.sysmon import Heard
from bench.peers.works import works
from tests.store.entries import made
from tools.programs import ToolError

from pysmon.config.read import read_configuration
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import EVENTS
from pysmon.service.paths import Paths
from pysmon.store.writer import Writer

ABOUT = {"machine": "an emulator", "host": "a host", "when": "2026-01-01", "kernel": "Linux 6.1"}
SIZES = {"exec": 10, "file": 20, "connect": 5, "compile": 1, "find": 1, "web": 3, "idle": 2}


def run(observer: str, wall: float, used: float, sensor: float = 0.0, **logged: int) -> dict[str, Any]:
    return {
        "work": "10 execs",
        "deeds": {"exec": 10, "exit": 10},
        "wall": wall,
        "used": used,
        "sensor": sensor,
        "logged": logged,
        "resident": 1000,
        "peak": 2000,
        "observer": observer,
    }


def ended(observer: str, lost: int = 0) -> dict[str, Any]:
    return {"observer": observer, "started": {"wall": 1.5, "used": 0.5, "whole": 0.75}, "lost": lost}


FIGURES: list[Mapping[str, Any]] = [
    run(NOBODY, 2.0, 1.0),
    ended(NOBODY),
    run("auditd", 3.0, 2.0, 0.25, exec=11, exit=10),
    run("auditd", 4.0, 3.0, 0.5, exec=11, exit=10),
    run("auditd", 9.0, 9.0, 4.0, exec=11, exit=7),
    ended("auditd", lost=3),
]


def test_costs_are_medians_beside_those_without_a_sensor() -> None:
    (cell,) = cells(FIGURES)
    assert (cell.slowdown, cell.own, cell.added, cell.whole) == (2.0, 0.5, 2.0, 2.0)
    assert (cell.logged, cell.expected) == (21, 20)


def test_what_is_logged_too_often_makes_up_for_nothing_that_is_missing() -> None:
    (cell,) = cells(FIGURES)
    assert cell.found == 17


def test_the_page_tells_losses_starts_and_what_is_missing() -> None:
    text = report([*FIGURES, {"observer": "bpftrace", "failed": "it did not begin"}], "here")
    assert text.startswith("here.\n")
    assert "**10 execs**, medians of 3 runs\n" in text
    assert "| auditd | x2.00 | 0.50 | 2.00 | - | 21 | 20 | 3 |" in text
    assert "| auditd | 0.5 | 0.8 | 1 | 2 | 3 |" in text
    assert "bpftrace is missing: it did not begin" in text


def test_of_several_starts_the_last_is_told_and_all_that_was_lost() -> None:
    again = [
        run("auditd", 1.0, 1.0) | {"peak": 9000},
        ended("auditd", lost=4) | {"started": {"wall": 7.0, "used": 6.0}},
    ]
    assert "| auditd | 6.0 | - | 1 | 9 | 7 |" in report([*FIGURES, *again], "here")


def test_of_rules_that_keep_a_part_nothing_is_expected() -> None:
    text = report([FIGURES[0], run("pysmon, shipped rules", 2.0, 1.0, exec=4)], "here")
    assert "| pysmon, shipped rules | x1.00 | 0.00 | 0.00 | - | 4 | - | - |" in text


def test_without_runs_of_no_sensor_there_is_nothing_to_compare_with() -> None:
    assert cells(FIGURES[2:]) == []


def test_the_tables_go_between_the_marks_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_into(page, "new")
    assert page.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    with pytest.raises(ValueError, match="no place"):
        write_into(page, "new")
    assert page.read_text() == "nothing\n"


@pytest.mark.parametrize(
    ("pattern", "lines", "found"),
    [
        (_KEY, b'type=SYSCALL msg=1 exe="/bin/true" key="exec"\x1dARCH=x\ntype=PATH msg=1\n', {"exec": 1}),
        (_KEY, b'{"ID":"1","SYSCALL":{"key":"delete"}}\n{"ID":"2"}\n{"SYSCALL":{"key":"delete"}}\n', {"delete": 2}),
        (_WORD, b"exec 5 0 /bin/true\nconnect 7 conns 1 2\nLost 5 events\nexecute\n", {"exec": 1, "connect": 1}),
    ],
)
def test_lines_of_logs_are_counted_by_what_they_tell_of(
    tmp_path: Path, pattern: Any, lines: bytes, found: dict[str, int]
) -> None:
    path = tmp_path / "log"
    path.write_bytes(lines)
    assert Counted(path, pattern).counts() == found


def test_a_line_that_is_being_written_is_counted_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Counted(path, _WORD)
    assert log.counts() == {}
    path.write_bytes(b"exec 1\nexec ")
    assert log.counts() == {"exec": 1}
    path.write_bytes(b"exec 1\nexec 2\n")
    assert log.counts() == {"exec": 2}


def test_losses_of_bpftrace_are_read() -> None:
    assert sum(map(int, _LOST.findall(b"Lost 12 events\nexec\nLost 3 events\n"))) == 15


def test_all_logged_keeps_all_five_kinds_and_all_excluded_none() -> None:
    kept = {name: read_configuration(text, name) for name, text in rulesets().items()}
    assert all(reading.configuration for reading in kept.values())
    five = {made.id for made in EVENTS.values() if made.cls.__name__ in KINDS} - {23}
    everything = Ruleset.compile(kept["all logged"].configuration)
    assert {i for i in EVENTS if everything.wants(i)} >= five
    assert set(KINDS) <= set(TABLES)
    assert (TABLES["ProcessCreate"], TABLES["1"], TABLES["2"]) == ("exec", "exec", "other")
    assert Ruleset.compile(kept["all excluded"].configuration).reads(1) == {"Image"}


def test_every_workload_knows_what_must_be_logged() -> None:
    made = {work.name: work.deeds for work in works(SIZES)}
    assert made["10 execs"] == {"exec": 10, "exit": 10}
    assert made["20 files created and deleted"] == {"create": 20, "delete": 20}
    assert made["5 connections"] == {"connect": 10}
    assert len(made) == len(SIZES)
    assert works(dict.fromkeys(SIZES, 0)) == []


def test_connections_are_made_accepted_and_closed(tmp_path: Path) -> None:
    if not Workshop.at(tmp_path).compiler:
        pytest.skip("no C compiler here")
    done = subprocess.run([tmp_path / "conns", "20"], input="xx", capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == ["ready", "done"]


def test_a_process_its_children_its_time_and_its_memory_are_found() -> None:
    command = [sys.executable, "-c", "import subprocess; subprocess.run(['sleep', '60'])"]
    parent = subprocess.Popen(command)
    try:
        while len(family(parent.pid)) < 2:
            pass
        _, child = family(parent.pid)
        assert clock(parent.pid) > 0
        assert memory([parent.pid, child]) > memory([child]) > 0
        end(child)
        end(parent.pid)
        assert clock(parent.pid) == 0
    finally:
        parent.kill()
        parent.wait()


def test_the_processor_is_busy() -> None:
    if not os.access("/proc/schedstat", os.R_OK):
        pytest.skip("this kernel does not tell how long its processors are busy")
    assert busy() > 0


def test_where_rules_keep_everything_all_deeds_are_expected_of_any_sensor() -> None:
    theirs = [run(f"Sysmon for Linux, {what}", 2.0, 1.0, exec=4) for what in ("all logged", "all excluded")]
    text = report([FIGURES[0], *theirs], "here")
    assert "| Sysmon for Linux, all logged | x1.00 | 0.00 | 0.00 | - | 4 | 20 | 16 |" in text
    assert "| Sysmon for Linux, all excluded | x1.00 | 0.00 | 0.00 | - | 4 | - | - |" in text


def test_idling_is_told_as_processor_time_for_each_second() -> None:
    quiet = {"work": "idle for 100 s", "deeds": {}}
    text = report([run(NOBODY, 100.0, 0.5) | quiet, run("auditd", 100.0, 1.0, 0.25, exec=3) | quiet], "here")
    assert "| auditd | 2.50 | 5.00 | 3 |" in text


def test_a_workload_that_was_run_more_often_under_some_says_so() -> None:
    text = report([*FIGURES, run("bpftrace", 1.0, 1.0)], "here")
    assert "**10 execs**, medians of 1 to 3 runs\n" in text


def test_sysmon_for_linux_is_there_if_a_build_is_given() -> None:
    assert "Sysmon for Linux, all logged" in known([], sysmon=True)
    assert known(["none"], sysmon=True) == ["none"]
    with pytest.raises(ToolError, match="Sysmon for Linux, all logged: there are"):
        known(["Sysmon for Linux, all logged"])


def test_its_configurations_keep_the_same_five_kinds_or_none() -> None:
    kept = {name: read_configuration(text, name) for name, text in of_sysmon().items()}
    wanted = Ruleset.compile(kept["Sysmon for Linux, all logged"].configuration)
    assert {number for number in EVENTS if wanted.wants(number)} >= {1, 3, 5, 11, 23}
    assert Ruleset.compile(kept["Sysmon for Linux, all excluded"].configuration).reads(23) == {"Image"}


def test_a_folder_without_its_program_is_no_build(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no program `sysmon` there"):
        _sysmon(tmp_path / "guest", tmp_path)


def test_a_build_is_laid_into_the_guest_with_its_configurations(tmp_path: Path) -> None:
    build, guest = tmp_path / "build", tmp_path / "guest"
    build.mkdir()
    guest.mkdir()
    (build / "sysmon").write_text("a program")
    (build / "sysmon").chmod(0o755)
    places = _sysmon(guest, build)
    assert list(places) == list(of_sysmon())
    assert (guest / "sysmon" / "sysmon").read_text() == "a program"
    assert [(guest / Path(place).name).read_bytes() for place in places.values()] == [*of_sysmon().values()]


def test_lines_that_go_to_a_system_log_are_counted_by_their_event(tmp_path: Path) -> None:
    place = tmp_path / "log"
    heard = Heard(place)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
        mouth.connect(str(place))
        for number in (1, 1, 3, 16):
            mouth.send(b"<14>sysmon[5]: <Event><System><EventID>%d</EventID></System></Event>" % number)
        mouth.send(b"<14>something else")
    heard.close()
    assert heard.counts() == {"exec": 2, "connect": 1, "other": 1}
    assert not place.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may make disks")
def test_who_may_not_make_the_disk_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ToolError, match="needs root"):
        peers_image()


def test_entries_are_counted_whether_they_lie_alone_or_many_as_one_value(tmp_path: Path) -> None:
    log = Paths.under(tmp_path).store
    log.parent.mkdir(parents=True)
    with closing(Writer(log)) as writer:
        writer.write([made(number) for number in range(500)])
        writer.write([made(500, event_id=11)])
    found = Pysmon("ours", tmp_path, TABLES).logged()
    assert {kind: count for kind, count in found.items() if count} == {"exec": 500, "create": 1}
    with sqlite3.connect(log) as kept:
        assert [rows for (rows,) in kept.execute("SELECT count(*) FROM packs_process")] != [0]
    kept.close()
