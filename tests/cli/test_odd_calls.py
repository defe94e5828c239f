"""What scripts and slips of the hand give to commands: names that are empty, options that do not go together."""

from __future__ import annotations

import json
import resource
import subprocess
from pathlib import Path

import pytest
from tests.cli.calls import PROGRAM, Caller, environment, spawned
from tests.cli.test_exits import CALLS, OF_FILES, READERS, Files, files, line, subject
from tests.sources.shapes import FILES

from pysmon.sources.streams import SAMPLE

__all__ = ["files"]
WRITERS = [name for name, call in CALLS.items() if call.writes]
EVENT = b'{"EventID": 1, "Image": "C:\\\\a.exe"}'


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_to_write_must_have_a_name(pysmon: Caller, files: Files, name: str) -> None:
    answer = pysmon(*line(name, files), CALLS[name].writes, "")
    assert answer.code == 2
    assert "empty name" in answer.err


@pytest.mark.parametrize("name", [name for name in OF_FILES if name != "tree"])
def test_a_file_to_read_must_have_a_name(pysmon: Caller, files: Files, name: str) -> None:
    given = [word or "" for word in line(name, files)]
    named = str(files[subject(name)])
    answer = pysmon(*("" if word == named else word for word in given))
    assert answer.code == 2
    assert "empty name" in answer.err + answer.out


@pytest.mark.parametrize("store", ["-o", "--store"])
def test_a_replay_writes_to_no_empty_name(pysmon: Caller, files: Files, store: str) -> None:
    assert pysmon(*line("replay", files), store, "").code == 2


@pytest.mark.parametrize("name", ["check", "lint"])
def test_two_forms_at_once_are_misuse(pysmon: Caller, files: Files, name: str) -> None:
    answer = pysmon(name, files["C"], "--json", "--format", "sarif")
    assert (answer.code, answer.out, "exclude each other" in answer.err) == (2, "", True)
    assert json.loads(pysmon(name, files["C"], "--json", "--format", "json").out)["files"]


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_an_option_of_lint_without_a_code_does_not_switch_it_off(pysmon: Caller, files: Files, option: str) -> None:
    answer = pysmon("lint", files["C"], option, " ,")
    assert (answer.code, answer.out, "no code is named" in answer.err) == (2, "", True)


def test_counting_has_no_format(pysmon: Caller, files: Files) -> None:
    answer = pysmon("find", "exe", files["L"], "--count", "--format", "xml")
    assert (answer.code, answer.out, "exclude each other" in answer.err) == (2, "", True)


def test_parts_go_into_a_folder(pysmon: Caller, files: Files, tmp_path: Path) -> None:
    answer = pysmon("split", files["C"], "-o", files["L"])
    assert (answer.code, answer.err) == (3, f"pysmon: {files['L']}: Not a directory\n")
    answer = pysmon("split", files["C"], "-o", "-")
    assert (answer.code, "standard output" in answer.err) == (2, True)
    assert not Path("-").exists()


