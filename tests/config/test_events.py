"""Event elements: onmatch, groups, depth, series of events, and the numbers of Rules."""

from __future__ import annotations

import pytest
from tests.config.make import create, events, filtering, problem, problems, read

from pysmon.config.model import Relation, Rule


def group(body: str, attributes: str = 'name="g" groupRelation="or"') -> str:
    return f"<RuleGroup {attributes}>{body}</RuleGroup>"


ONE = '<ProcessCreate onmatch="include"/>'


# onmatch


@pytest.mark.parametrize(
    ("attributes", "onmatch"),
    [
        ('onmatch="include"', "include"),
        ('onmatch="exclude"', "exclude"),
        ('onmatch="INCLUDE"', "include"),
        ('default="include"', "exclude"),
        ('default="exclude"', "include"),
        ('default="Exclude"', "include"),
        ('onmatch="" default="exclude"', "include"),
    ],
)
def test_onmatch_is_read_in_any_case_and_default_is_its_opposite(attributes: str, onmatch: str) -> None:
    (event,) = events(filtering(f"<ProcessCreate {attributes}/>"))
    assert event.onmatch == onmatch


@pytest.mark.parametrize("attributes", ["", 'onmatch=""', 'default=""'])
def test_an_event_without_onmatch_is_refused(attributes: str) -> None:
    assert problems(filtering(f"<ProcessCreate {attributes}/>")) == ["C310 3:1"]


def test_onmatch_in_the_wrong_case_is_an_attribute_that_sysmon_does_not_know() -> None:
    found = read(filtering('<ProcessCreate onMatch="include"/>')).problems
    assert [each.code for each in found] == ["C310", "C306"]
    assert "'onmatch'" in found[1].hint


def test_onmatch_and_default_together_are_refused() -> None:
    assert problems(filtering('<ProcessCreate onmatch="include" default="exclude"/>')) == ["C311 3:1"]


@pytest.mark.parametrize(("tag", "onmatch"), [("ProcessCreate", "exclude"), ("FileCreate", "include")])
def test_an_unknown_onmatch_falls_back_to_the_default_of_the_event(tag: str, onmatch: str) -> None:
    text = filtering(f'<{tag} onmatch="both"/>')
    assert problem(text).code == "C312"
    assert f"onmatch={onmatch!r}" in problem(text).message
    assert [event.onmatch for event in events(text)] == [onmatch]


def test_an_unknown_onmatch_is_told_at_its_value_with_what_was_meant() -> None:
    found = problem(filtering('<ProcessCreate onmatch="exlude"/>'))
    assert (found.place.column, found.hint) == (25, "did you mean 'exclude'?")


# Groups


@pytest.mark.parametrize(
    ("written", "relation"),
    [("or", Relation.OR), ("and", Relation.AND), ("OR", Relation.OR), ("And", Relation.AND)],
)
def test_a_group_says_how_filters_combine(written: str, relation: Relation) -> None:
    (event,) = events(filtering(group(ONE, f'name="g" groupRelation="{written}"')))
    assert (event.relation, event.group) == (relation, "g")


@pytest.mark.parametrize("tag", ["rulegroup", "RULEGROUP"])
def test_the_name_of_a_group_element_is_read_in_any_case(tag: str) -> None:
    (event,) = events(filtering(group(ONE).replace("RuleGroup", tag)))
    assert (event.relation, event.group) == (Relation.OR, "g")


@pytest.mark.parametrize("attributes", ["", 'groupRelation=""'])
@pytest.mark.parametrize(("version", "relation"), [("4.1", Relation.OR), ("4.90", Relation.AND)])
def test_a_group_without_a_relation_leaves_it_to_the_version(attributes: str, version: str, relation: Relation) -> None:
    text = filtering(group(ONE, attributes), version)
    assert problems(text) == ["C314 3:1"]
    assert [event.relation for event in events(text)] == [relation]


def test_an_unknown_relation_of_a_group_means_and() -> None:
    text = filtering(group(ONE, 'groupRelation="xor"'))
    assert problem(text).code == "C313"
    assert problem(text).hint == "did you mean 'or'?"
    assert [event.relation for event in events(text)] == [Relation.AND]


def test_a_group_holds_several_events() -> None:
    found = events(filtering(group(ONE + '<FileCreate onmatch="exclude"/>')))
    assert [(event.tag, event.group) for event in found] == [("ProcessCreate", "g"), ("FileCreate", "g")]


def test_of_groups_inside_each_other_the_inner_one_counts() -> None:
    text = filtering(group(group(ONE, 'name="inner" groupRelation="and"')))
    assert problem(text).code == "C315"
    assert [(event.group, event.relation) for event in events(text)] == [("inner", Relation.AND)]


# Depth and unknown elements


def test_an_unknown_event_is_ignored_with_a_hint() -> None:
    found = problem(filtering(ONE + '\n<FileCreat onmatch="include"><Whatever/></FileCreat>'))
    assert (found.code, found.place.line, found.hint) == ("C308", 4, "did you mean 'FileCreate'?")


@pytest.mark.parametrize("tag", ["processcreate", "PROCESSCREATE"])
def test_the_name_of_an_event_is_case_sensitive(tag: str) -> None:
    found = problem(filtering(ONE + f'<{tag} onmatch="include"/>'))
    assert (found.code, found.hint) == ("C308", "did you mean 'ProcessCreate'?")


