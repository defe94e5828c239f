"""The way in: which language a line speaks, and what becomes of errors."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
from tests.cli.calls import PROGRAM, Caller, environment

from pysmon.cli.app import app
from pysmon.release import VERSION


def test_the_version_is_told(pysmon: Caller) -> None:
    assert pysmon("--version") == (0, f"pysmon {VERSION}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
def test_the_help_lists_every_command(pysmon: Caller, arguments: list[str]) -> None:
    answer = pysmon(*arguments)
    assert answer.code == 0
    for name in app.commands:
        assert f"\n  {name} " in answer.out


@pytest.mark.parametrize("name", sorted(app.commands))
def test_every_command_has_help_with_examples(pysmon: Caller, name: str) -> None:
    answer = pysmon(name, "--help")
    assert answer.code == 0
    assert f"Examples:\n    pysmon {name}" in answer.out


def test_without_arguments_the_help_is_shown_as_an_answer_to_misuse(pysmon: Caller) -> None:
    answer = pysmon()
    assert answer.code == 2
    assert "Examine configurations:" in answer.out + answer.err


@pytest.mark.parametrize("arguments", [["chek", "x"], ["--foo"], ["check", "--foo"]])
def test_what_is_not_known_is_misuse(pysmon: Caller, arguments: list[str]) -> None:
    answer = pysmon(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "Error: No such " in answer.err


def test_a_reader_that_leaves_is_no_error_to_talk_about() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [*PROGRAM, "schema", "all"]
    pipes = {"stdout": writing, "stderr": subprocess.PIPE}
    done = subprocess.run(command, env=environment(), timeout=60, check=False, **pipes)  # type: ignore[call-overload]
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_is_told_in_a_line() -> None:
    with open("/dev/full", "wb") as full:
        command = [*PROGRAM, "schema", "all"]
        done = subprocess.run(command, env=environment(), timeout=60, check=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 3
    assert done.stderr.decode().splitlines() == ["pysmon: standard output: No space left on device"]


def test_an_interrupt_is_no_error_to_talk_about() -> None:
    command = [*PROGRAM, "check", "-"]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(), **pipes) as running:  # type: ignore[call-overload]
        running.stdin.write(b" " * (1 << 20))  # more than a pipe holds: it is reading when this is done
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (130, b"")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_output_is_one_that_nobody_hears(closed: str, tmp_path: Path) -> None:
    """Nor does a file that is written take its place."""
    out = tmp_path / "rules.bin"
    good = tmp_path / "good.xml"
    rules = '<FileCreate onmatch="exclude"/>'
    good.write_text(f'<Sysmon schemaversion="4.90"><EventFiltering>{rules}</EventFiltering></Sysmon>')
    command = shlex.join([*PROGRAM, "blob", "encode", str(good), "-o", str(out)])
    done = subprocess.run(["sh", "-c", f"{command} {closed}"], env=environment(), timeout=60, check=False)
    assert done.returncode == 0
    again = subprocess.run([*PROGRAM, "blob", "decode", str(out)], env=environment(), timeout=60, check=False)
    assert again.returncode == 0
