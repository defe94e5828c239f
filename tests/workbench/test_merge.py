"""Several configurations as one: it does what they do together, or says why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.configurations import configurations, events_for, placeless
from tests.config.make import filtering, sysmon
from tests.conftest import shared_files
from tests.rules.build import event

from pysmon.config.decode import decode
from pysmon.config.model import Configuration, EventFilter
from pysmon.config.read import read_configuration
from pysmon.config.write import write_configuration
from pysmon.errors import MisuseError
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import Event
from pysmon.workbench.merge import Merged, merge


def parsed(text: str, file: str = "x.xml") -> Configuration:
    found = read_configuration(text.encode(), file).configuration
    assert found
    return found


def merged(*texts: str) -> Merged:
    return merge([(text, parsed(text, f"{'abc'[n]}.xml")) for n, text in enumerate(texts)])


def group(name: str, body: str, relation: str = "or") -> str:
    return filtering(f'<RuleGroup name="{name}" groupRelation="{relation}">\n{body}\n</RuleGroup>')


def create(body: str, onmatch: str = "include") -> str:
    return f'<ProcessCreate onmatch="{onmatch}">\n{body}\n</ProcessCreate>'


def lines(made: Merged) -> list[str]:
    return [line.strip() for line in made.text.splitlines()][2:-2]


def told(made: Merged) -> list[str]:
    return [f"{note.place}: {note.what}" for note in made.notes]


def test_elements_of_one_event_become_one() -> None:
    made = merged(group("", create("<Image>a</Image>")), group("", create("<Image>b</Image>\n<!-- why -->")))
    assert lines(made) == [
        '<RuleGroup name="" groupRelation="or">',
        '<ProcessCreate onmatch="include">',
        "<Image>a</Image>",
        "<Image>b</Image>",
        "<!-- why -->",
        "</ProcessCreate>",
        "</RuleGroup>",
    ]
    assert made.notes == ()


def test_two_excludes_become_one_for_two_would_drop_everything() -> None:
    made = merged(group("", create("<Image>a</Image>", "exclude")), group("", create("<Image>b</Image>", "exclude")))
    assert [len(element.entries) for element in parsed(made.text).filters] == [2]
    assert Ruleset.compile(parsed(made.text)).decide(event(Image="c")).keep


def test_what_is_there_twice_stays_once() -> None:
    made = merged(group("", create("<Image>a</Image>")), group("", create("<User>u</User>\n<Image>a</Image>")))
    assert [len(element.entries) for element in parsed(made.text).filters] == [2]
    assert told(made) == ["b.xml:6:1: it is there already and is left out"]
    assert not made.notes[0].lost


def test_names_of_groups_go_along() -> None:
    rule = '<Rule groupRelation="and"><User>u</User></Rule>'
    made = merged(group("one", create("<Image>a</Image>")), group("two", create(f'<Image name="n">b</Image>{rule}')))
    assert lines(made)[2:6] == [
        '<Image name="one">a</Image>',
        '<Image name="n">b</Image>',
        '<Rule name="two" groupRelation="and">',
        "<User>u</User>",
    ]
    same = merged(group("one", create("<Image>a</Image>")), group("one", create("<Image>b</Image>")))
    assert lines(same)[0] == '<RuleGroup name="one" groupRelation="or">'
    assert "<Image>b</Image>" in same.text


def test_where_all_must_match_it_becomes_rules() -> None:
    both = "<Image>a</Image><Image>b</Image>\n<User>u</User>"
    made = merged(group("", create("<Image>x</Image>")), group("n", create(both), "and"))
    (element,) = parsed(made.text).filters
    assert len(element.entries) == 3
    assert lines(made)[3:5] == ['<Rule groupRelation="and">', '<Image name="n">a</Image>']


def test_what_would_become_too_many_rules_stays_apart() -> None:
    many = "".join(f"<Image>{n}</Image><User>{n}</User>\n" for n in range(9))
    made = merged(group("", create("<Image>x</Image>")), group("n", create(many), "and"))
    assert [element.relation.name for element in parsed(made.text).filters] == ["OR", "AND"]
    assert made.notes == ()
    excludes = merged(group("", create("<Image>x</Image>", "exclude")), group("n", create(many, "exclude"), "and"))
    assert told(excludes) == [
        "a.xml:4:1: ProcessCreate has several exclude elements that cannot be one, and no include: Sysmon then keeps"
        " no such event"
    ]


def test_old_configurations_say_how_their_filters_combine() -> None:
    old = filtering(create("<Image>a</Image>\n<User>u</User>"), version="4.1")
    made = merged(old)
    assert '<Sysmon schemaversion="4.20">' in made.text
    assert '<RuleGroup name="" groupRelation="or">' in made.text


def test_the_newest_schema_version_holds() -> None:
    assert 'schemaversion="4.90"' in merged(filtering("", "4.90"), filtering("", "4.50")).text


def test_fields_of_a_series_that_no_event_has_together_stay_apart() -> None:
    element = '<RegistryEvent onmatch="include"><{0}>x</{0}></RegistryEvent>'
    apart = merged(filtering(element.format("Details")), filtering(element.format("NewName")))
    assert [element.event_id for element in parsed(apart.text).filters] == [13, 14]
    together = merged(filtering(element.format("Details")), filtering(element.format("TargetObject")))
    assert [element.event_id for element in parsed(together.text).filters] == [13]
    moved = merged(filtering(element.format("Details")), filtering(element.format("User")))
    assert [element.event_id for element in parsed(moved.text).filters] == [13, 12]


def test_a_part_that_keeps_less_beside_the_others_is_told() -> None:
    made = merged(group("", create("<Image>a</Image>", "exclude")), group("", create("<Image>b</Image>")))
    assert told(made) == [
        "a.xml:4:1: alone it keeps every ProcessCreate that it does not exclude; with the include element at b.xml:4:1"
        " only what an include matches is kept"
    ]
    assert made.notes[0].lost


def test_options_stay_once_lists_are_united_and_the_last_value_holds() -> None:
    one = sysmon("<HashAlgorithms>sha1,MD5</HashAlgorithms>\n<DnsLookup>true</DnsLookup><CheckRevocation/>")
    two = sysmon("<HashAlgorithms>md5,SHA256</HashAlgorithms>\n<DnsLookup>false</DnsLookup><CheckRevocation/>")
    made = merged(one, two)
    options = parsed(made.text).options
    assert options.hash_algorithms == ("SHA1", "MD5", "SHA256")
    assert options.dns_lookup is False
    assert options.check_revocation is True
    assert told(made) == ["b.xml:3:1: DnsLookup is true in a.xml and false here, which holds"]


def test_all_hash_algorithms_and_some_are_all() -> None:
    made = merged(sysmon("<HashAlgorithms>*</HashAlgorithms>"), sysmon("<HashAlgorithms>MD5</HashAlgorithms>"))
    assert "<HashAlgorithms>*</HashAlgorithms>" in made.text


def test_comments_go_along_with_what_they_stand_before() -> None:
    text = f"<!-- file -->\n{group('', f'<!-- element -->{chr(10)}' + create('<Image>a</Image>'))}"
    text = text.replace("<RuleGroup", "<!-- group -->\n<RuleGroup")
    assert [line for line in merged(text).text.splitlines() if "<!--" in line] == [
        "<!-- file -->",
        "    <!-- group -->",
        "    <!-- element -->",
    ]
    twice = merged(text, text.replace(">a<", ">b<"))
    assert twice.text.count("<!-- group -->") == twice.text.count("<!-- element -->") == 2


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(MisuseError):
        merge([])


def matches(element: EventFilter, whole: Configuration, one: Event) -> bool:
    """Whether one element alone matches an event."""
    alone = Configuration("", "", whole.schema_version, whole.options, (element,))
    return Ruleset.compile(alone).decide(one).keep == (element.onmatch == "include")


def together(parts: list[Configuration], one: Event) -> bool:
    """What the parts do together: an exclude drops; if there are includes one must match."""
    elements = [(e, part) for part in parts for e in part.filters if e.tag == type(one).type.tag]
    if any(e.onmatch == "exclude" and matches(e, part, one) for e, part in elements):
        return False
    includes = [(e, part) for e, part in elements if e.onmatch == "include"]
    if not elements:
        return type(one).type.default == "include"
    return any(matches(e, part, one) for e, part in includes) if includes else True


TAGS = ("ProcessCreate", "RegistryEvent")


@given(st.data())
def test_the_whole_does_what_the_parts_do_together(data: st.DataObject) -> None:
    made = data.draw(st.lists(configurations(tags=TAGS), min_size=2, max_size=3))
    texts = [write_configuration(each) for each in made]
    parts = [parsed(each) for each in texts]
    result = merge(list(zip(texts, parts, strict=True)))
    dropped = {note.what.split()[0] for note in result.notes if "keeps no such event" in note.what}
    ruleset = Ruleset.compile(parsed(result.text))
    for _ in range(5):
        one = data.draw(events_for(*parts))
        if type(one).type.tag not in dropped:
            assert ruleset.decide(one).keep == together(parts, one)


@pytest.mark.parametrize("path", shared_files("data/configs/*.xml"))
def test_one_configuration_in_use_stays_what_it_was(path: Path) -> None:
    text = decode(path.read_bytes()).text
    assert text
    before = parsed(text)
    after = parsed(merge([(text, before)]).text)
    assert after.options == before.options
    count = {(e.tag, e.onmatch) for e in before.filters}
    if len(count) == len(before.filters):
        by_event = sorted(placeless(before).filters, key=lambda e: (e.event_id, e.onmatch))
        assert _numberless(sorted(placeless(after).filters, key=lambda e: (e.event_id, e.onmatch))) == _numberless(
            by_event
        )


def _numberless(elements: list[EventFilter]) -> list[object]:
    return [(e.tag, e.onmatch, e.relation, [getattr(entry, "filters", entry) for entry in e.entries]) for e in elements]
