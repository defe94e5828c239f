"""Configurations for other schema versions: the same meaning where it can be, and a word where it cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.configurations import configurations, events_for
from tests.config.make import create, filtering, read

from pysmon.config.model import Configuration, Relation
from pysmon.config.read import read_configuration
from pysmon.config.write import write_configuration
from pysmon.errors import MisuseError
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.version import SchemaVersion
from pysmon.schema.versions import SCHEMAS
from pysmon.workbench.convert import OLDEST, Converted, convert

NEWER = {"C317", "C403", "C405", "C508"}  # what came with a later version than the file declares
TARGETS = [each.version for each in SCHEMAS if each.version >= OLDEST]


def converted(text: str, target: str) -> Converted:
    found = read(text).configuration
    assert found
    return convert(text, found, SchemaVersion.parse(target))


def again(text: str) -> Configuration:
    reading = read_configuration(text.encode(), "b.xml")
    assert reading.configuration
    assert not NEWER & {problem.code for problem in reading.problems}
    return reading.configuration


def body(text: str, target: str) -> list[str]:
    """The lines inside the first event element after a conversion."""
    lines = [line.strip() for line in converted(text, target).text.splitlines()]
    begin = next(n for n, line in enumerate(lines) if "onmatch=" in line)
    end = next(n for n, line in enumerate(lines) if n > begin and line.startswith("</") and "Rule>" not in line)
    return lines[begin + 1 : end]


def told(text: str, target: str) -> list[tuple[str, bool]]:
    return [(f"{note.place.line}: {note.what}", note.lost) for note in converted(text, target).notes]


def test_what_all_versions_know_stays_with_its_comments() -> None:
    text = create("<!-- why --> <Image>x</Image>", version="4.50")
    made = converted(text, "4.90")
    assert made.notes == ()
    assert '<Sysmon schemaversion="4.90">' in made.text
    assert "<!-- why -->" in made.text


def test_up_from_4_1_the_or_between_filters_is_written_out() -> None:
    text = create("<Image>x</Image><User>u</User>", version="4.1")
    made = converted(text, "4.90")
    assert '<RuleGroup name="" groupRelation="or">' in made.text
    assert [note.lost for note in made.notes] == [False]
    assert again(made.text).filters[0].relation is Relation.OR


def test_a_group_that_does_not_say_how_filters_combine_says_it_then() -> None:
    text = filtering(
        '<RuleGroup name="g"><ProcessCreate onmatch="include"><Image>x</Image></ProcessCreate></RuleGroup>', "4.1"
    )
    assert '<RuleGroup name="g" groupRelation="or">' in converted(text, "4.50").text


def test_an_event_that_came_later_is_left_out_with_its_empty_group() -> None:
    text = filtering('<RuleGroup groupRelation="or"><FileBlockExecutable onmatch="include"/></RuleGroup>')
    made = converted(text, "4.50")
    assert "RuleGroup" not in made.text
    assert told(text, "4.50") == [("3: the event FileBlockExecutable came with 4.82 and is left out", True)]


def test_a_field_that_came_later_is_left_out_of_alternatives() -> None:
    alternatives = "<Image>x</Image>\n<ParentUser>u</ParentUser>"
    include = create(alternatives).replace("<ProcessCreate", '<RuleGroup groupRelation="or"><ProcessCreate')
    include = include.replace("</ProcessCreate>", "</ProcessCreate></RuleGroup>")
    assert body(include, "4.50") == ["<Image>x</Image>"]
    assert told(include, "4.50") == [
        ("5: version 4.50 has no field ParentUser there", True),
        ("5: it is left out: fewer events are kept", True),
    ]
    exclude = include.replace('"include"', '"exclude"')
    assert told(exclude, "4.50")[1] == ("5: it is left out: more events are kept", True)


def test_where_all_must_match_nothing_matches_without_it() -> None:
    assert body(create("<Image>x</Image><ParentUser>u</ParentUser>"), "4.50") == []
    assert told(create("<Image>x</Image><ParentUser>u</ParentUser>"), "4.50")[0][0].startswith("3: without that it can")
    rule = '<Rule groupRelation="and"><Image>x</Image><ParentUser>u</ParentUser></Rule>'
    assert body(create(f"{rule}<User>a</User>"), "4.50") == []
    text = create(f"{rule}<User>a</User>").replace("<ProcessCreate", '<RuleGroup groupRelation="or"><ProcessCreate')
    assert body(text.replace("</ProcessCreate>", "</ProcessCreate></RuleGroup>"), "4.50") == ["<User>a</User>"]


def test_an_alternative_of_the_same_field_is_enough() -> None:
    text = create('<Image>x</Image><Image condition="not begin with">y</Image><User>u</User>')
    assert body(text, "4.50") == ["<Image>x</Image>", "<User>u</User>"]


def test_a_rule_of_alternatives_loses_only_some() -> None:
    rule = '<Rule groupRelation="or"><Image>x</Image><ParentUser>u</ParentUser></Rule>'
    assert body(create(rule), "4.50") == ['<Rule groupRelation="or">', "<Image>x</Image>", "</Rule>"]
    alone = '<Rule groupRelation="or"><ParentUser>u</ParentUser></Rule>'
    assert body(create(alone), "4.50") == []


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (
            '<Image condition="is any" name="n">a;b</Image>',
            ['<Image name="n" condition="is">a</Image>', '<Image name="n" condition="is">b</Image>'],
        ),
        (
            '<Image condition="contains any">a;;b</Image>',
            [f'<Image condition="contains">{part}</Image>' for part in ("a", ";b", "b")],
        ),
        (
            '<Image condition="excludes all">a;b</Image>',
            [f'<Image condition="excludes">{part}</Image>' for part in "ab"],
        ),
        (
            '<Image condition="contains all">a;b</Image>',
            [
                '<Rule groupRelation="and">',
                *[f'<Image condition="contains">{part}</Image>' for part in "ab"],
                "</Rule>",
            ],
        ),
        (
            '<Rule groupRelation="and"><Image condition="excludes any">a;b</Image></Rule>',
            [
                '<Rule groupRelation="and">',
                *[f'<Image condition="excludes">{part}</Image>' for part in "ab"],
                "</Rule>",
            ],
        ),
    ],
)
def test_lists_are_said_part_by_part_where_that_means_the_same(written: str, lines: list[str]) -> None:
    assert body(create(written), "4.21") == lines
    assert all(not lost for _, lost in told(create(written), "4.21"))


@pytest.mark.parametrize(
    "written",
    [
        '<Rule groupRelation="and"><Image condition="is any">a;b</Image></Rule>',
        '<Rule groupRelation="or"><Image condition="contains all">a;b</Image></Rule>',
        '<Image condition="contains all">a;b</Image><Image>c</Image>',
        '<Image condition="not end with">a</Image>',
    ],
)
def test_where_it_would_mean_something_else_it_is_told(written: str) -> None:
    assert any(lost for _, lost in told(create(written), "4.21"))


def test_an_option_that_came_later_is_left_out() -> None:
    text = filtering("").replace("<EventFiltering>", "<DnsLookup>false</DnsLookup> <!-- slow -->\n<EventFiltering>")
    assert told(text, "4.23") == [("2: the option DnsLookup came with 4.30 and is left out", True)]
    assert "slow" not in converted(text, "4.23").text
    assert told(text, "4.30") == []


def test_options_of_the_deletion_archive_are_spelt_as_the_version_spells_them() -> None:
    text = filtering("").replace("<EventFiltering>", "<CopyOnDeletePE/>\n<EventFiltering>")
    assert "<CopyOnDelete_PE/>" in converted(text, "4.23").text
    assert "<CopyOnDeletePE/>" in converted(text, "4.50").text


@pytest.mark.parametrize("target", ["4.1", "3.4", "4.44", "5.0"])
def test_other_versions_are_refused(target: str) -> None:
    with pytest.raises(MisuseError, match="there is no schema version") as raised:
        converted(create("<Image>x</Image>"), target)
    assert "4.20, 4.21" in raised.value.hint


@given(st.data())
def test_the_result_is_of_its_version_and_without_losses_it_means_the_same(data: st.DataObject) -> None:
    text = write_configuration(data.draw(configurations(tags=("ProcessCreate", "RegistryEvent"))))
    before = again(text)
    result = convert(text, before, data.draw(st.just(OLDEST) | st.sampled_from(TARGETS)))
    after = again(result.text)
    old, new = Ruleset.compile(before), Ruleset.compile(after)
    for _ in range(5):
        one = data.draw(events_for(before))
        if not any(note.lost for note in result.notes):
            assert new.decide(one).keep == old.decide(one).keep


@given(configurations(), st.sampled_from(TARGETS))
def test_every_configuration_can_be_converted(made: Configuration, target: SchemaVersion) -> None:
    text = write_configuration(made)
    assert again(convert(text, again(text), target).text).schema_version == target
