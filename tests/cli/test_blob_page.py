"""What docs/blob.md shows is what the commands print."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.calls import Caller
from tests.cli.pages import Page

from pysmon.config.blob.encode import encode
from pysmon.config.read import read_configuration

PAGE = Page("blob.md")


def test_the_samples_are_what_comes_out(pysmon: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    PAGE.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = read_configuration(PAGE.files["config.xml"].encode(), "config.xml").configuration
    assert found
    data = bytearray(encode(found))
    data[4] = 7
    Path("broken.bin").write_bytes(data)
    assert [command.split()[0] for command, _ in PAGE.samples] == ["dump", "blob", "blob", "blob"]
    assert PAGE.differing(pysmon) == []
