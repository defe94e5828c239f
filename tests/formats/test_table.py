"""The table of text formats."""

from __future__ import annotations

import pytest
from tests.formats.entries import create

from pysmon.formats.table import FORMATS, Format


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS.keys())
def test_a_format_says_truly_whether_it_writes_one_line(form: Format) -> None:
    shown = form.render(create(CommandLine="a\nb\u2029c")).decode()
    assert not shown.endswith("\n")
    assert (len(shown.splitlines()) == 1) is form.one_line
    assert form.about
