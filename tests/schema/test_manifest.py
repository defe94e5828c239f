"""The printed schemas against those that Sysmon itself prints or carries."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.conftest import shared_files

from pysmon.errors import MisuseError
from pysmon.schema.conditions import conditions_at
from pysmon.schema.event import EVENTS, Platform
from pysmon.schema.manifest import manifest_xml, shapes_at, versions_matching
from pysmon.schema.options import options_at
from pysmon.schema.version import SchemaVersion
from pysmon.schema.versions import SCHEMAS, newest, schemas

REFERENCES = shared_files("reference/schemas/schema-*.xml")


def _content(manifest: ElementTree.Element) -> dict[str, object]:
    """All that a manifest says, in its order."""
    filters = manifest.find("configuration/filters")
    assert filters is not None
    return {
        "manifest": manifest.attrib,
        "options": [o.attrib for o in manifest.iterfind("configuration/options/option")],
        "filters": (filters.attrib, filters.text),
        "events": [(e.attrib, [d.attrib for d in e]) for e in manifest.iterfind("events/event")],
        "elements": sum(1 for _ in manifest.iter()),
    }


def _wanted(file: Path) -> tuple[ElementTree.Element, Platform]:
    root = ElementTree.parse(file).getroot()
    manifest = root if root.tag == "manifest" else root[0]  # one of the files keeps the wrapping of Sysmon's sources
    return manifest, "windows" if file.stem.endswith("windows") else "linux"


@pytest.mark.parametrize("file", REFERENCES)
def test_a_printed_schema_says_what_sysmons_own_says(file: Path) -> None:
    wanted, platform = _wanted(file)
    printed = manifest_xml(SchemaVersion.parse(wanted.attrib["schemaversion"]), platform)
    made, expected = _content(ElementTree.fromstring(printed)), _content(wanted)
    for part in expected:
        assert made[part] == expected[part], part


def test_every_reference_schema_is_a_known_one_and_only_two_were_never_seen() -> None:
    files = [p.values[0] for p in REFERENCES if p.values[0] is not None]
    if not files:
        pytest.skip("no reference schemas beside the project")
    seen = {(w.attrib["schemaversion"], p) for w, p in map(_wanted, files)}
    assert {v for v, _ in seen} == {s.written for s in SCHEMAS if not s.note}
    assert {s.written for s in SCHEMAS if s.note} == {"4.82", "4.83"}


@pytest.mark.parametrize("platform", ["windows", "linux"])
def test_every_known_schema_prints_as_one_xml_document(platform: Platform) -> None:
    for schema in schemas(platform):
        root = ElementTree.fromstring(manifest_xml(schema.version, platform))
        assert root.attrib == {"schemaversion": schema.written, "binaryversion": schema.binary}
        assert len(root.findall("events/event")) == len(shapes_at(schema.version, platform))


def test_the_unseen_schemas_bring_the_events_that_the_release_notes_name() -> None:
    assert [s.id for s in shapes_at(SchemaVersion(4, 81), "windows")][-1] == 26
    assert [s.id for s in shapes_at(SchemaVersion(4, 82), "windows")][-1] == 27
    assert [s.id for s in shapes_at(SchemaVersion(4, 83), "windows")][-1] == 28


def test_windows_never_shows_hidden_events_internal_options_or_targets() -> None:
    for schema in schemas("windows"):
        text = manifest_xml(schema.version, "windows")
        assert "0xf00" not in text
        assert "target=" not in text
        assert "InternalRepresentation" not in text
    assert "0xf001" in manifest_xml(SchemaVersion(4, 10), "linux")


def test_a_version_without_a_schema_is_refused_and_told_so() -> None:
    with pytest.raises(MisuseError, match="no schema that matches") as caught:
        manifest_xml(SchemaVersion(4, 91), "linux")
    assert "4.91" in caught.value.hint


def test_the_newest_schemas_hold_all_events_of_the_catalogue() -> None:
    windows = {s.id for s in shapes_at(newest("windows").version, "windows")}
    linux = {s.id for s in shapes_at(newest("linux").version, "linux")}
    assert windows | linux == set(EVENTS)
    assert windows - linux == {27, 28, 29}
    assert linux - windows == {100}


def test_a_version_is_asked_for_by_how_it_begins() -> None:
    assert [s.written for s in versions_matching("4.3")] == ["4.32", "4.31", "4.30"]
    assert [s.written for s in versions_matching("4.2")] == ["4.23", "4.22", "4.21", "4.2"]
    assert [s.written for s in versions_matching("3")] == ["3.4", "3.3", "3.2", "3.10"]
    assert versions_matching("5") == ()
    assert versions_matching("4.91") == ()
    assert [s.written for s in versions_matching("4.91", "windows")] == ["4.91"]


def test_all_gives_all_and_nothing_gives_the_newest() -> None:
    assert versions_matching("all") == schemas("linux")
    assert versions_matching("ALL", "windows") == schemas("windows")
    assert [s.written for s in versions_matching("")] == ["4.90"]
    assert [s.written for s in versions_matching("", "windows")] == ["4.91"]


# What each schema holds: events, fields of all events, options, conditions. The reference files judge every word; these
# numbers hold where the files are not at hand.
HOLDS: list[tuple[str, Platform, int, int, int, int]] = [
    ("2.0", "linux", 12, 104, 21, 9),
    ("2.0", "windows", 9, 76, 20, 9),
    ("3.10", "linux", 13, 103, 22, 9),
    ("3.10", "windows", 11, 88, 21, 9),
    ("3.2", "linux", 19, 144, 23, 9),
    ("3.2", "windows", 17, 128, 22, 9),
    ("3.3", "linux", 21, 154, 23, 9),
    ("3.3", "windows", 19, 138, 22, 9),
    ("3.4", "linux", 24, 174, 24, 9),
    ("3.4", "windows", 22, 158, 23, 9),
    ("4.0", "linux", 24, 182, 24, 9),
    ("4.0", "windows", 22, 166, 23, 9),
    ("4.1", "linux", 24, 203, 24, 9),
    ("4.1", "windows", 22, 185, 24, 9),
    ("4.2", "linux", 24, 203, 24, 9),
    ("4.2", "windows", 22, 185, 23, 9),
    ("4.21", "linux", 25, 215, 25, 9),
    ("4.21", "windows", 23, 197, 24, 9),
    ("4.22", "linux", 25, 215, 25, 11),
    ("4.22", "windows", 23, 197, 24, 11),
    ("4.23", "linux", 25, 215, 25, 13),
    ("4.23", "windows", 23, 197, 24, 13),
    ("4.30", "linux", 25, 217, 22, 13),
    ("4.30", "windows", 24, 207, 21, 13),
    ("4.31", "linux", 25, 218, 22, 14),
    ("4.31", "windows", 24, 208, 21, 14),
    ("4.32", "linux", 25, 218, 22, 14),
    ("4.32", "windows", 24, 208, 21, 14),
    ("4.40", "linux", 25, 217, 22, 14),
    ("4.40", "windows", 25, 217, 21, 14),
    ("4.50", "linux", 26, 223, 25, 14),
    ("4.50", "windows", 26, 223, 21, 14),
    ("4.60", "linux", 27, 232, 25, 14),
    ("4.60", "windows", 27, 232, 21, 14),
    ("4.70", "linux", 27, 232, 26, 16),
    ("4.70", "windows", 27, 232, 22, 16),
    ("4.80", "linux", 27, 251, 26, 16),
    ("4.80", "windows", 27, 251, 22, 16),
    ("4.81", "linux", 27, 251, 28, 16),
    ("4.81", "windows", 27, 251, 24, 16),
    ("4.82", "windows", 28, 259, 24, 16),
    ("4.83", "windows", 29, 268, 24, 16),
    ("4.90", "linux", 28, 261, 28, 16),
    ("4.90", "windows", 30, 276, 24, 16),
    ("4.91", "windows", 30, 276, 26, 16),
]


@pytest.mark.parametrize(("written", "platform", "events", "fields", "options", "conditions"), HOLDS)
def test_a_schema_holds_as_many_things_as_it_did(
    written: str, platform: Platform, events: int, fields: int, options: int, conditions: int
) -> None:
    version = SchemaVersion.parse(written)
    shapes = shapes_at(version, platform)
    held = len(shapes), sum(len(s.fields) for s in shapes), len(options_at(version, platform))
    assert (*held, len(conditions_at(version))) == (events, fields, options, conditions)


def test_the_numbers_speak_of_every_schema() -> None:
    assert {(w, p) for w, p, *_ in HOLDS} == {(s.written, p) for s in SCHEMAS for p in s.platforms}
