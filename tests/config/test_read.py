"""The front door: the root element, versions, what stands where Sysmon does not look, and that reading is total."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.config.make import configuration, create, events, filtering, problem, problems, read, spot, sysmon
from tests.conftest import shared_files

from pysmon.config.codes import CODES
from pysmon.config.model import Relation
from pysmon.config.read import read_configuration, read_default, read_file
from pysmon.schema.event import EVENTS
from pysmon.schema.version import SchemaVersion

# The file and its bytes


def test_a_configuration_knows_its_file_and_the_digest_of_its_bytes() -> None:
    data = create("<Image>/bin/ls</Image>").encode()
    found = read_configuration(data, "x/y.xml").configuration
    assert found is not None
    assert (found.file, found.sha256) == ("x/y.xml", hashlib.sha256(data).hexdigest())


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(create("<Image>/bin/ls</Image>"))
    reading = read_file(path)
    assert reading.problems == ()
    assert reading.configuration is not None
    assert reading.configuration.file == str(path)


def test_a_file_that_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    reading = read_file(tmp_path / "none.xml")
    assert reading.configuration is None
    (found,) = reading.problems
    assert (found.code, found.place.line) == ("C101", 0)
    assert "No such file" in found.message


@pytest.mark.parametrize("name", [".", "a\0b"])
def test_a_path_that_is_no_file_is_a_problem(name: str, tmp_path: Path) -> None:
    assert [found.code for found in read_file(tmp_path / name).problems] == ["C101"]


# The root element


def test_an_error_anywhere_means_no_configuration_and_a_warning_does_not() -> None:
    assert read(create("<Imag>x</Imag>")).configuration is None
    assert read(create('<Image a="">x</Image>')).configuration is not None


def test_problems_are_told_in_the_order_of_the_file() -> None:
    text = sysmon(
        '<EventFiltering>\n<FileCreate onmatch="include"><A/></FileCreate>\n<ProcessCreate/>\n</EventFiltering>\n'
        "<HashAlgorithms>x</HashAlgorithms>"
    )
    assert problems(text) == ["C401 3:31", "C310 4:1", "C501 6:17"]


def test_a_problem_carries_its_source_line() -> None:
    assert problem(create("  <Imag>x</Imag>")).source == "  <Imag>x</Imag>"


def test_another_root_is_refused() -> None:
    assert problems("<Sysinternals/>") == ["C301 1:1"]
    assert problem("<html><Sysmon/></html>").code == "C301"


def test_a_root_in_the_wrong_case_is_refused_with_a_hint_and_still_read() -> None:
    text = create("<Imag/>").replace("Sysmon", "SYSMON")
    assert problems(text) == ["C301 1:1", "C401 4:1"]
    assert "'Sysmon'" in read(text).problems[0].hint


# Versions


def test_a_missing_version_is_told_and_the_rest_is_read() -> None:
    assert problems(create("<Imag/>").replace(' schemaversion="4.90"', "")) == ["C302 1:1", "C401 4:1"]


@pytest.mark.parametrize("version", ["", "x", "4,90", "four", "4.90.1", "-4.9", "inf", "nan"])
def test_a_version_that_is_no_number_is_told_at_its_value(version: str) -> None:
    assert problems(create("<Image/>", version)) == ["C303 1:24"]


@pytest.mark.parametrize("version", ["0.1", "1.99", "5.0", "10.0"])
def test_a_version_that_there_never_was_is_refused(version: str) -> None:
    assert problems(create("<Image/>", version)) == ["C304 1:24"]


@pytest.mark.parametrize("version", ["2.0", "3.40", "4.92", "4.99"])
def test_a_version_newer_than_pysmon_or_too_old_for_sysmon_is_read_with_a_warning(version: str) -> None:
    reading = read(create("<Image/>", version))
    assert [spot(found) for found in reading.problems] == ["C305 1:24"]
    assert reading.configuration is not None


@pytest.mark.parametrize(
    ("written", "meant"), [("4.9", (4, 90)), ("4.1", (4, 10)), ("4.10", (4, 10)), ("4", (4, 0)), (" 4.22 ", (4, 22))]
)
def test_a_version_is_read_as_sysmon_reads_it(written: str, meant: tuple[int, int]) -> None:
    assert configuration(create("<Image/>", written)).schema_version == SchemaVersion(*meant)


@pytest.mark.parametrize(
    ("version", "relation"),
    [("4.0", Relation.OR), ("4.1", Relation.OR), ("4.10", Relation.OR), ("4.2", Relation.AND), ("4.22", Relation.AND)],
)
def test_without_a_group_the_version_decides_how_filters_combine(version: str, relation: Relation) -> None:
    (event,) = events(create("<Image/>", version))
    assert event.relation == relation


# What is in the root


def test_several_eventfiltering_elements_count_together() -> None:
    one = '<EventFiltering><ProcessCreate onmatch="include"/></EventFiltering>'
    two = '<EventFiltering><FileCreate onmatch="include"/></EventFiltering>'
    assert [event.tag for event in configuration(sysmon(one + two)).filters] == ["ProcessCreate", "FileCreate"]


def test_event_elements_directly_under_sysmon_are_ignored_with_a_hint() -> None:
    text = sysmon('<ProcessCreate onmatch="include"/><EventFiltering><FileCreate onmatch="include"/></EventFiltering>')
    assert problem(text).code == "C307"
    assert "into <EventFiltering>" in problem(text).hint
    assert [event.tag for event in events(text)] == ["FileCreate"]


def test_a_misspelt_eventfiltering_is_told() -> None:
    text = sysmon('<EventFilter><ProcessCreate onmatch="include"/></EventFilter>')
    assert [found.code for found in read(text).problems] == ["C318", "C307"]
    assert "'EventFiltering'" in read(text).problems[1].hint


def test_an_option_after_an_unknown_element_is_read_although_sysmon_would_not() -> None:
    text = sysmon("<Unknown/><HashAlgorithms>MD5</HashAlgorithms>" + filtering("").split("\n", 1)[1].rsplit("\n", 1)[0])
    found = read(text)
    assert found.configuration is not None
    assert found.configuration.options.hash_algorithms == ("MD5",)
    assert "every option after it" in next(p.message for p in found.problems if p.code == "C307")


@pytest.mark.parametrize(
    "text",
    [
        sysmon("x" + '<EventFiltering><ProcessCreate onmatch="include"/></EventFiltering>'),
        filtering('x<ProcessCreate onmatch="include"/>'),
        filtering('<RuleGroup groupRelation="or">x<ProcessCreate onmatch="include"/></RuleGroup>'),
        create("x"),
        create('<Rule groupRelation="or">x<Image/></Rule>'),
    ],
    ids=["Sysmon", "EventFiltering", "RuleGroup", "event", "Rule"],
)
def test_text_where_none_belongs_is_told_at_its_first_letter(text: str) -> None:
    found = problem(text)
    assert found.code == "C309"
    assert found.source[found.place.column - 1] == "x"


@pytest.mark.parametrize(
    "text",
    [
        create("<Image/>").replace("<Sysmon ", '<Sysmon xmlns:xsi="http://example.org" '),
        create("<Image/>").replace("<EventFiltering>", '<EventFiltering enabled="yes">'),
        filtering('<RuleGroup relation="or" groupRelation="or"><ProcessCreate onmatch="include"/></RuleGroup>'),
        filtering('<ProcessCreate onmatch="include" name="x"/>'),
        create('<Rule groupRelation="or" condition="is"><Image/></Rule>'),
        create('<Image value="x"/>'),
        sysmon('<DnsLookup a="b">true</DnsLookup><EventFiltering><ProcessCreate onmatch="include"/></EventFiltering>'),
    ],
    ids=["Sysmon", "EventFiltering", "RuleGroup", "event", "Rule", "filter", "option"],
)
def test_an_attribute_that_sysmon_does_not_read_is_told(text: str) -> None:
    assert problem(text).code == "C306"


@pytest.mark.parametrize("text", [sysmon(""), sysmon("<EventFiltering/>"), sysmon("<DnsLookup>true</DnsLookup>")])
def test_a_configuration_without_filters_is_read_with_a_warning(text: str) -> None:
    reading = read(text)
    assert [found.code for found in reading.problems] == ["C318"]
    assert reading.configuration is not None
    assert reading.configuration.filters == ()


# Real files

TRUE_PROBLEMS = {
    # The second part of "NETWORK SERVICE; LOCAL SERVICE" begins with a blank: LOCAL SERVICE is never found.
    "sysmon-modular.xml": ["C409 2588:40"],
    "sysmon-modular-excludes-only.xml": ["C409 1023:40"],
    "sysmon-modular-config.xml": ["C409 1647:40"],
}


@pytest.mark.parametrize(
    "path",
    [
        *shared_files("data/configs/*.xml"),
        *shared_files("data/oracle-blobs/*.xml"),
        *shared_files("data/oracle-dumps/*.xml"),
        *shared_files("data/oracle-verdicts/*.xml"),
    ],
)
def test_a_real_configuration_is_read_and_only_what_is_wrong_with_it_is_told(path: Path) -> None:
    reading = read_file(path)
    assert [spot(found) for found in reading.problems] == TRUE_PROBLEMS.get(path.name, [])
    assert reading.configuration is not None
    assert reading.configuration.filters


def test_the_configuration_that_comes_with_pysmon_has_no_problems() -> None:
    reading = read_default()
    assert reading.problems == ()
    assert reading.configuration is not None
    assert reading.configuration.schema_version == SchemaVersion(4, 90)


# Reading is total

WORDS = [
    "Sysmon", "EventFiltering", "RuleGroup", "Rule", "rule", "ProcessCreate", "RegistryEvent", "Image", "Details",
    "NewName", "HashAlgorithms", "FieldSizes", "ProcessAccessConfig", "DnsLookup", "x",
]  # fmt: skip
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["schemaversion", "onmatch", "default", "condition", "name", "groupRelation", "x"]),
    st.sampled_from(["4.90", "4.1", "include", "exclude", "is", "contains any", "and", "or", "", "x", "y" * 300]),
    max_size=3,
).map(lambda found: "".join(f' {name}="{value}"' for name, value in found.items()))
TREES = st.recursive(
    st.sampled_from(["", "x", "a;b;", "Image:1", "<!-- c -->", "&amp;", "&", "true"]),
    lambda inner: st.tuples(st.sampled_from(WORDS), ATTRIBUTES, st.lists(inner, max_size=3)).map(
        lambda made: f"<{made[0]}{made[1]}>{''.join(made[2])}</{made[0]}>\n"
    ),
    max_leaves=20,
)


def check(data: bytes) -> None:
    reading = read_configuration(data, "a.xml")
    assert (reading.configuration is None) == any(found.severity == "error" for found in reading.problems)
    for found in reading.problems:
        assert found.severity == CODES[found.code].severity
        lines = found.source.count("\n")
        assert lines == 0


@given(st.binary(max_size=300))
def test_any_bytes_give_a_reading(data: bytes) -> None:
    check(data)


@given(st.text(max_size=200))
def test_any_text_inside_a_configuration_gives_a_reading(text: str) -> None:
    check(create(text).encode(errors="surrogatepass"))


@settings(max_examples=300)
@given(TREES)
def test_any_tree_of_known_words_gives_a_reading(text: str) -> None:
    check(sysmon(f"<EventFiltering>{text}</EventFiltering>{text}").encode())


def test_every_event_and_every_field_can_be_filtered() -> None:
    for event in EVENTS.values():
        for field in event.fields if event.tag else ():
            body = f'<{event.tag} onmatch="exclude"><{field.name}>x</{field.name}></{event.tag}>'
            assert configuration(filtering(body, "4.91")).filters[0].entries


def test_a_reading_can_leave_out_its_warnings() -> None:
    reading = read(create('<Image a="">x</Image><Imag/>'))
    assert [found.code for found in reading.problems] == ["C306", "C401"]
    assert [found.code for found in reading.errors().problems] == ["C401"]
