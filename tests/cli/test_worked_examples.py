"""What pages of the documentation show of real logs and configurations is what the commands print.

A line `...` in a sample stands for any number of lines. A block of XML or YAML that begins with a comment is the file
of that name.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tests.cli.calls import Caller
from tests.cli.real_files import put_real_files
from tests.conftest import ROOT

PAGES = {  # with the commands that each must show
    "commands.md": {"find", "check"},
    "check.md": {"check", "explain-problem"},
    "lint.md": {"lint"},
    "explain.md": {"explain"},
    "coverage.md": {"coverage"},
    "testing-configurations.md": {"test"},
    "sources.md": {"tree", "log", "timeline", "find"},
}
_FILE = re.compile(r"```(?:xml|yaml)\n((?:<!-- |# )(\S+)(?: -->)?\n.*?)```", re.DOTALL)
_SAMPLE = re.compile(r"```console\n\$ pysmon ([^\n]*)\n(.*?)```", re.DOTALL)


def samples(page: str) -> list[tuple[str, str]]:
    return _SAMPLE.findall((ROOT / "docs" / page).read_text())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    put_real_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shows(shown: str, printed: str) -> bool:
    """Whether a sample is what was printed, but for the lines that it leaves away."""
    parts = [re.escape(part) for part in re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE)]
    return re.fullmatch(r"(?:.*\n)*?".join(parts), printed) is not None


@pytest.mark.parametrize("page", PAGES)
def test_every_sample_is_what_comes_out(pysmon: Caller, folder: Path, page: str) -> None:
    for text, name in _FILE.findall((ROOT / "docs" / page).read_text()):
        (folder / name).write_text(text)
    for command, shown in samples(page):
        answer = pysmon(*shlex.split(command))
        told = "" if page == "sources.md" else answer.err  # that page shows it apart
        assert (command, shows(shown, told + answer.out) or told + answer.out) == (command, True)


@pytest.mark.parametrize(("page", "commands"), PAGES.items())
def test_every_command_has_its_sample(page: str, commands: set[str]) -> None:
    assert {command.split()[0] for command, _ in samples(page)} >= commands
