"""The manual of the outputs (docs/outputs.md) says what the table of outputs says."""

from __future__ import annotations

import re
import tomllib

import pytest
from tests.conftest import ROOT

from pysmon.sinks.kinds import OUTPUTS

PAGE = (ROOT / "docs" / "outputs.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_has_a_section_with_all_its_options(name: str) -> None:
    cells = re.findall(r"^\| (`.+?) \|", SECTIONS[name], re.M)
    listed = [option for cell in cells for option in re.findall(r"`(\w+)`", cell)]
    assert listed == [option.name for option in OUTPUTS[name].options if option.name != "key"] + (
        ["key"] if name == "syslog" else []
    )


def test_the_settings_in_the_manual_are_ones_that_may_be_given() -> None:
    tables = [
        table for block in re.findall(r"```toml\n(.*?)```", PAGE, re.S) for table in tomllib.loads(block)["output"]
    ]
    assert {table["type"] for table in tables} == set(OUTPUTS)
    for table in tables:
        options = {option.name: option for option in OUTPUTS[table.pop("type")].options}
        for name, value in table.items():
            options[name].read(value)
