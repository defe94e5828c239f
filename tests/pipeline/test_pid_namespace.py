"""Inside of a PID namespace, as in most containers, where processes have other numbers than in the kernel's records."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pysmon.errors import SensorError
from pysmon.sensor.rights import check_rights
from pysmon.sensor.scope import in_pid_namespace

pytestmark = pytest.mark.vm

ROOT = Path(__file__).parents[2]
WATCHING = """
import json, os, subprocess, sys, threading, time
from pathlib import Path
from pysmon.pipeline.live import Session
from pysmon.sensor.scope import Scope
shell = subprocess.Popen(["/bin/sh", "-c", "read x; /bin/true of the tree"], stdin=subprocess.PIPE)
session = Session(None, Scope.of_tree(shell.pid), canary=Path(sys.argv[1]))
stop, give_up, seen = threading.Event(), time.monotonic() + 60, []
for batch in session.batches(stop):
    seen += [entry.event.text("CommandLine") for entry in batch if entry.event.type.id == 1]
    if session.sight and shell.poll() is None:
        shell.communicate(b"go\\n")
    if (session.sight and "/bin/true of the tree" in seen) or time.monotonic() > give_up:
        stop.set()
sight = session.sight
print(json.dumps({"own": os.getpid(), "ended": sight.ended, "blind": sorted(sight.blind), "seen": seen}))
"""


@pytest.fixture(autouse=True)
def kernel() -> None:
    """The right to use the sensor, and to make a namespace."""
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")
    if not shutil.which("unshare"):
        pytest.skip("no unshare on this machine")


def inside(*arguments: str) -> str:
    """What a Python says that has a PID namespace and a /proc of its own."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_command_is_seen_with_the_one_who_started_it() -> None:
    lines = inside("-m", "pysmon", "run", "--format", "json", "--", "/bin/true", "inside").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    (made,) = [event for event in events if event.get("CommandLine") == "/bin/true inside"]
    assert made["ParentCommandLine"].startswith(f"{sys.executable} -m pysmon run")
    assert made["ParentProcessId"] != 1 != made["ProcessId"]
    assert made["Extra"]["NamespacePid"] > 1
    assert made["Hashes"].startswith("SHA256=")


def test_a_tree_and_the_canary_are_found_by_the_numbers_of_the_namespace(tmp_path: Path) -> None:
    told = json.loads(inside("-c", WATCHING, str(tmp_path)))
    assert told == {"own": 1, "ended": True, "blind": [], "seen": ["/bin/true of the tree"]}


def test_who_is_in_one_knows_it() -> None:
    asked = "from pysmon.sensor.scope import in_pid_namespace; print(in_pid_namespace())"
    assert inside("-c", asked) == "True\n"


def test_where_proc_does_not_tell_one_is_taken_to_be_there(tmp_path: Path) -> None:
    assert in_pid_namespace(tmp_path)
