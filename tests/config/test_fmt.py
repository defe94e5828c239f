"""The layout of configurations: nothing but blanks, order of attributes and case of Sysmon's words changes."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from tests.config.configurations import configurations, placeless
from tests.config.make import create, filtering, read
from tests.conftest import shared_files

from pysmon.config.decode import decode
from pysmon.config.fmt import format_text
from pysmon.config.model import Configuration
from pysmon.config.read import read_configuration
from pysmon.config.write import write_configuration

COMMENT = re.compile("<!--.*?-->", re.DOTALL)


def inside(body: str) -> list[str]:
    """The lines that a ProcessCreate element has in it, without the indentation that all have."""
    text = format_text(filtering(f'<ProcessCreate onmatch="include">{body}</ProcessCreate>'))
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if "<ProcessCreate" in line)
    return [lines[first].strip(), *(line.removeprefix(" " * 6) for line in lines[first + 1 : -3])]


def test_one_element_a_line_two_spaces_a_level() -> None:
    text = "<?xml version='1.0'?><Sysmon schemaversion='4.90'><EventFiltering><RuleGroup groupRelation='or' name=''>\n"
    text += "<ProcessCreate onmatch='include'><Rule><Image>x</Image></Rule></ProcessCreate>"
    text += "</RuleGroup></EventFiltering></Sysmon>"
    assert (
        format_text(text)
        == """\
<Sysmon schemaversion="4.90">
  <EventFiltering>
    <RuleGroup name="" groupRelation="or">
      <ProcessCreate onmatch="include">
        <Rule>
          <Image>x</Image>
        </Rule>
      </ProcessCreate>
    </RuleGroup>
  </EventFiltering>
</Sysmon>
"""
    )


def test_words_of_sysmon_have_its_own_case_and_attributes_an_order() -> None:
    assert inside(
        '<RULE GROUPRELATION="x" groupRelation="AND" name="N"><Image condition="Is" name="A">X</Image></RULE>'
    )[1:3] == [
        '<Rule name="N" groupRelation="and" GROUPRELATION="x">',
        '  <Image name="A" condition="is">X</Image>',
    ]


@pytest.mark.parametrize("value", [" a ", "a\n\tb", "&#65;&amp;&lt;", "<![CDATA[<&]]>", "a<!-- b -->c", "&#32;"])
def test_values_stay_letter_by_letter(value: str) -> None:
    assert f"<Image>{value}</Image>" in format_text(create(f"<Image>{value}</Image>"))


@pytest.mark.parametrize("value", ["", " ", "\n  "])
def test_a_value_of_nothing_is_written_as_nothing(value: str) -> None:
    assert inside(f"<Image>{value}</Image>")[1] == "<Image/>"


def test_quotation_marks_are_double_ones() -> None:
    assert inside("<Image name='a \"b\"'>x</Image>")[1] == '<Image name="a &quot;b&quot;">x</Image>'


def test_a_comment_stays_on_its_line_or_beside_what_it_stood_beside() -> None:
    body = "<!--0-->\n<!-- 1 -->\n<Image>a</Image> <!-- 2 --> <!--3-->\n\n\n<!-- 4\n  5  --><User>b</User>\n<!-- 6 -->"
    assert inside(body) == [
        '<ProcessCreate onmatch="include"> <!--0-->',
        "<!-- 1 -->",
        "<Image>a</Image> <!-- 2 --> <!--3-->",
        "",
        "<!-- 4",
        "  5  -->",
        "<User>b</User>",
        "<!-- 6 -->",
    ]


def test_comments_around_the_root_stay() -> None:
    text = format_text(f"<!-- a -->\n\n{filtering('')}\n<!-- b -->")
    assert text.startswith("<!-- a -->\n\n<Sysmon")
    assert text.endswith("</Sysmon>\n<!-- b -->\n")


def test_several_blank_lines_become_one_and_none_stand_at_an_end() -> None:
    assert inside("\n\n\n<Image>a</Image>\n\n\n\n<Image>b</Image>\n\n\n")[1:] == [
        "<Image>a</Image>",
        "",
        "<Image>b</Image>",
    ]


def test_a_stray_text_is_not_lost() -> None:
    assert inside("<Image>a</Image>\n  stray  \n<Image>b</Image>")[1:] == [
        "<Image>a</Image>",
        "stray",
        "<Image>b</Image>",
    ]


def test_a_sign_in_an_attribute_ends_no_tag() -> None:
    assert inside("<Image name='a > b'>x</Image>")[1] == '<Image name="a > b">x</Image>'


def configuration_of(text: str) -> Configuration:
    found = read_configuration(text.encode(), "a.xml").configuration
    assert found
    return found


@given(configurations())
def test_the_meaning_stays_and_what_is_laid_out_stays_as_it_is(made: Configuration) -> None:
    text = write_configuration(made)
    assert format_text(text) == text
    squeezed = re.sub(r">\n\s*<", "><", text)
    again = format_text(squeezed)
    assert placeless(configuration_of(again)) == placeless(configuration_of(text))


@pytest.mark.parametrize("path", [*shared_files("data/configs/*.xml"), *shared_files("data/oracle-blobs/*.xml")])
def test_configurations_in_use_keep_their_meaning_and_their_comments(path: Path) -> None:
    data = path.read_bytes()
    text = decode(data).text
    assert text
    laid_out = format_text(text)
    assert format_text(laid_out) == laid_out
    before, after = configuration_of_bytes(data), configuration_of(laid_out)
    assert placeless(after) == placeless(before)
    assert after.options == before.options
    assert Counter(map(_squeezed, COMMENT.findall(laid_out))) == Counter(map(_squeezed, COMMENT.findall(text)))


def configuration_of_bytes(data: bytes) -> Configuration:
    found = read_configuration(data, "a.xml").configuration
    assert found
    return found


def _squeezed(comment: str) -> str:
    return " ".join(comment.split())


def test_what_has_errors_is_no_configuration_and_never_laid_out() -> None:
    for body in ("<Imag/>", "<Image>x", "<Image a=>x</Image>"):
        assert read(create(body)).configuration is None  # and so is never laid out
