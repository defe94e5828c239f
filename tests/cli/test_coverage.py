"""`pysmon coverage`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.calls import Caller

from pysmon.lint.check import include

CONFIG = include(
    "ProcessCreate",
    '<Image condition="image" name="technique_id=T1059.001,technique_name=PowerShell">powershell.exe</Image>\n'
    '<Image condition="image" name="T1086">pwsh.exe</Image>\n'
    '<Image condition="image" name="Caution">x.exe</Image>\n'
    '<Image condition="image">y.exe</Image>',
)
TABLE = """\
technique  conditions  events and names
T1059.001           1  ProcessCreate: PowerShell
T1086               1  ProcessCreate: revoked, now T1059.001

1 technique by 2 conditions
includes without a name: 1 condition
names without a technique: Caution (line 7)
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mine.xml"
    path.write_text(CONFIG)
    return path


def test_techniques_are_listed(pysmon: Caller, config: Path) -> None:
    assert pysmon("coverage", config) == (0, TABLE, "")


def test_a_layer_is_written(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    layer = tmp_path / "layer.json"
    assert pysmon("coverage", "--layer", layer, config).out == TABLE
    written = json.loads(layer.read_text())
    assert (written["name"], written["versions"]["layer"]) == ("mine", "4.5")
    assert [technique["techniqueID"] for technique in written["techniques"]] == ["T1059.001"]
    assert json.loads(pysmon("coverage", "--layer", "-", config).out) == written


def test_json_has_every_technique(pysmon: Caller, config: Path) -> None:
    told = json.loads(pysmon("coverage", "--json", config).out)
    assert [(technique["id"], technique["now"]) for technique in told["techniques"]] == [
        ("T1059.001", "T1059.001"),
        ("T1086", "T1059.001"),
    ]
    assert told["untagged_names"] == [{"name": "Caution", "line": 7}]
    assert told["conditions_without_name"] == 1


def test_a_configuration_that_names_none_is_a_finding(pysmon: Caller, good: Path) -> None:
    answer = pysmon("coverage", good)
    assert answer.code == 1
    assert "0 techniques by 0 conditions" in answer.out


def test_a_layer_and_a_document_do_not_go_to_one_place(pysmon: Caller, config: Path) -> None:
    answer = pysmon("coverage", "--json", "--layer", "-", config)
    assert (answer.code, answer.out) == (2, "")
