"""The exit codes of every command of the workbench, in one table: the same trouble gives the same code everywhere.

0 fine, 1 something was found (or nothing, where something was looked for), 2 what was named makes no sense or is not
there, 3 this machine does not let us.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.cli.calls import BAD, PROGRAM, Caller, environment
from tests.sources.shapes import FILES

from pysmon.cli.app import TOPICS, app

CONFIG = """<Sysmon schemaversion="4.90"><EventFiltering>
  <ProcessCreate onmatch="include"><Image name="technique_id=T1059" condition="end with">.exe</Image></ProcessCreate>
</EventFiltering></Sysmon>
"""
TESTS = "tests:\n  - {event: {EventID: 1, Image: 'C:\\a.exe'}, expect: keep}\n"
UNREADABLE = Path("/proc/self/mem")  # it can be opened, also by root, and not be read
FULL = Path("/dev/full")
READERS = {"log", "who", "story", "tree", "timeline", "find"}


class Call(NamedTuple):
    """How a command is called: what stands for a configuration is C, for a log L, for a file of tests T."""

    arguments: str
    config: bool = False
    log: bool = False
    writes: str = ""  # the option that names a file to write
    found: int = 0  # the exit code if all is well


CALLS = {
    "check": Call("C", config=True),
    "lint": Call("C --select L3", config=True),
    "explain": Call("C L --record 6577", config=True, log=True),
    "test": Call("C T", config=True, writes="--junit"),
    "replay": Call("C L", config=True, log=True, writes="-o"),
    "diff": Call("C C L", config=True, log=True),
    "coverage": Call("C", config=True, writes="--layer"),
    "dump": Call("C", config=True),
    "fmt": Call("C", config=True),
    "merge": Call("C", config=True, writes="-o"),
    "split": Call("C -o O", config=True),
    "convert": Call("C --to-version 4.90", config=True, writes="-o"),
    "blob encode": Call("C", config=True, writes="-o"),
    "blob decode": Call("B", writes="-o"),
    "log": Call("L", log=True),
    "who": Call("--file x.exe L", log=True),
    "story": Call("2680 L", log=True),
    "tree": Call("L", log=True),
    "timeline": Call("L", log=True),
    "find": Call("exe L", log=True),
    "explain-problem": Call("C404"),
    "schema": Call(""),
}
OF_CONFIGURATIONS = [name for name, call in CALLS.items() if call.config]
OF_LOGS = [name for name, call in CALLS.items() if call.log]
OF_FILES = list(dict.fromkeys([*OF_CONFIGURATIONS, *OF_LOGS, "blob decode"]))
Files = dict[str, Path]


@pytest.fixture
def files(tmp_path: Path, pysmon: Caller) -> Files:
    found = {"C": tmp_path / "config.xml", "L": tmp_path / "log.xml", "T": tmp_path / "tests.yaml"}
    found |= {"O": tmp_path / "parts", "B": tmp_path / "rules.bin"}
    found["C"].write_text(CONFIG)
    found["L"].write_bytes(FILES["wevtutil"][1])
    found["T"].write_text(TESTS)
    assert pysmon("blob", "encode", found["C"], "-o", found["B"]).code == 0
    return found


def line(name: str, files: Files, **other: Path) -> list[str]:
    given = {**files, **other}
    return [*name.split(), *(str(given.get(word, word)) for word in CALLS[name].arguments.split())]


def subject(name: str) -> str:
    """What stands for the file that the command is mainly about."""
    return "L" if CALLS[name].log else "C" if CALLS[name].config else "B"


def test_every_command_of_the_workbench_is_in_the_table() -> None:
    topics = [*TOPICS["Examine configurations"], *TOPICS["Change configurations"], *TOPICS["Ask logs"]]
    assert {name.split()[0] for name in CALLS} == set(topics)


@pytest.mark.parametrize("name", CALLS)
def test_all_is_well(pysmon: Caller, files: Files, name: str) -> None:
    answer = pysmon(*line(name, files))
    assert (answer.code, "Traceback" in answer.err) == (CALLS[name].found, False)


@pytest.mark.parametrize("name", OF_FILES)
@pytest.mark.parametrize("kind", ["absent", "folder"])
def test_a_file_that_is_not_there_or_is_a_folder_is_misuse(
    pysmon: Caller, files: Files, tmp_path: Path, name: str, kind: str
) -> None:
    path = tmp_path / "named"
    if kind == "folder":
        path.mkdir()
    answer = pysmon(*line(name, files, **{subject(name): path}))
    assert answer.code == 2
    assert str(path) in answer.err + answer.out
    assert len(answer.err.splitlines()) <= 2


@pytest.mark.parametrize("name", OF_FILES)
def test_a_file_that_cannot_be_read_is_the_environments(pysmon: Caller, files: Files, name: str) -> None:
    if not UNREADABLE.exists():
        pytest.skip(f"there is no {UNREADABLE}, which can be opened and not be read")
    answer = pysmon(*line(name, files, **{subject(name): UNREADABLE}))
    assert answer.code == 3
    assert f"{UNREADABLE}: " in answer.err + answer.out
    assert "Input/output error" in answer.err + answer.out


@pytest.mark.parametrize("name", OF_CONFIGURATIONS)
def test_a_configuration_with_errors_is_misuse_except_for_who_looks_for_them(
    pysmon: Caller, files: Files, name: str
) -> None:
    files["C"].write_text(BAD)
    answer = pysmon(*line(name, files))
    assert answer.code == (1 if name in ("check", "lint") else 2)
    assert "Imagine" in answer.err + answer.out


@pytest.mark.parametrize("name", OF_LOGS)
def test_a_log_of_unknown_shape_is_misuse(pysmon: Caller, files: Files, name: str) -> None:
    files["L"].write_bytes(b"\0\1no log at all\n" * 10)
    answer = pysmon(*line(name, files))
    assert answer.code == 2
    assert f"{files['L']}: in no shape of logs that is known" in answer.err


@pytest.mark.parametrize("name", OF_LOGS)
@pytest.mark.parametrize("data", [b"", FILES["wevtutil"][1].splitlines()[-1]], ids=["empty", "of other channels"])
def test_a_log_without_events_is_told(pysmon: Caller, files: Files, name: str, data: bytes) -> None:
    files["L"].write_bytes(data)
    answer = pysmon(*line(name, files))
    assert answer.code == (2 if name == "explain" else 1)
    assert f"{files['L']}: no event of Sysmon in it" in answer.err


@pytest.mark.parametrize("name", OF_LOGS)
def test_a_shape_that_was_forced_and_finds_nothing_is_told(pysmon: Caller, files: Files, name: str) -> None:
    answer = pysmon(*line(name, files), "--input-format", "nxlog")
    assert answer.code == (2 if name == "explain" else 1)
    assert "no event of Sysmon in it, read as nxlog" in answer.err


@pytest.mark.parametrize("name", OF_LOGS)
def test_damage_is_told_in_one_way(pysmon: Caller, files: Files, name: str) -> None:
    files["L"].write_bytes(FILES["wevtutil"][1] + b"\n<Event>x</Event>\n<Event>")
    answer = pysmon(*line(name, files))
    assert answer.code == (1 if name in ("replay", "diff") else 0)
    if name != "explain":  # which reads as far as it has to
        assert f"pysmon: {files['L']}: damaged at 2 places (" in answer.err


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.writes])
def test_a_full_disk_is_the_environments_and_the_message_says_where(pysmon: Caller, files: Files, name: str) -> None:
    if not FULL.exists():
        pytest.skip(f"there is no {FULL}")
    answer = pysmon(*line(name, files), CALLS[name].writes, FULL)
    assert answer.code == 3
    assert f"{FULL}: No space left on device" in answer.err


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.writes])
def test_a_folder_that_is_not_there_cannot_be_written_to(
    pysmon: Caller, files: Files, tmp_path: Path, name: str
) -> None:
    answer = pysmon(*line(name, files), CALLS[name].writes, tmp_path / "no" / "file")
    assert answer.code == 3
    assert f"{tmp_path / 'no'}" in answer.err


def started(arguments: list[str], stdout: int) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, *arguments], stdout=stdout, stderr=subprocess.PIPE, env=environment(), timeout=60, check=False
    )


def test_standard_output_on_a_full_disk_is_told(files: Files) -> None:
    if not FULL.exists():
        pytest.skip(f"there is no {FULL}")
    with FULL.open("wb") as full:
        for name in ("dump", "log", "replay"):
            done = started(line(name, files), full.fileno())
            assert (name, done.returncode) == (name, 3)
            assert done.stderr.splitlines()[-1] == b"pysmon: standard output: No space left on device"


def test_a_reader_that_left_is_no_error(files: Files) -> None:
    for name in ("dump", "log", "replay"):
        files["L"].write_bytes(FILES["wevtutil"][1].split(b"\n")[0])
        reader, writer = os.pipe()
        os.close(reader)
        try:
            done = started(line(name, files), writer)
        finally:
            with suppress(OSError):
                os.close(writer)
        assert (name, done.returncode, done.stderr) == (name, 141, b"")


@pytest.mark.parametrize("name", CALLS)
def test_an_option_that_does_not_exist_is_misuse(pysmon: Caller, files: Files, name: str) -> None:
    answer = pysmon(*line(name, files), "--no-such-option")
    assert (answer.code, answer.out) == (2, "")


def test_every_command_says_its_exit_codes() -> None:
    found: Callable[[str], str] = lambda name: str(app.commands[name].epilog)  # noqa: E731 - a name for the line
    assert [name for name in app.commands if name in CALLS and "Exit code: 0" not in found(name)] == []


def test_a_log_in_the_place_of_a_configuration_is_told(pysmon: Caller, files: Files) -> None:
    for name in ("replay", "dump", "coverage", "merge"):
        answer = pysmon(*line(name, files, C=files["L"]))
        assert (name, answer.code, len(answer.err.splitlines())) == (name, 2, 1)
        assert f"{files['L']} is a log: event XML of Windows" in answer.err
    answer = pysmon("replay", files["C"], files["C"])
    assert (answer.code, "that is a configuration" in answer.err) == (2, True)


def test_many_lines_are_counted(pysmon: Caller, tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.xml").write_bytes(FILES["wevtutil"][1] + b"\n<Event>x</Event>")
    answer = pysmon("find", "--count", "x.exe", tmp_path)
    lines = answer.err.splitlines()
    assert len(lines) == 22
    assert lines[-2:] == [
        "pysmon: and 40 more lines like these",
        "pysmon: 30 of 30 logs damaged, at 30 places",
    ]
