"""What docs/sources.md shows is what the commands print of the real logs that it names."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import click
import pytest
from tests.cli.calls import Caller
from tests.conftest import ROOT

from pysmon.cli.app import app
from pysmon.sources.open import SHAPES

PAGE = (ROOT / "docs" / "sources.md").read_text()
SHOWN = re.findall(r"```console\n\$ pysmon (.*)\n([^`]*(?:`-[^`]*)*)```", PAGE)
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
LOGS = {
    "psexec.evtx": "mitre-ID11,13,17,18-PSexec_as_system_execution.evtx",
    "wmi.evtx": "mitre-ID19-20-WMI_registration_via_PowerLurk.evtx",
    "torn.evtx": "omerbenamram-sysmon.evtx",
}


@pytest.fixture
def folder(tmp_path: Path, shared: Callable[[str], Path]) -> Path:
    for name, real in LOGS.items():
        shutil.copy(shared(f"data/evtx/{real}"), tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_sample_is_what_comes_out(pysmon: Caller, folder: Path, command: str, output: str) -> None:
    with chdir(folder):
        answer = pysmon(*shlex.split(command))
    assert answer.out == output
    told = answer.err.split("; ")[0]
    assert told in PAGE


def test_the_new_commands_have_samples() -> None:
    assert {command.split()[0] for command, _ in SHOWN} == {"tree", "log", "timeline", "find"}


def test_the_program_runs(folder: Path) -> None:
    (program,) = PROGRAMS
    (folder / "program.py").write_text(program)
    with chdir(folder):
        runpy.run_path("program.py")


def test_every_shape_is_listed() -> None:
    listed = re.findall(r"`([\w-]+)`", " ".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)))
    assert set(listed) == SHAPES.keys()


def test_every_option_of_find_is_described() -> None:
    shared_options = {o for p in app.commands["timeline"].params for o in p.opts}
    own = {o for p in app.commands["find"].params if isinstance(p, click.Option) for o in p.opts if o[:2] == "--"}
    assert own - shared_options - {"--format"} <= set(re.findall(r"(?<![\w-])--[a-z-]+", PAGE))
