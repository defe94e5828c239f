"""What docs/log.md shows is what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from tests.cli.calls import Caller
from tests.cli.logs import written
from tests.conftest import ROOT
from tests.views.cast import intrusion

from pysmon.cli.app import app

PAGE = (ROOT / "docs" / "log.md").read_text()
SHOWN = re.findall(r"```console\n\$ pysmon (.*)\n([^`]*(?:`-[^`]*)*)```", PAGE)
NAMED = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE))


def test_every_command_has_its_sample() -> None:
    assert [command.split()[0] for command, _ in SHOWN] == ["log", "tree", "story", "who"]


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_sample_is_what_comes_out(pysmon: Caller, tmp_path: Path, command: str, output: str) -> None:
    answer = pysmon(*shlex.split(command), *written("--from", tmp_path, intrusion().entries))
    assert answer.out == output


@pytest.mark.parametrize("name", ["log", "tree", "story", "who"])
def test_every_option_is_described_and_every_described_one_exists(name: str) -> None:
    options = {o for p in app.commands[name].params if isinstance(p, click.Option) for o in p.opts if o[:2] == "--"}
    assert options <= NAMED
    known = {o for c in app.commands.values() for p in c.params if isinstance(p, click.Option) for o in p.opts}
    assert known >= NAMED - {"--install"}
