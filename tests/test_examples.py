"""The examples do what they say, and leave nothing behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.conftest import ROOT

from pysmon.config.read import read_file
from pysmon.rules.ruleset import Ruleset

EXAMPLES = ROOT / "examples"


def test_the_staged_intrusion_runs_its_payload_and_leaves_nothing_behind(tmp_path: Path) -> None:
    run = subprocess.run(
        ["sh", EXAMPLES / "intrusion.sh"],
        env={"TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("update: running as ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.xml")), ids=lambda p: p.name)
def test_an_example_configuration_has_no_problems(path: Path) -> None:
    assert read_file(path).problems == ()


def test_the_configuration_that_keeps_everything_does() -> None:
    ruleset = Ruleset.compile(read_file(EXAMPLES / "everything.xml").configuration)
    assert [i for i in (1, 3, 5, 11, 23) if ruleset.wants(i)] == [1, 3, 5, 11, 23]
