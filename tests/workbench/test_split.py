"""One configuration as several, which together are the same again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from tests.config.configurations import configurations
from tests.config.make import filtering
from tests.conftest import shared_files
from tests.workbench.test_merge import parsed

from pysmon.config.decode import decode
from pysmon.config.model import Configuration, EventFilter, Filter
from pysmon.config.write import write_configuration
from pysmon.workbench.split import OPTIONS, split

ONE = '<ProcessCreate onmatch="include"><Image>a</Image></ProcessCreate>'
OTHER = '<FileCreate onmatch="exclude"/>'


def parts(text: str) -> dict[str, str]:
    return split(text, parsed(text))


def test_there_is_a_file_for_each_event_named_after_it() -> None:
    text = filtering(f'{ONE}{OTHER}<eBPFEvent onmatch="include"/><RegistryEvent onmatch="include"/>')
    assert list(parts(text)) == [
        "01-ProcessCreate.xml",
        "11-FileCreate.xml",
        "12-RegistryEvent.xml",
        "100-eBPFEvent.xml",
    ]


def test_each_can_be_used_alone() -> None:
    text = parts(filtering(f'<RuleGroup name="g" groupRelation="or">{ONE}{OTHER}</RuleGroup>{ONE}'))
    assert (
        text["01-ProcessCreate.xml"]
        == """\
<Sysmon schemaversion="4.90">
  <EventFiltering>
    <RuleGroup name="g" groupRelation="or">
      <ProcessCreate onmatch="include">
        <Image>a</Image>
      </ProcessCreate>
    </RuleGroup>
    <ProcessCreate onmatch="include">
      <Image>a</Image>
    </ProcessCreate>
  </EventFiltering>
</Sysmon>
"""
    )
    assert [e.tag for e in parsed(text["11-FileCreate.xml"]).filters] == ["FileCreate"]


def test_options_have_a_file_of_their_own_with_the_comments_of_the_whole() -> None:
    text = filtering(ONE).replace("<EventFiltering>", "<!-- fast --><DnsLookup>false</DnsLookup>\n<EventFiltering>")
    made = parts(f"<!-- mine -->\n{text}")
    assert "<!-- mine -->" in made[OPTIONS]
    assert "<!-- fast -->" in made[OPTIONS]
    assert parsed(made[OPTIONS]).options.dns_lookup is False
    assert "DnsLookup" not in made["01-ProcessCreate.xml"]
    assert OPTIONS not in parts(filtering(ONE))


def test_comments_go_along_with_what_they_stand_before() -> None:
    text = filtering(f"\n<!-- about\n files -->\n{OTHER}\n<!-- about processes -->\n{ONE}")
    made = parts(text)
    assert "about processes" in made["01-ProcessCreate.xml"]
    assert "files" not in made["01-ProcessCreate.xml"]
    assert "files" in made["11-FileCreate.xml"]


def elements(*wholes: Configuration) -> list[object]:
    """All elements of configurations, without the numbers and places that depend on the file."""
    found = [(e.tag, e.onmatch, e.relation, [_entry(entry) for entry in e.entries]) for w in wholes for e in _sorted(w)]
    return sorted(found, key=repr)


def _sorted(whole: Configuration) -> list[EventFilter]:
    return list(whole.filters)


def _entry(entry: object) -> object:
    if isinstance(entry, Filter):
        return (entry.field, entry.condition, entry.value, entry.name)
    name, relation, filters = (getattr(entry, each) for each in ("name", "relation", "filters"))
    return (name, relation, [_entry(each) for each in filters])


@given(configurations())
def test_nothing_is_lost_and_nothing_is_there_twice(made: Configuration) -> None:
    text = write_configuration(made)
    assert elements(*map(parsed, parts(text).values())) == elements(parsed(text))


@pytest.mark.parametrize("path", shared_files("data/configs/*.xml"))
def test_configurations_in_use_can_be_split(path: Path) -> None:
    text = decode(path.read_bytes()).text
    assert text
    made = split(text, parsed(text))
    assert elements(*map(parsed, made.values())) == elements(parsed(text))
    if OPTIONS in made:
        assert parsed(made[OPTIONS]).options == parsed(text).options
