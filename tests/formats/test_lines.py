"""The table of line formats."""

from __future__ import annotations

import pytest
from tests.formats.entries import create

from pysmon.formats.lines import LINE_FORMATS, LineFormat


@pytest.mark.parametrize("form", LINE_FORMATS.values(), ids=LINE_FORMATS.keys())
def test_a_format_writes_one_line_and_says_what_it_is(form: LineFormat) -> None:
    assert form.line(create(CommandLine="a\nb\u2029c")).decode().splitlines() == [
        form.line(create(CommandLine="a\nb\u2029c")).decode()
    ]
    assert form.about
