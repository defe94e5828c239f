"""Which language a command line speaks."""

from __future__ import annotations

import pytest

from pysmon.cli.language import is_classic


@pytest.mark.parametrize("line", ["-c x.xml", "-?", "-?  config", "-h md5 -i", "--", "-nologo -s", "/?", "-x"])
def test_a_line_that_begins_with_a_switch_is_classic(line: str) -> None:
    assert is_classic(line.split())


@pytest.mark.parametrize("line", ["", "-h", "--help", "--version", "run -c x.xml", "check x", "--nologo", "/bin/true"])
def test_any_other_line_is_not(line: str) -> None:
    assert not is_classic(line.split())