def test_events_that_cannot_be_filtered_are_not_known() -> None:
    assert problem(filtering(ONE + '<ServiceStateChange onmatch="include"/>')).code == "C308"


def test_an_event_inside_an_unknown_element_is_read_as_sysmon_does() -> None:
    text = filtering(group(f"<Windows><Servers>{ONE}</Servers></Windows>"))
    assert problem(text).code == "C308"
    (event,) = events(text)
    assert (event.tag, event.group, event.relation) == ("ProcessCreate", "", Relation.AND)


def test_an_event_inside_an_event_is_refused_and_read_all_the_same() -> None:
    text = filtering(
        '<ProcessCreate onmatch="include">\n<FileCreate onmatch="include"><A/></FileCreate>\n</ProcessCreate>'
    )
    assert problems(text) == ["C401 4:1", "C401 4:31"]
    assert "end <ProcessCreate> before" in read(text).problems[0].hint


def test_a_group_inside_an_event_is_refused() -> None:
    found = problem(create('<RuleGroup groupRelation="or"/>'))
    assert found.code == "C401"
    assert "end <ProcessCreate> before" in found.hint


def test_a_rule_outside_of_events_is_ignored_with_a_hint() -> None:
    found = problem(filtering(ONE + "<Rule><Image/></Rule>"))
    assert (found.code, found.hint) == ("C308", "a Rule stands inside an event element")


# Versions


def test_an_event_newer_than_the_version_is_told_once_and_read() -> None:
    text = filtering('<DnsQuery onmatch="include"/>\n<DnsQuery onmatch="exclude"/>', "4.20")
    assert problems(text) == ["C317 3:1"]
    assert len(events(text)) == 2


def test_an_event_of_the_version_itself_is_not_told() -> None:
    assert problems(filtering('<DnsQuery onmatch="include"/>', "4.21")) == []


# Several elements of one event


def test_all_elements_of_an_event_count_in_document_order() -> None:
    text = filtering(f'<FileCreate onmatch="exclude"/>{ONE}<FileCreate onmatch="include"/>')
    assert problems(text) == []
    assert [(e.tag, e.onmatch) for e in events(text)] == [
        ("FileCreate", "exclude"),
        ("ProcessCreate", "include"),
        ("FileCreate", "include"),
    ]


def test_two_excludes_alone_are_told_to_drop_everything() -> None:
    one = '<RegistryEvent onmatch="exclude"/>'
    found = problem(filtering(f"{one}\n{one}"))
    assert (found.code, found.place.line) == ("C319", 4)


# Series


@pytest.mark.parametrize(
    ("tag", "fields", "event_id"),
    [
        ("RegistryEvent", [], 12),
        ("RegistryEvent", ["TargetObject", "User"], 12),
        ("RegistryEvent", ["TargetObject", "Details"], 13),
        ("RegistryEvent", ["NewName"], 14),
        ("PipeEvent", ["PipeName"], 17),
        ("WmiEvent", ["Name"], 19),
        ("WmiEvent", ["Name", "Destination"], 20),
        ("WmiEvent", ["Consumer", "Filter"], 21),
    ],
)
def test_of_a_series_the_first_event_that_has_all_fields_is_taken(tag: str, fields: list[str], event_id: int) -> None:
    (event,) = events(filtering(f'<{tag} onmatch="include">{"".join(f"<{f}>x</{f}>" for f in fields)}</{tag}>'))
    assert event.event_id == event_id


def test_fields_of_several_events_of_a_series_are_refused() -> None:
    text = filtering(
        '<RegistryEvent onmatch="include"><Details>x</Details>\n'
        '<Rule groupRelation="or"><NewName>y</NewName></Rule></RegistryEvent>'
    )
    found = problem(text)
    assert (found.code, found.place.line, found.place.column) == ("C402", 4, 26)
    assert "NewName together with Details" in found.message


# Numbers of Rules


def numbers(text: str) -> list[tuple[str, int]]:
    return [(event.tag, entry.number) for event in events(text) for entry in event.entries if isinstance(entry, Rule)]


def rules(tag: str, *fields: str) -> str:
    body = "".join(f'<Rule groupRelation="and"><{field}>x</{field}></Rule>' for field in fields)
    return f'<{tag} onmatch="include">{body}</{tag}>'


def test_rules_are_numbered_by_event_and_then_by_document_order() -> None:
    text = filtering(
        rules("FileCreate", "Image") + rules("ProcessCreate", "Image", "User") + rules("FileCreate", "User")
    )
    assert numbers(text) == [("FileCreate", 3), ("ProcessCreate", 1), ("ProcessCreate", 2), ("FileCreate", 4)]


def test_an_empty_rule_uses_up_a_number() -> None:
    text = create('<Rule groupRelation="and"/><Rule groupRelation="and"><Image>x</Image></Rule>')
    assert numbers(text) == [("ProcessCreate", 1), ("ProcessCreate", 2)]


def test_a_try_with_an_event_that_lacks_a_field_uses_up_numbers() -> None:
    assert numbers(filtering(rules("RegistryEvent", "TargetObject", "Details"))) == [
        ("RegistryEvent", 3),
        ("RegistryEvent", 4),
    ]


def test_a_try_that_fails_at_a_filter_before_all_rules_uses_up_none() -> None:
    text = filtering(
        '<RegistryEvent onmatch="include"><Details>x</Details>'
        '<Rule groupRelation="and"><Image>x</Image></Rule></RegistryEvent>'
    )
    assert numbers(text) == [("RegistryEvent", 1)]
