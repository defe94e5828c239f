"""Switches that set what to watch, as a configuration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.cli.flags import parse
from pysmon.cli.switches import SETTINGS, has_settings, overwritten, with_settings
from pysmon.config.model import Configuration, Filter
from pysmon.config.read import read_configuration
from pysmon.errors import MisuseError

BASE = '<Sysmon schemaversion="4.90"><EventFiltering>{}</EventFiltering></Sysmon>'


def read(data: bytes) -> Configuration:
    reading = read_configuration(data, "test.xml")
    assert reading.configuration is not None, reading.problems
    return reading.configuration


def made(*arguments: str) -> Configuration:
    return read(with_settings(parse(["-i", *arguments]), b"", None))


def filters(configuration: Configuration) -> dict[str, tuple[str, list[tuple[str, str, str]]]]:
    """By tag, `onmatch` and the conditions."""
    return {
        e.tag: (e.onmatch, [(f.field, f.condition.value, f.value) for f in e.entries if isinstance(f, Filter)])
        for e in configuration.filters
    }


def test_without_a_list_all_of_them_are_wanted() -> None:
    assert filters(made("-n", "-l", "-dns")) == {
        "NetworkConnect": ("exclude", []),
        "ImageLoad": ("exclude", []),
        "DnsQuery": ("exclude", []),
    }


def test_a_list_names_the_programs() -> None:
    assert filters(made("-n", "curl,nc")) == {
        "NetworkConnect": ("include", [("Image", "image", "curl"), ("Image", "image", "nc")])
    }


def test_a_star_is_everything() -> None:
    assert filters(made("-k", "*"))["ProcessAccess"] == ("exclude", [])


def test_access_is_to_programs_and_their_masks_are_kept() -> None:
    configuration = made("-k", "lsass.exe:0x10,a::b")
    assert filters(configuration)["ProcessAccess"] == (
        "include",
        [("TargetImage", "image", "lsass.exe"), ("TargetImage", "image", "a:b")],
    )
    assert configuration.options.process_access == (("lsass.exe", 0x10), ("a:b", 0xFFFFFFFF))


def test_pipes_are_named() -> None:
    configuration = made("-g", "one,two")
    assert filters(configuration)["PipeEvent"] == ("include", [("PipeName", "is", "one"), ("PipeName", "is", "two")])
    assert configuration.options.pipe_monitoring == ("one", "two")


def test_hashes_are_an_option_and_switch_no_event_on() -> None:
    configuration = made("-h", "sha256,md5")
    assert configuration.options.hash_algorithms == ("MD5", "SHA256")
    assert configuration.filters == ()


def test_nothing_is_said_without_switches() -> None:
    call = parse(["-accepteula", "-i"])
    assert not has_settings(call)
    assert with_settings(call, b"as it was", None) == b"as it was"


NAMES = st.text(st.characters(exclude_categories=["C"], exclude_characters=",:*"), min_size=1)


@given(st.lists(NAMES.filter(lambda name: name == name.strip()), min_size=1))
def test_any_name_comes_through(names: list[str]) -> None:
    configuration = read(with_settings(parse(["-i", "-g", ",".join(names)]), b"", None))
    assert [value for _, _, value in filters(configuration)["PipeEvent"][1]] == names


@pytest.mark.parametrize(
    ("line", "inside", "expected"),
    [
        ("-n", '<NetworkConnect onmatch="include"/>', [("n", "NetworkConnect")]),
        ("-n -l", '<NetworkConnect onmatch="include"/>', [("n", "NetworkConnect")]),
        ("-k a", '<ProcessAccess onmatch="exclude"/>', [("k", "ProcessAccess")]),
        ("-n", '<ImageLoad onmatch="exclude"/>', []),
    ],
)
def test_what_a_file_says_itself_is_known(line: str, inside: str, expected: list[tuple[str, str]]) -> None:
    assert overwritten(parse(["-i", *line.split()]), read(BASE.format(inside).encode())) == expected


@pytest.mark.parametrize(
    "option", ["<HashAlgorithms>MD5</HashAlgorithms>", "<PipeMonitoringConfig>a</PipeMonitoringConfig>"]
)
def test_an_option_of_the_file_is_known_too(option: str) -> None:
    call = parse(["-i", "-h", "sha1", "-g", "b"])
    assert len(overwritten(call, read(BASE.format("").replace("<EventF", f"{option}<EventF").encode()))) == 1


@pytest.mark.parametrize(
    "data",
    [
        BASE.format('<ImageLoad onmatch="exclude"/>').encode(),
        b'<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        + BASE.format('<ImageLoad onmatch="include"><Image>\xe9</Image></ImageLoad>').encode("latin-1"),
        BASE.format('<ImageLoad onmatch="include"><Image>\xe9</Image></ImageLoad>').encode("utf-16"),
        BASE.format('<ImageLoad onmatch="exclude"/>').encode() + b"<!-- after -->\n",
    ],
)
def test_what_a_file_says_stays_whatever_its_encoding(data: bytes) -> None:
    before = read(data)
    after = read(with_settings(parse(["-i", "-n", "-h", "md5"]), data, before))
    assert filters(after) == filters(before) | {"NetworkConnect": ("exclude", [])}
    assert after.options.hash_algorithms == ("MD5",)


def test_a_file_without_an_end_tag_cannot_be_added_to() -> None:
    data = b'<Sysmon schemaversion="4.90"/>'
    with pytest.raises(MisuseError, match="no end tag"):
        with_settings(parse(["-i", "-n"]), data, read(data))


def test_every_setting_is_an_option_of_the_command_line() -> None:
    line = "-h md5 -k a -g b -dns -l -n"
    assert set(parse(["-i", *line.split()]).options) - {"Install"} == set(SETTINGS)
