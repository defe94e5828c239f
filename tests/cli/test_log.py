"""`pysmon log`, on a file and on a store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from threading import Thread

import pytest
from lxml import etree
from tests.cli.calls import PROGRAM, Caller, environment
from tests.cli.logs import KINDS, written
from tests.views.cast import Cast, guid, intrusion

from pysmon.formats.json_line import json_line
from pysmon.sinks.store import StoreSink

Given = tuple[str, Path]


@pytest.fixture(params=KINDS)
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Given:
    return written(request.param, tmp_path, intrusion().entries)


def numbers(out: str) -> list[int]:
    return [json.loads(line)["EventRecordID"] for line in out.splitlines()]


def test_a_log_is_shown_as_a_table(pysmon: Caller, given: Given) -> None:
    answer = pysmon("log", *given)
    assert (answer.code, answer.err) == (0, "")
    assert len(answer.out.splitlines()) == 13
    assert (
        "2026-11-21 08:15:00.600   11  FileCreate          curl[101]             joe       created /tmp/x\n"
        in answer.out
    )


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--last", 2], [11, 12]),
        (["--id", "3,22"], [3, 4]),
        (["--tag", "DnsQuery", "--tag", "filecreate"], [3, 5, 8]),
        (["--id", 11, "--where", "TargetFilename begin with /etc/"], [8]),
        (["--where", "Image image curl", "--where", "Image is not x"], [2, 3, 4, 5, 6]),
        (["--where", "Image image x", "--where", "CommandLine contains any --install;--remove"], [7]),
        (["--where", "DestinationPort less than 1000"], [4]),
        (["--where", "DestinationPort more than 1000"], []),
        (["--guid", guid(102)], [7, 8, 11]),
        (["--guid", guid(102).strip("{}").upper()], [7, 8, 11]),
        (["--pid", 103, "--pid", 100], [0, 9, 10, 12]),
        (["--text", "EVIL.example"], [1, 2, 3]),
        (["--text", "renamed"], [8]),
        (["--since", "2026-11-21T08:15:01Z"], [9, 10, 11, 12]),
        (["--since", "2026-11-21T08:15:01", "--until", "2026-11-21T09:15:01.2+01:00"], [9, 10]),
        (["--until", "2026-11-21", "--all"], []),
        (["--id", 11, "--text", "cron", "--pid", 101], []),
    ],
)
def test_what_is_wanted_can_be_said(pysmon: Caller, given: Given, options: list[object], found: list[int]) -> None:
    answer = pysmon("log", *given, "--format", "json", *options)
    assert numbers(answer.out) == found
    assert answer.code == (0 if found else 1)


def test_the_last_are_shown_unless_all_or_a_time_are_asked_for(pysmon: Caller, tmp_path: Path) -> None:
    cast = Cast()
    for number in range(30):
        cast.create(7, f"/tmp/{number}")
    log = written("--store", tmp_path, cast.entries)
    assert numbers(pysmon("log", *log, "--format", "json").out) == list(range(10, 30))
    assert numbers(pysmon("log", *log, "--format", "json", "--all").out) == list(range(30))
    assert len(numbers(pysmon("log", *log, "--format", "json", "--since", "2026-11-21").out)) == 30
    few = pysmon("log", *log, "--format", "json", "--since", "2026-11-21", "-n", 3)
    assert numbers(few.out) == [27, 28, 29]


def test_the_last_are_those_that_meet_every_condition(pysmon: Caller, given: Given) -> None:
    asked = ("--where", "Image is any /tmp/x;/usr/bin/id", "--where", "ParentImage is any /usr/bin/bash;-")
    assert numbers(pysmon("log", *given, "--format", "json", "-n", 1, *asked).out) == [7]


def test_every_format_is_at_hand(pysmon: Caller, given: Given) -> None:
    assert "\n  TargetFilename   /etc/cron.d/x\n" in pysmon("log", *given, "--id", 11, "--format", "detail").out
    assert "     11 FileCreate" not in pysmon("log", *given, "--id", 3, "--format", "text").out
    assert "\n      tcp 10.0.0.2:40000 -> 192.0.2.1:443" in pysmon("log", *given, "--id", 3, "--format", "text").out
    (line,) = pysmon("log", *given, "--id", 3, "--format", "xml").out.splitlines()
    assert etree.fromstring(line).findtext(".//EventID") == "3"


def test_json_that_is_read_is_written_again_byte_for_byte(pysmon: Caller, given: Given) -> None:
    lines = b"".join(json_line(entry) + b"\n" for entry in intrusion().entries)
    assert pysmon("log", *given, "--all", "--format", "json").out.encode() == lines


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--id", "x"], "there is no event 'x'"),
        (["--id", "77"], "there is no event '77'"),
        (["--tag", "FileCreated"], "did you mean FileCreate"),
        (["--where", "Image"], "'Image' has no condition"),
        (["--guid", "x"], "'x' is no guid"),
        (["--since", "soon"], "'soon' is no time"),
        (["--last", "3", "--all"], "--last and --all exclude each other"),
        (["--last", "0"], "0 is not in the range"),
        (["--format", "yaml"], "'yaml' is not one of"),
        (["--store", "x", "--from", "y"], "exclude each other"),
        (["--pid", "1", "--where", "Image image x"], "--pid cannot be combined with this"),
    ],
)
def test_options_that_make_no_sense_are_misuse(pysmon: Caller, given: Given, options: list[str], words: str) -> None:
    answer = pysmon("log", *([] if "--store" in options else given), *options)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_that_is_absent_is_told(pysmon: Caller, tmp_path: Path, kind: str) -> None:
    answer = pysmon("log", kind, tmp_path / "absent")
    assert (answer.code, answer.out) == (3 if kind == "--store" else 2, "")
    assert str(tmp_path / "absent") in answer.err
    assert "Traceback" not in answer.err


def test_the_log_is_that_of_the_environment_if_none_is_named(
    pysmon: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = written("--store", tmp_path, intrusion().entries)
    monkeypatch.setenv("PYSMON_LOG", str(path))
    assert len(pysmon("log").out.splitlines()) == 13
    assert pysmon("log", "--store", tmp_path / "absent").code == 3


def test_lines_that_are_no_events_are_counted_and_the_first_is_told(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "log"
    good = json_line(intrusion().entries[0])
    path.write_bytes(good + b"\n\nnonsense\n" + good + b"\n{}\n" + good[:40])
    answer = pysmon("log", "--from", path)
    assert (answer.code, len(answer.out.splitlines())) == (0, 2)
    assert f"{path}: damaged at 2 places (line 3: " in answer.err


@pytest.mark.parametrize("data", [b"no log at all", b"\0\0\0\n\0", "<Sysmon/>".encode("utf-16")])
def test_a_file_that_is_no_log_is_told(pysmon: Caller, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(data)
    answer = pysmon("log", path)
    assert (answer.code, answer.out) == (2, "")
    assert f"{path}: in no shape of logs that is known" in answer.err


@pytest.mark.parametrize("data", [b"", b" \n", b'{"Ev', b'{"EventID":1,"Provider_Na'])
def test_a_log_that_has_no_whole_line_yet_is_empty(pysmon: Caller, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(data)
    assert pysmon("log", path) == (1, "", f"pysmon: {path}: no event of Sysmon in it\n")


def test_a_named_pipe_is_read_once_and_whole(pysmon: Caller, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    lines = b"".join(json_line(entry) + b"\n" for entry in intrusion().entries)
    writer = Thread(target=(tmp_path / "pipe").write_bytes, args=[lines])
    writer.start()
    answer = pysmon("log", tmp_path / "pipe", "--all", "--format", "json")
    writer.join()
    assert (answer.code, answer.out.encode()) == (0, lines)


def test_a_folder_without_logs_is_told(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("log", "--from", tmp_path)
    assert (answer.code, answer.out) == (2, "")
    assert f"{tmp_path}: no logs in it" in answer.err


def test_standard_input_can_be_read(tmp_path: Path) -> None:
    lines = b"".join(json_line(entry) + b"\n" for entry in intrusion().entries)
    asked = [*PROGRAM, "log", "--from", "-", "--id", "22", "--format", "json"]
    done = subprocess.run(asked, input=lines, capture_output=True, env=environment(), timeout=60, check=True)
    assert [json.loads(line)["QueryName"] for line in done.stdout.splitlines()] == ["evil.example"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_is_followed_until_it_is_interrupted(tmp_path: Path, kind: str) -> None:
    entries = intrusion().entries
    _, path = written(kind, tmp_path, entries[:5])
    asked = [*PROGRAM, "log", kind, str(path), "--follow", "--last", "1", "--format", "json", "--id", "3,11"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, env=environment()) as follower:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["EventRecordID"] == 4
        if kind == "--from":
            with path.open("ab") as file:
                for entry in entries[5:]:
                    file.write(json_line(entry)[:50])
                    file.flush()
                    file.write(json_line(entry)[50:] + b"\n")
        else:
            sink = StoreSink(path)
            sink.write(entries[5:])
            sink.close()
        assert [json.loads(follower.stdout.readline())["EventRecordID"] for _ in range(2)] == [5, 8]
        os.kill(follower.pid, signal.SIGINT)
        assert follower.stdout.read() == b""
    assert follower.returncode == 0


def test_a_reader_that_leaves_ends_the_command(tmp_path: Path) -> None:
    cast = Cast()
    for number in range(5000):
        cast.create(7, f"/tmp/{number}")
    _, path = written("--from", tmp_path, cast.entries)
    with subprocess.Popen(
        [*PROGRAM, "log", "--from", str(path), "--all"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as shown:
        assert shown.stdout is not None
        assert shown.stderr is not None
        shown.stdout.readline()
        shown.stdout.close()
        assert shown.stderr.read() == b""
    assert shown.returncode == 141


def test_the_last_of_a_file_are_exact_whatever_stands_before_and_between(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = [json_line(entry) for entry in intrusion().entries]
    path.write_bytes(b"\n".join([b"nonsense", *lines, b""]))
    assert pysmon("log", "--from", path, "-n", 2, "--format", "json").out.encode() == b"\n".join([*lines[-2:], b""])
    path.write_bytes(b"\n".join([*lines[:-1], b"nonsense", b"", lines[-1], b""]))
    answer = pysmon("log", "--from", path, "-n", 3, "--format", "json")
    assert answer.out.encode() == b"\n".join([*lines[-3:], b""])
    assert "damaged at 1 place (line 13: " in answer.err


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_that_is_replaced_is_followed_on(tmp_path: Path, kind: str) -> None:
    entries = intrusion().entries
    _, path = written(kind, tmp_path, entries[:5])
    asked = [*PROGRAM, "log", kind, str(path), "--follow", "--last", "1", "--format", "json"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, env=environment()) as follower:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["EventRecordID"] == 4
        for old in tmp_path.iterdir():
            old.rename(old.with_name(f"old-{old.name}"))
        time.sleep(0.7)  # it looks for the log at least once while there is none
        written(kind, tmp_path, entries[6:8])
        assert [json.loads(follower.stdout.readline())["EventRecordID"] for _ in range(2)] == [6, 7]
        os.kill(follower.pid, signal.SIGTERM)
    assert follower.returncode == 0