@pytest.mark.parametrize("form", ["json", "evtx"])
def test_what_is_told_of_a_file_that_is_written_has_the_name_that_was_given(
    pysmon: Caller, files: Files, tmp_path: Path, form: str
) -> None:
    absent = tmp_path / "no" / f"kept.{form}"
    answer = pysmon("replay", files["C"], files["L"], "-o", absent)
    assert (answer.code, answer.err) == (3, f"pysmon: {absent}: No such file or directory\n")

    def smaller() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    kept = tmp_path / f"kept.{form}"
    done = subprocess.run(
        [*PROGRAM, "replay", str(files["C"]), str(files["L"]), "-o", str(kept)],
        capture_output=True,
        env={**environment(), "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=60,
        check=False,
        preexec_fn=smaller,
    )
    assert done.returncode == 3
    assert f"{kept}: File too large" in done.stderr.decode()
    assert not any(word in done.stderr.decode() for word in (".kept.", "--rotate"))
    assert not list(tmp_path.glob(".kept*"))
    assert not kept.exists()


@pytest.mark.parametrize("number", [b"1", b'"1"'])
def test_an_event_is_explained_that_comes_by_standard_input_or_in_a_file(
    files: Files, tmp_path: Path, number: bytes
) -> None:
    event = EVENT.replace(b"1", number, 1)
    (tmp_path / "event.json").write_bytes(b"\n" + event + b"\n")
    said = spawned("explain", files["C"], event.decode())
    assert (said.code, said.err) == (0, "")
    assert spawned("explain", files["C"], "-", stdin=event) == said
    assert spawned("explain", files["C"], tmp_path / "event.json") == said


def test_a_log_on_standard_input_stays_a_log(files: Files) -> None:
    log = FILES["winlogbeat"][1]
    answer = spawned("explain", files["C"], "-", stdin=log)
    assert (answer.code, "has several events" in answer.err) == (2, True)
    first = log.partition(b"\n")[0]
    assert spawned("explain", files["C"], "-", stdin=first).code == 0


def test_a_record_is_that_of_a_log(pysmon: Caller, files: Files) -> None:
    answer = pysmon("explain", files["C"], EVENT.decode(), "--record", "1")
    assert (answer.code, answer.out, "--record is for logs" in answer.err) == (2, "", True)


def test_tests_come_by_standard_input(files: Files) -> None:
    text = files["T"].read_bytes()
    answer = spawned("test", files["C"], "-", stdin=text)
    assert (answer.code, answer.out) == (0, "1 test: 1 passed, 0 failed\n")
    failed = spawned("test", files["C"], "-", "--json", stdin=text.replace(b"keep", b"drop"))
    assert (failed.code, json.loads(failed.out)["tests"][0]["file"]) == (1, "<stdin>")
    for arguments in (("-", "-"), (files["C"], "-", "-")):
        assert "only once" in spawned("test", *arguments, stdin=text).err


@pytest.mark.parametrize("name", [name for name in CALLS if subject(name) == "L" and name != "tree"])
def test_that_a_log_cannot_be_looked_for_is_the_environments(pysmon: Caller, files: Files, name: str) -> None:
    long = Path("x" * 300)
    answer = pysmon(*line(name, files, L=long))
    assert (answer.code, f"{long}: File name too long" in answer.err) == (3, True)


def test_a_first_event_longer_than_a_sample_is_found_on_standard_input(files: Files) -> None:
    log = FILES["security-datasets"][1].replace(b'"CommandLine":"', b'"CommandLine":"' + b"x" * SAMPLE, 1)
    answer = spawned("timeline", "-", "--json", stdin=log)
    assert (answer.code, len(json.loads(answer.out)["events"])) == (0, 4)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize("name", ["check", "test", "explain", "fmt", "dump"])
def test_a_console_that_knows_few_letters_gets_them_spelled_out(files: Files, encoding: str, name: str) -> None:
    config = files["C"].read_text()
    made = config.replace(".exe<", "\u0444\\<") if name != "check" else config.replace("Image", "\u0444")
    files["C"].write_text(made, encoding="utf-8")
    files["T"].write_text("tests: [{name: \u0444, event: {EventID: 1}, expect: keep}]\n", encoding="utf-8")
    done = subprocess.run(
        [*PROGRAM, *line(name, files)],
        capture_output=True,
        env={**environment(), "PYTHONIOENCODING": encoding},
        timeout=60,
        check=False,
    )
    assert (done.returncode in (0, 1), b"Traceback" in done.stderr) == (True, False), done.stderr
    letter = "\u0444".encode() if name in ("fmt", "dump") else b"\\u0444"  # what is made for programs is UTF-8
    assert letter in done.stdout


@pytest.mark.parametrize(
    ("name", "option"), [*((n, "--last") for n in sorted(READERS - {"story"})), ("find", "--first")]
)
def test_more_than_can_be_counted_is_all(pysmon: Caller, files: Files, name: str, option: str) -> None:
    answer = pysmon(*line(name, files), option, "9" * 30)
    assert (answer.code, answer.out) == (0, pysmon(*line(name, files), option, "1000").out)


@pytest.mark.parametrize("since", ["0001-01-01", "1969-12-31T23:59:59", "1970-01-01"])
def test_a_time_before_all_times_is_no_damage(pysmon: Caller, files: Files, tmp_path: Path, since: str) -> None:
    store = tmp_path / "store"
    assert pysmon("replay", files["C"], files["L"], "--store", store).code == 0
    everything = pysmon("timeline", "--store", store, "--all")
    assert (everything.code, everything.err) == (0, "")
    assert pysmon("timeline", "--store", store, "--since", since, "--until", "9999-12-31T23:59:59") == everything
    assert pysmon("timeline", "--store", store, "--until", since) == (1, "", "")


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_an_empty_time_is_none(pysmon: Caller, files: Files, option: str) -> None:
    answer = pysmon("timeline", files["L"], option, "")
    assert (answer.code, answer.out, "'' is no time" in answer.err) == (2, "", True)


@pytest.mark.parametrize("name", sorted(READERS))
def test_an_event_log_is_a_file_with_a_name(pysmon: Caller, files: Files, tmp_path: Path, name: str) -> None:
    words = [word for word in line(name, files) if word != str(files["L"])]
    for store, said in (("", "empty name"), (tmp_path, "is a folder")):
        answer = pysmon(*words, "--store", store)
        assert (answer.code, answer.out, said in answer.err) == (2, "", True)


@pytest.mark.parametrize(
    ("name", "option", "read"),
    [
        *(("replay", option, read) for option in ("-o", "--store") for read in "CL"),
        *(("test", "--junit", read) for read in "CT"),
        *(("coverage", "--layer", "C"), ("blob encode", "-o", "C"), ("blob decode", "-o", "B")),
    ],
)
def test_what_is_read_is_not_written_over_by_another_kind_of_file(
    pysmon: Caller, files: Files, name: str, option: str, read: str
) -> None:
    before = files[read].read_bytes()
    other = files[read].with_name("link")
    other.symlink_to(files[read])
    for path in (files[read], other):
        answer = pysmon(*line(name, files), option, path)
        assert (answer.code, answer.out, f"{path} is " in answer.err) == (2, "", True)
    assert files[read].read_bytes() == before


@pytest.mark.parametrize("name", ["merge", "convert"])
def test_a_configuration_may_take_its_own_place(pysmon: Caller, files: Files, name: str) -> None:
    assert pysmon(*line(name, files), "-o", files["C"]).code == 0
    assert pysmon("check", files["C"]).code == 0


def test_pushdown_is_text(pysmon: Caller, files: Files) -> None:
    answer = pysmon("explain", files["C"], "--pushdown", "--json")
    assert (answer.code, answer.out, "--pushdown" in answer.err) == (2, "", True)


@pytest.mark.parametrize("name", ["check", "dump", "test", "explain", "replay", "timeline", "blob decode"])
def test_standard_input_may_be_closed(files: Files, name: str) -> None:
    words = ["-" if word == str(files[subject(name)]) else word for word in line(name, files)]
    shell = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM, *words],
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert (shell.returncode, b"standard input is closed" in shell.stderr + shell.stdout) == (2, True)
