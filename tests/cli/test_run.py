"""`pysmon run`: on tapes, and live with commands of our own where the sensor may run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from lxml import etree
from tests.cli.calls import PROGRAM, Caller, environment, need_sensor, spawned, tape

SHELL_ONLY = """<Sysmon schemaversion="4.90"><EventFiltering>
<ProcessCreate onmatch="include"><CommandLine name="seven" condition="is">true 7</CommandLine></ProcessCreate>
<ProcessTerminate onmatch="include"/>
</EventFiltering></Sysmon>"""


def test_a_tape_is_played_as_text(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("run", "--replay", tape(tmp_path / "t"))
    assert answer.code == 0
    assert "1 ProcessCreate  /usr/bin/true [11]  root\n      true 0\n" in answer.out
    assert "5 ProcessTerminate  /usr/bin/true [11]  root\n" in answer.out


def test_a_tape_is_played_as_json(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("run", "--replay", tape(tmp_path / "t"), "--format", "json")
    rows = [json.loads(line) for line in answer.out.splitlines()]
    assert [(row["EventID"], row["EventRecordID"]) for row in rows] == [(1, 0), (5, 1)]
    assert rows[0]["Computer"] == "vm"


def test_a_tape_is_played_as_xml(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("run", "--replay", tape(tmp_path / "t"), "--format", "xml")
    assert [etree.fromstring(line).findtext(".//EventID") for line in answer.out.splitlines()] == ["1", "5"]


def test_the_configuration_decides_what_is_kept(pysmon: Caller, tmp_path: Path) -> None:
    (tmp_path / "c.xml").write_text(SHELL_ONLY)
    answer = pysmon("run", "-c", tmp_path / "c.xml", "--replay", tape(tmp_path / "t", 9), "--format", "json")
    rows = [json.loads(line) for line in answer.out.splitlines()]
    assert [(row["EventID"], row["CommandLine"], row["RuleName"]) for row in rows] == [(1, "true 7", "seven")]


def test_the_summary_at_the_end_counts_everything(pysmon: Caller, tmp_path: Path) -> None:
    (tmp_path / "c.xml").write_text(SHELL_ONLY)
    lines = pysmon("run", "-c", tmp_path / "c.xml", "--replay", tape(tmp_path / "t", 9)).err.splitlines()
    assert [line.split() for line in lines[:4]] == [
        ["id", "event", "kept", "filtered"],
        ["1", "ProcessCreate", "1", "8"],
        ["records", "seen", "kept", "filtered", "pushed", "down", "lost"],
        ["process", "18", "1", "17", "0", "0"],
    ]


def test_quiet_leaves_the_summary_away(pysmon: Caller, tmp_path: Path) -> None:
    assert pysmon("run", "-q", "--replay", tape(tmp_path / "t")).err == ""


def test_events_are_appended_to_a_file(pysmon: Caller, tmp_path: Path) -> None:
    out = tmp_path / "events.json"
    for _ in range(2):
        answer = pysmon("run", "--replay", tape(tmp_path / "t"), "--format", "json", "-o", out)
        assert (answer.code, answer.out) == (0, "")
    assert len(out.read_text().splitlines()) == 4


def test_a_windows_event_log_is_written_and_read_again(pysmon: Caller, tmp_path: Path) -> None:
    out = tmp_path / "events.evtx"
    answer = pysmon("run", "--replay", tape(tmp_path / "t"), "--format", "evtx", "-o", out)
    assert (answer.code, answer.out) == (0, "")
    rows = [json.loads(line) for line in pysmon("log", out, "--format", "json").out.splitlines()]
    assert [(row["EventID"], row["Image"], row["Computer"]) for row in rows] == [
        (1, "/usr/bin/true", "vm"),
        (5, "/usr/bin/true", "vm"),
    ]


@pytest.mark.parametrize("where", [(), ("-o", "-")])
def test_a_windows_event_log_needs_a_file(pysmon: Caller, tmp_path: Path, where: tuple[str, ...]) -> None:
    answer = pysmon("run", "--replay", tape(tmp_path / "t"), "--format", "evtx", *where)
    assert answer.code == 2
    assert "name one with -o" in answer.err


def test_events_are_kept_in_the_event_log_beside_the_output(pysmon: Caller, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for _ in range(2):
        answer = pysmon("run", "--replay", tape(tmp_path / "t"), "--format", "json", "--store", log)
        assert (answer.code, len(answer.out.splitlines())) == (0, 2)
    assert pysmon("log", "--store", log, "--format", "json").out == answer.out * 2


def test_an_event_log_that_cannot_be_is_told_before_anything_runs(pysmon: Caller, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = pysmon("run", "--replay", tape(tmp_path / "t"), "--store", tmp_path / "file" / "log")
    assert (answer.code, answer.out) == (3, "")
    assert f"cannot open {tmp_path}/file/log" in answer.err


def test_a_file_is_rotated_by_size(pysmon: Caller, tmp_path: Path) -> None:
    out = tmp_path / "events.json"
    given = ("--format", "json", "-o", out, "--rotate", "4K", "--keep", 2)
    assert pysmon("run", "--replay", tape(tmp_path / "t", 50), *given).code == 0
    assert sorted(p.name for p in tmp_path.glob("events*")) == ["events.json", "events.json.1", "events.json.2"]
    assert all(p.stat().st_size <= 4096 for p in tmp_path.glob("events*"))


def test_a_full_disk_is_told_once_and_counted(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("run", "--replay", tape(tmp_path / "t", 1500), "-o", "/dev/full")
    assert answer.code == 3
    assert answer.err.count("cannot write to /dev/full: No space left on device (free some space") == 1
    assert "3000 events could not be written to /dev/full" in answer.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rotate", "1M"], "--rotate needs a file"),
        (["--rotate", "lots", "-o", "x"], "'lots' is no size (expected for example 500K"),
        (["--tree", "1", "--pid-namespace", "1"], "exclude each other"),
        (["--tree", "1", "--", "true"], "a COMMAND is a scope by itself"),
        (["--replay", "t", "--", "true"], "--replay plays what was recorded"),
        (["--replay", "t", "--record", "u"], "--replay plays what was recorded"),
        (["--tree", "999999999"], "there is no process 999999999"),
        (["--cgroup", "/tmp"], "/tmp is no directory of a cgroup (v2)"),
        (["--format", "yaml"], "'yaml' is not one of"),
    ],
)
def test_options_that_make_no_sense_are_told(pysmon: Caller, arguments: list[str], words: str) -> None:
    answer = pysmon("run", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err


def test_a_bad_configuration_is_shown_and_nothing_runs(pysmon: Caller, bad: Path, tmp_path: Path) -> None:
    answer = pysmon("run", "-c", bad, "--replay", tape(tmp_path / "t"))
    assert (answer.code, answer.out) == (2, "")
    assert "error C401" in answer.err
    assert "bad.xml cannot be used: 1 error" in answer.err


def test_what_is_no_tape_is_told(pysmon: Caller, good: Path) -> None:
    answer = pysmon("run", "--replay", good)
    assert (answer.code, answer.out) == (2, "")
    assert "good.xml: not a tape" in answer.err


def test_a_tape_that_is_absent_is_told_without_a_traceback(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("run", "--replay", tmp_path / "absent")
    assert answer.code == 3
    assert answer.err == f"pysmon: {tmp_path}/absent: No such file or directory\n"


def test_a_reader_that_leaves_ends_the_run_tidily(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    recorded = tape(tmp_path / "t", 3000)
    done = subprocess.run(
        [*PROGRAM, "run", "-q", "--replay", recorded],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(),
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


NEEDED = "the kernel sensor (eBPF) needs root, or the capabilities CAP_BPF and CAP_PERFMON"


def without_rights(*arguments: str) -> tuple[int, bytes, str]:
    """Exit status, output and errors of a run that may not load kernel programs."""
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("no setpriv to take root's capabilities away")
    without = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*without, *PROGRAM, "run", *arguments], capture_output=True, env=environment(), timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr.decode()


def test_without_the_rights_it_is_told_what_is_missing() -> None:
    assert without_rights("--tree", str(os.getpid())) == (3, b"", f"pysmon: {NEEDED} (run it with sudo)\n")


def test_without_the_rights_a_command_is_traced() -> None:
    code, out, errors = without_rights("--", "sh", "-c", "echo done; exit 5")
    if "cannot be traced" in errors:
        pytest.skip("nothing can be traced here")
    assert (code, out) == (5, b"done\n")
    assert errors.startswith(f"pysmon: {NEEDED}: the command is traced instead; ")
    assert "1 ProcessCreate" in errors


def test_a_command_keeps_its_standard_streams_and_its_exit_status() -> None:
    need_sensor()
    answer = spawned("run", "--", "sh", "-c", "cat; exit 7", stdin=b"through\n")
    assert (answer.code, answer.out) == (7, "through\n")
    assert "1 ProcessCreate" in answer.err
    assert "cat; exit 7" in answer.err


def test_the_events_of_a_command_go_to_standard_output_if_asked() -> None:
    need_sensor()
    answer = spawned("run", "-q", "-o", "-", "--format", "json", "--", "true")
    rows = [json.loads(line) for line in answer.out.splitlines()]
    assert {4, 16, 1, 5} <= {row["EventID"] for row in rows}
    assert answer.err == ""


def test_a_command_can_be_named_without_dashes() -> None:
    need_sensor()
    assert spawned("run", "-q", "ls", "-d", "/").out == "/\n"


def test_what_is_recorded_can_be_played(tmp_path: Path) -> None:
    need_sensor()
    live = spawned("run", "-q", "--format", "xml", "-o", "-", "--record", tmp_path / "t", "--", "true")
    again = spawned("run", "-q", "--format", "xml", "--replay", tmp_path / "t")
    created = [line for line in live.out.splitlines() if "<EventID>1<" in line]
    assert created
    wanted = [etree.fromstring(line).findtext('.//Data[@Name="ProcessGuid"]') for line in created]
    played = [etree.fromstring(line) for line in again.out.splitlines()]
    assert [e.findtext('.//Data[@Name="ProcessGuid"]') for e in played if e.findtext(".//EventID") == "1"] == wanted


def test_a_run_goes_on_with_the_numbers_of_its_log_and_keeps_there_what_its_own_output_does_not_show(
    tmp_path: Path,
) -> None:
    need_sensor()
    for _ in range(2):
        spawned("run", "-q", "--format", "xml", "-o", "/dev/null", "--store", tmp_path / "log", "--", "true")
    rows = [
        json.loads(line) for line in spawned("log", "--store", tmp_path / "log", "--format", "json").out.splitlines()
    ]
    assert [row["EventRecordID"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["Extra"]["ExitCode"] for row in rows if row["EventID"] == 5] == [0, 0]


def test_a_command_that_is_absent_is_told() -> None:
    need_sensor()
    answer = spawned("run", "--", "no-such-command-at-all")
    assert answer.code == 2
    assert "no such command: 'no-such-command-at-all'" in answer.err


def test_a_tape_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    need_sensor()
    answer = spawned("run", "--record", tmp_path / "absent" / "t", "--", "true")
    assert answer.code == 2
    assert f"cannot record on {tmp_path}/absent/t: No such file or directory" in answer.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_tidily(number: int) -> None:
    need_sensor()
    command = [*PROGRAM, "run", "--format", "json", "--tree", str(os.getpid())]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(), **pipes) as running:  # type: ignore[call-overload]
        assert b'"State":"Started"' in running.stdout.readline() + running.stdout.readline()
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 0
    assert b'"State":"Stopped"' in out
    assert b"records" in err
    assert b"Traceback" not in err


def test_sigterm_ends_the_command_too() -> None:
    need_sensor()
    command = [*PROGRAM, "run", "-q", "-o", "-", "--format", "json", "--", "sleep", "60"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        while b"sleep 60" not in running.stdout.readline():
            continue
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGTERM
