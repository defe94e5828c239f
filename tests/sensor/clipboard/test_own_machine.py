"""All displays of a machine, on one that has only a display of the test's."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.conftest import ROOT
from tests.sensor.clipboard.conftest import NOBODY, need

from pysmon.sensor.clipboard.displays import Session
from pysmon.sensor.clipboard.wire import display_of


def test_the_displays_of_all_users_are_found_from_a_service_with_another_tmp(root: None) -> None:
    need("Xvfb", "xclip", "unshare")
    command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", sys.executable]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    ran = subprocess.run(
        [*command, "-m", "tests.sensor.clipboard.own_machine"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    told, read = ran.stdout.splitlines()
    display = display_of(told)
    assert (display.kind, display.uid, display.session) == ("x11", NOBODY, Session(5, "5", "desk"))
    assert display.socket == f"/tmp/.X11-unix/X{display.name[1:]}"
    assert json.loads(read) == [NOBODY, 5, "mine"]
