"""`pysmon schema`."""

from __future__ import annotations

import pytest
from lxml import etree
from tests.cli.calls import Caller

from pysmon.schema.manifest import manifest_xml
from pysmon.schema.shape import Platform
from pysmon.schema.version import SchemaVersion
from pysmon.schema.versions import SCHEMAS, newest


@pytest.mark.parametrize("platform", ["linux", "windows"])
def test_the_newest_schema_is_printed_without_a_version(pysmon: Caller, platform: Platform) -> None:
    assert pysmon("schema", "--platform", platform) == (0, manifest_xml(newest(platform).version, platform), "")


def test_all_schemas_are_printed_newest_first(pysmon: Caller) -> None:
    out = pysmon("schema", "all").out
    roots = etree.fromstring(f"<all>{out}</all>")
    assert [root.get("schemaversion") for root in roots] == [
        known.written for known in sorted(SCHEMAS, reverse=True, key=lambda known: known.version)
    ]


def test_a_version_that_only_windows_has_is_printed_without_asking_for_windows(pysmon: Caller) -> None:
    assert pysmon("schema", "4.91") == (0, manifest_xml(SchemaVersion(4, 91), "windows"), "")


def test_a_version_is_found_as_a_number_too(pysmon: Caller) -> None:
    assert pysmon("schema", "4.20") == (0, manifest_xml(SchemaVersion(4, 20), "linux"), "")


def test_a_version_may_be_how_several_begin(pysmon: Caller) -> None:
    out = pysmon("schema", "4.3").out
    assert [root.get("schemaversion") for root in etree.fromstring(f"<all>{out}</all>")] == ["4.32", "4.31", "4.30"]


def test_an_unknown_version_is_told_with_those_that_there_are(pysmon: Caller) -> None:
    answer = pysmon("schema", "7.1")
    assert (answer.code, answer.out) == (2, "")
    assert "There is no schema that matches that version." in answer.err
    assert "known versions: 4.91, 4.90" in answer.err
