"""Binary rules as Sysmon's compiler writes them; `blobs.py` reads them here without a line of ours."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest
from tests.config.blobs import read_blob
from tests.config.make import configuration, create, filtering, read
from tests.conftest import shared_files

from pysmon.config.blob.encode import encode
from pysmon.config.model import Configuration, Filter
from pysmon.config.read import read_file
from pysmon.errors import MisuseError
from pysmon.schema.version import SchemaVersion


def made(text: str) -> Configuration:
    """The configuration of a text, with whatever warnings."""
    found = read(text).configuration
    assert found
    return found


def number(data: bytes, at: int) -> int:
    (value,) = struct.unpack_from("<I", data, at)
    return int(value)


def rule(name: str, field: str = "Image") -> str:
    return f'<Rule name="{name}" groupRelation="and"><{field}>x</{field}></Rule>'


def registry(*entries: str) -> str:
    return filtering(f'<RegistryEvent onmatch="include">{"".join(entries)}</RegistryEvent>')


@pytest.mark.parametrize("path", shared_files("data/oracle-blobs/*.xml"))
def test_every_byte_is_that_of_sysmons_compiler(path: Path) -> None:
    found = read_file(path).configuration
    assert found
    assert encode(found) == path.with_suffix(".xml.bin").read_bytes()


def test_a_configuration_that_filters_nothing_has_no_rules() -> None:
    assert encode(made(filtering(""))) == b""


def test_an_empty_element_is_a_header_and_an_event() -> None:
    data = encode(configuration(filtering('<ClipboardChange onmatch="include"/>', version="4.40")))
    header = bytes.fromhex("00000f00 01000000 18000000 28000400 18000000 00000000")
    assert data == header + struct.pack("<6I", 24, 1, 1, 0, 0, 0)


def test_a_filter_without_a_value_has_a_zero_and_no_more() -> None:
    data = encode(made(create("<Image></Image>", version="4.70")))
    assert number(data, 48 + 524) == 2
    assert len(data) == 48 + 544
    assert read_blob(data).events[0].filters[0].value == ""


def test_a_record_begins_at_a_multiple_of_eight_after_one_byte_too_many() -> None:
    data = encode(configuration(create("<Image>abcdefg</Image><User>u</User>")))  # 536 + 16 are a multiple of eight
    assert number(data, 48 + 520) == 48 + 560


def test_events_stand_in_the_order_of_the_manifest() -> None:
    text = '<FileDelete onmatch="exclude"/><ProcessCreate onmatch="exclude"/>'
    assert [event.id for event in read_blob(encode(made(filtering(text)))).events] == [1, 23]


def test_fields_have_their_numbers_in_the_newest_manifest_whatever_the_file_declares() -> None:
    text = create("<CommandLine>x</CommandLine>", version="4.1")
    assert read_blob(encode(made(text))).events[0].filters[0].field == 10  # in the manifest of 4.1 it is 9


def test_a_rules_name_is_cut_after_127_characters_but_not_that_of_its_filters() -> None:
    data = encode(configuration(create(rule("n" * 130))))
    assert data[48 : 48 + 256].decode("utf-16-le") == "n" * 127 + "\0"
    assert read_blob(data).events[0].filters[0].name == "n" * 130


def test_a_rule_without_filters_has_a_record() -> None:
    data = encode(made(create('<Rule name="a" groupRelation="and"/>' + rule("b"))))
    assert read_blob(data).relations == {1: 1, 2: 1}
    assert number(data, 48 + 268) == number(data, 48 + 276) == 0
    assert number(data, 48 + 272) == 48 + 296


def test_rules_are_chained_over_all_events() -> None:
    text = f'<ProcessCreate onmatch="include">{rule("a")}</ProcessCreate>'
    data = encode(made(filtering(text + text.replace("ProcessCreate", "FileCreate"))))
    assert sorted(read_blob(data).relations) == [1, 2]


def test_the_first_rule_is_forgotten_if_the_first_event_of_all_does_not_fit() -> None:
    assert number(encode(made(registry(rule("a", "Details")))), 20) == 0
    assert number(encode(made(registry(rule("a", "TargetObject")))), 20) == 48


def test_it_is_not_forgotten_if_it_was_not_reached() -> None:
    data = encode(made(registry("<Details>x</Details>", rule("a", "Details"))))
    assert number(data, 20) != 0


def test_it_is_forgotten_if_it_was_reached_in_the_second_try_only() -> None:
    entries = ["<NewName>x</NewName>", rule("a", "TargetObject")]
    assert number(encode(made(registry(*entries))), 20) != 0
    assert number(encode(made(registry(*reversed(entries)))), 20) == 0


def test_it_is_not_forgotten_after_another_event() -> None:
    text = registry(rule("a", "Details")).replace("<Registry", '<ProcessCreate onmatch="exclude"/><Registry')
    assert number(encode(made(text)), 20) == 24 + 24 + 24


@pytest.mark.parametrize(
    ("text", "binary"),
    [
        (create("<Image>x</Image>", version="4.30"), (15, 0)),
        (create("<Image>x</Image>", version="4.81"), (16, 0)),
        (create("<Image>x</Image>", version="4.90"), (18, 0)),
        (create("<Image>x</Image>", version="4.99"), (18, 0)),
        (create("<ParentUser>x</ParentUser>", version="4.50"), (16, 0)),
        (filtering('<FileBlockExecutable onmatch="include"/>', version="4.50"), (17, 0)),
        (filtering('<FileExecutableDetected onmatch="include"/>', version="4.50"), (18, 0)),
    ],
)
def test_the_version_is_the_first_from_15_that_knows_what_is_filtered(text: str, binary: tuple[int, int]) -> None:
    version = number(encode(made(text)), 0)
    assert (version >> 16, version & 0xFFFF) == binary


def test_a_version_can_be_asked_for() -> None:
    assert number(encode(made(create("<Image>x</Image>")), SchemaVersion(18, 0)), 0) == 18 << 16


def test_conditions_have_other_numbers_before_version_14() -> None:
    text = made(create('<Image condition="excludes">x</Image>'))
    assert read_blob(encode(text, SchemaVersion(14, 0))).events[0].filters[0].condition == 6
    assert read_blob(encode(text, SchemaVersion(9, 10))).events[0].filters[0].condition == 3


@pytest.mark.parametrize(
    ("body", "version", "what"),
    [
        ("<ParentUser>x</ParentUser>", (15, 0), "the field ParentUser of ProcessCreate"),
        ('<Image condition="is any">x</Image>', (9, 10), "the condition 'is any'"),
    ],
)
def test_what_the_version_does_not_know_is_told(body: str, version: tuple[int, int], what: str) -> None:
    with pytest.raises(MisuseError, match=f"have no number for {what}") as told:
        encode(made(create(body)), SchemaVersion(*version))
    assert "from 1" in told.value.hint


def test_an_event_that_the_version_does_not_know_is_told() -> None:
    text = made(filtering('<FileExecutableDetected onmatch="include"/>'))
    with pytest.raises(MisuseError, match="the event FileExecutableDetected"):
        encode(text, SchemaVersion(15, 0))


def test_a_version_that_there_never_was_is_told_with_those_that_there_are() -> None:
    with pytest.raises(MisuseError, match=r"version 12\.34") as told:
        encode(made(create("<Image>x</Image>")), SchemaVersion(12, 34))
    assert "15.00, 16.00" in told.value.hint


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_a_text_that_no_file_can_hold_is_refused(value: str) -> None:
    with pytest.raises(MisuseError, match="cannot be written in UTF-16"):
        encode(with_filter(value, ""))


def test_a_name_that_does_not_fit_is_refused() -> None:
    assert encode(with_filter("x", "n" * 255))
    with pytest.raises(MisuseError, match="more than 255"):
        encode(with_filter("x", "n" * 256))


def with_filter(value: str, name: str) -> Configuration:
    """A configuration whose only filter is as no file can have it."""
    text = made(create("<Image>x</Image>"))
    (element,) = text.filters
    (only,) = element.entries
    assert isinstance(only, Filter)
    return replace(text, filters=(replace(element, entries=(replace(only, value=value, name=name),)),))
