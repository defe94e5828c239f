"""Laws of configurations as people write them, whatever the schema version: what is compiled from a file stays so."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.configurations import events_for
from tests.config.files import VERSIONS, files

from pysmon.config.blob.decode import decode
from pysmon.config.blob.encode import encode
from pysmon.config.compiled import compiled_order
from pysmon.config.dump import NO_RULES, rules_dump
from pysmon.config.model import Condition, Configuration, Filter, Rule
from pysmon.config.read import read_configuration
from pysmon.config.write import write_configuration
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.lookup import TAGS, by_tag


def made(data: bytes) -> Configuration:
    reading = read_configuration(data, "made.xml")
    assert [problem for problem in reading.problems if problem.severity == "error"] == []
    assert reading.configuration
    return reading.configuration


def of(text: str, version: str = "4.91") -> Configuration:
    return made(f'<Sysmon schemaversion="{version}"><EventFiltering>{text}</EventFiltering></Sysmon>'.encode())


def filters_of(entries: tuple[Filter | Rule, ...]) -> list[Filter]:
    return [each for entry in entries for each in (entry.filters if isinstance(entry, Rule) else (entry,))]


def there_and_back(configuration: Configuration) -> Configuration:
    """The configuration that a responder has of these binary rules, after it went through a file."""
    rules = encode(configuration)
    decoded = decode(rules, "rules.bin")
    assert decoded.losses == ()
    assert encode(decoded.configuration, decoded.binary) == rules
    read = made(write_configuration(decoded.configuration).encode())
    assert encode(read, decoded.binary) == rules
    return read


@given(files(), st.data())
def test_binary_rules_of_any_file_lead_back_to_the_same_verdicts(data: bytes, drawn: st.DataObject) -> None:
    before = made(data)
    if not before.filters:
        assert encode(before) == b""
        return
    after = there_and_back(before)
    event = drawn.draw(events_for(before))
    assert Ruleset.compile(after).decide(event) == Ruleset.compile(before).decide(event)


@given(files())
def test_every_filter_that_sysmon_prints_is_printed_once(data: bytes) -> None:
    configuration = made(data)
    elements = compiled_order(configuration.filters)
    printed = [next(same) for _, same in groupby(elements, key=lambda each: (each.tag, each.onmatch))]
    text = rules_dump(configuration)
    if not elements:
        assert text == NO_RULES
        return
    titles = [line for line in text.split("\n") if line.startswith(" - ")]
    assert [line.split()[1] for line in titles] == [each.tag for each in printed]
    filters = [one for element in printed for one in filters_of(element.entries)]
    assert text.count(" filter: ") == len(filters)
    for one in filters:
        assert f"{one.field:<30} filter: {one.condition.value:<12} value: '{one.value}'\n" in text


def _shown(one: Filter) -> tuple[str, Condition, str]:
    return one.field, one.condition, one.value


@given(files())
def test_written_again_a_file_says_the_same(data: bytes) -> None:
    before = made(data)
    after = made(write_configuration(before).encode())
    assert encode(after) == encode(before)
    assert rules_dump(after) == rules_dump(before)
    assert after.options == before.options


@pytest.mark.parametrize("tag", TAGS)
def test_every_field_of_an_event_goes_there_and_back_under_every_condition(tag: str) -> None:
    for event in by_tag(tag):
        lines = [
            f'<{field.name} condition="{condition.value}">{field.name}</{field.name}>'
            for field in event.fields
            for condition in Condition
        ]
        configuration = of(f'<{tag} onmatch="include">{"".join(lines)}</{tag}>')
        assert configuration.filters[0].event_id in {each.id for each in by_tag(tag)}
        after = there_and_back(configuration)
        assert [_shown(each) for each in filters_of(after.filters[0].entries)] == [
            _shown(each) for each in filters_of(configuration.filters[0].entries)
        ]
        assert rules_dump(after) == rules_dump(configuration)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_of_the_schema_goes_there_and_back(version: str) -> None:
    text = '<ProcessCreate onmatch="exclude"><Image>a</Image><User condition="contains">b</User></ProcessCreate>'
    after = there_and_back(of(text, version))
    assert str(after.schema_version) == version
    assert rules_dump(after).splitlines()[0] == f"Rule configuration (version {version}):"
