"""Configurations written as XML: what is read from it is what was written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.config.make import configuration, create, filtering, read, sysmon
from tests.conftest import shared_files

from pysmon.config.model import Configuration, Filter, Options
from pysmon.config.read import read_configuration, read_file
from pysmon.config.write import write_configuration

EVERYTHING = Options(
    hash_algorithms=("SHA1", "IMPHASH"),
    check_revocation=False,
    dns_lookup=True,
    driver_name="MyDrv",
    archive_directory="Kept",
    capture_clipboard=True,
    pipe_monitoring=("a", "b"),
    process_access=(("lsass.exe", 0x1410), ("c:\\x.exe", 0xFFFFFFFF)),
    field_sizes={"Image": 10, "User": 5},
    driver_queue_size=100,
    signing_queue_size=7,
    copy_on_delete_pe=True,
    copy_on_delete_sids=("S-1",),
    copy_on_delete_extensions=("exe", "dll"),
    copy_on_delete_processes=("a.exe",),
)


def written(body: str, version: str = "4.90") -> list[str]:
    found = read(filtering(body, version)).configuration
    assert found
    return [line.strip() for line in write_configuration(found).splitlines()]


def again(made: Configuration) -> Configuration:
    found = read_configuration(write_configuration(made).encode(), "b.xml").configuration
    assert found
    return found


def test_the_text_is_laid_out_for_people() -> None:
    rule = '<Rule groupRelation="and"><User name="n">u</User></Rule>'
    text = create(f'<Image condition="end with">x</Image>{rule}')
    assert (
        write_configuration(configuration(text))
        == """\
<Sysmon schemaversion="4.90">
  <EventFiltering>
    <RuleGroup name="" groupRelation="and">
      <ProcessCreate onmatch="include">
        <Image condition="end with">x</Image>
        <Rule groupRelation="and">
          <User name="n">u</User>
        </Rule>
      </ProcessCreate>
    </RuleGroup>
  </EventFiltering>
</Sysmon>
"""
    )


def test_nothing_to_filter_is_written_as_that() -> None:
    found = read(sysmon("<DnsLookup>false</DnsLookup>")).configuration
    assert found
    assert write_configuration(found).splitlines()[1:-1] == [
        "  <DnsLookup>false</DnsLookup>",
        "  <EventFiltering/>",
    ]


def test_a_head_is_a_comment() -> None:
    found = configuration(filtering('<ProcessCreate onmatch="exclude"/>'))
    text = write_configuration(found, head=["made -- by hand --->", "today"])
    assert text.splitlines()[:4] == ["<!--", "  made - - by hand - - ->", "  today", "-->"]
    assert read(text).problems == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        (" \t", "&#32;&#9;"),
        (" x ", " x "),
        ("a\nb\rc", "a&#10;b&#13;c"),
        ("'\"", "'\""),
    ],
)
def test_values_are_written_so_that_they_are_read_as_they_were(value: str, text: str) -> None:
    made = configuration(create("<Image>x</Image>"))
    (element,) = made.filters
    (only,) = element.entries
    assert isinstance(only, Filter)
    made = replace(made, filters=(replace(element, entries=(replace(only, value=value),)),))
    assert f"<Image>{text}</Image>" in write_configuration(made)
    (only,) = again(made).filters[0].entries
    assert isinstance(only, Filter)
    assert only.value == value


def test_no_value_is_an_empty_element() -> None:
    assert "<Image/>" in written('<ProcessCreate onmatch="include"><Image></Image></ProcessCreate>')


def test_names_are_written_where_they_are_not_inherited() -> None:
    body = (
        '<RuleGroup name="g" groupRelation="or"><ProcessCreate onmatch="include">'
        '<Image>a</Image><Image name="n">b</Image>'
        '<Rule name="r" groupRelation="or"><Image>c</Image><Image name="g">d</Image></Rule>'
        '<Rule groupRelation="or"><Image>e</Image></Rule>'
        "</ProcessCreate></RuleGroup>"
    )
    lines = written(body)
    assert lines[2] == '<RuleGroup name="g" groupRelation="or">'
    assert [line for line in lines if line.startswith(("<Image", "<Rule "))] == [
        "<Image>a</Image>",
        '<Image name="n">b</Image>',
        '<Rule name="r" groupRelation="or">',
        "<Image>c</Image>",
        '<Image name="g">d</Image>',
        '<Rule groupRelation="or">',
        "<Image>e</Image>",
    ]


def test_a_name_is_quoted() -> None:
    assert '<Image name="a &quot;b&quot; &amp; c">x</Image>' in written(
        '<ProcessCreate onmatch="include"><Image name=\'a "b" &amp; c\'>x</Image></ProcessCreate>'
    )


def test_old_schemas_have_no_group_unless_it_says_something() -> None:
    element = '<ProcessCreate onmatch="exclude"/>'
    assert written(element, version="4.1")[2:3] == ['<ProcessCreate onmatch="exclude"/>']
    assert written(element, version="4.2")[2:3] == ['<RuleGroup name="" groupRelation="and">']
    assert written(f'<RuleGroup groupRelation="and">{element}</RuleGroup>', version="4.1")[2:3] == [
        '<RuleGroup name="" groupRelation="and">'
    ]


@pytest.mark.parametrize("version", ["4.23", "4.91"])
def test_all_options_come_back(version: str) -> None:
    made = replace(configuration(filtering('<ProcessCreate onmatch="exclude"/>', version)), options=EVERYTHING)
    assert again(made).options == EVERYTHING
    assert ("<CopyOnDelete_PE>" in write_configuration(made)) == (version == "4.23")


def test_what_is_switched_off_comes_back_as_such() -> None:
    made = configuration(filtering('<ProcessCreate onmatch="exclude"/>'))
    for options in (Options(capture_clipboard=False), Options(check_revocation=True), Options(copy_on_delete_pe=False)):
        assert again(replace(made, options=options)).options == options


@pytest.mark.parametrize("path", shared_files("data/configs/*.xml"))
def test_configurations_in_use_come_back(path: Path) -> None:
    made = read_file(path).configuration
    assert made
    found = again(made)
    assert found.options == made.options
    assert write_configuration(found) == write_configuration(made)
