"""What docs/edit.md shows is what the commands print."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.calls import Caller
from tests.cli.pages import Page

PAGE = Page("edit.md")


def test_the_samples_are_what_comes_out(pysmon: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    PAGE.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert sorted({command.split()[0] for command, _ in PAGE.samples}) == ["convert", "fmt", "merge", "split"]
    assert PAGE.differing(pysmon) == []
