"""`pysmon status`, on a real control socket with a service of our own making behind it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.calls import PROGRAM, Caller, environment
from tests.service.controls import FakeControls
from tests.service.sample import HEALTHY, ILL

from pysmon.service.control import ControlServer
from pysmon.service.paths import Paths
from pysmon.service.status_page import page


@pytest.fixture
def controls() -> FakeControls:
    return FakeControls()


@pytest.fixture
def root(tmp_path: Path, controls: FakeControls) -> Iterator[Path]:
    with ControlServer(Paths.under(tmp_path).control, controls):
        yield tmp_path


def text_of(status: object) -> str:
    lines = page(HEALTHY if status is HEALTHY else ILL)
    return "".join("".join(piece.text for piece in line.pieces).rstrip() + "\n" for line in lines)


def test_a_healthy_service_is_fine(pysmon: Caller, root: Path) -> None:
    assert pysmon("status", "--root", root) == (0, text_of(HEALTHY), "")


def test_what_is_wrong_is_a_finding(pysmon: Caller, root: Path, controls: FakeControls) -> None:
    controls.current = ILL
    assert pysmon("status", "--root", root) == (1, text_of(ILL), "")


def test_json_is_what_the_socket_says(pysmon: Caller, root: Path, controls: FakeControls) -> None:
    controls.current = ILL
    answer = pysmon("status", "--json", "--root", root)
    assert answer.code == 1
    assert answer.out.count("\n") == 1
    document = json.loads(answer.out)
    assert document["healthy"] is False
    assert document["outputs"][1]["trouble"] == "Connection refused"


def test_a_service_that_does_not_run_is_told_apart(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("status", "--root", tmp_path)
    assert answer.code == 3
    assert answer.out == ""
    assert answer.err.startswith(f"pysmon: the service is not running: nobody listens on {tmp_path}/run/pysmon/")
    assert "systemctl start pysmon" in answer.err


def test_it_is_watched_until_a_signal_and_the_last_look_counts(root: Path, controls: FakeControls) -> None:
    controls.current = ILL
    command = [*PROGRAM, "status", "--json", "--watch", "0.1", "--root", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as watching:
        assert watching.stdout is not None
        documents = [json.loads(watching.stdout.readline()) for _ in range(3)]
        watching.send_signal(signal.SIGINT)
        watching.stdout.read()
        assert watching.wait(30) == 1
    assert [document["healthy"] for document in documents] == [False] * 3


def test_on_a_terminal_what_is_wrong_has_its_colour(root: Path, controls: FakeControls) -> None:
    controls.current = ILL
    ours, theirs = os.openpty()
    command = [*PROGRAM, "status", "--root", str(root)]
    variables = {k: v for k, v in environment().items() if k != "NO_COLOR"} | {"TERM": "xterm-256color"}
    with subprocess.Popen(command, stdout=theirs, env=variables) as shown:
        os.close(theirs)
        text = b""
        while True:
            try:
                text += os.read(ours, 1 << 16)
            except OSError:  # the terminal is gone with its program
                break
        assert shown.wait(30) == 1
    os.close(ours)
    assert b"\x1b[1;31mbad " in text
