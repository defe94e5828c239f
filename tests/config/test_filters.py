"""Field filters and Rules: fields, conditions, values, names."""

from __future__ import annotations

import pytest
from tests.config.make import configuration, create, events, filtering, problem, problems, read

from pysmon.config.filters import LISTS
from pysmon.config.model import Condition, Filter, Relation, Rule
from pysmon.schema.conditions import CONDITIONS


def entries(body: str, version: str = "4.90") -> tuple[Filter | Rule, ...]:
    (event,) = events(create(body, version))
    return event.entries


def one(body: str) -> Filter:
    (found,) = entries(body)
    assert isinstance(found, Filter)
    return found


def rule(body: str) -> Rule:
    (found,) = entries(body)
    assert isinstance(found, Rule)
    return found


# Fields


def test_a_filter_has_its_field_condition_value_and_place() -> None:
    found = one('  <Image condition="end with">/ls</Image>')
    assert (found.field, found.condition, found.value) == ("Image", Condition.END_WITH, "/ls")
    assert (found.place.file, found.place.line, found.place.column) == ("a.xml", 4, 3)


def test_an_unknown_field_is_refused_with_the_fields_that_there_are() -> None:
    found = problem(create("<CommandLin>x</CommandLin>"))
    assert (found.code, found.hint) == ("C401", "did you mean 'CommandLine'?")
    assert "CurrentDirectory" in found.expected


@pytest.mark.parametrize("field", ["image", "IMAGE", "commandline"])
def test_names_of_fields_are_case_sensitive(field: str) -> None:
    assert problem(create(f"<{field}>x</{field}>")).code == "C401"


def test_process_access_writes_guid_in_capitals() -> None:
    text = '<ProcessAccess onmatch="include"><{0}>x</{0}></ProcessAccess>'
    assert problems(filtering(text.format("SourceProcessGUID"))) == []
    assert problem(filtering(text.format("SourceProcessGuid"))).hint == "did you mean 'SourceProcessGUID'?"


def test_a_field_newer_than_the_version_is_told_once_and_read() -> None:
    text = create("<ParentUser>a</ParentUser>\n<ParentUser>b</ParentUser>", "4.70")
    assert problems(text) == ["C403 4:1"]
    assert len(events(text)[0].entries) == 2


def test_a_field_of_the_version_itself_is_not_told() -> None:
    assert problems(create("<ParentUser>a</ParentUser>", "4.80")) == []


# Conditions


@pytest.mark.parametrize("condition", Condition, ids=lambda c: c.value)
def test_every_condition_is_read_in_any_case(condition: Condition) -> None:
    assert one(f'<Image condition="{condition.value}">x</Image>').condition is condition
    assert one(f'<Image condition="{condition.value.title()}">x</Image>').condition is condition


def test_the_model_knows_exactly_the_conditions_of_the_schema() -> None:
    assert {condition.value for condition in Condition} == {known.word for known in CONDITIONS}


@pytest.mark.parametrize("attribute", ["", 'condition=""'])
def test_without_a_condition_is_holds(attribute: str) -> None:
    assert one(f"<Image {attribute}>x</Image>").condition is Condition.IS


@pytest.mark.parametrize(
    ("written", "meant"), [("ends with", "end with"), ("contain", "contains"), ("begins with", "begin with")]
)
def test_an_unknown_condition_is_refused_with_what_was_meant(written: str, meant: str) -> None:
    found = problem(create(f'<Image condition="{written}">x</Image>'))
    assert (found.code, found.place.column, found.hint) == ("C404", 19, f"did you mean {meant!r}?")


@pytest.mark.parametrize("written", ["is  any", " is", "is ", "begin_with"])
def test_blanks_in_a_condition_matter(written: str) -> None:
    assert problem(create(f'<Image condition="{written}">x</Image>')).code == "C404"


@pytest.mark.parametrize(
    ("condition", "before", "since"),
    [
        ("contains any", "4.21", "4.22"),
        ("contains all", "4.21", "4.22"),
        ("excludes any", "4.22", "4.23"),
        ("excludes all", "4.22", "4.23"),
        ("is any", "4.30", "4.31"),
        ("not begin with", "4.60", "4.70"),
        ("not end with", "4.60", "4.70"),
    ],
)
def test_a_condition_newer_than_the_version_is_told_once(condition: str, before: str, since: str) -> None:
    body = f'<Image condition="{condition}">x</Image>\n' * 2
    assert problems(create(body, before)) == ["C405 4:19"]
    assert problems(create(body, since)) == []


# Values


@pytest.mark.parametrize("value", [" -e ", "a\tb", "line\nbreak", "%TEMP%", "a;b", "é", "-"])
def test_a_value_is_taken_as_it_stands(value: str) -> None:
    assert one(f"<Image>{value}</Image>").value == value


@pytest.mark.parametrize("body", ["<Image/>", "<Image></Image>", "<Image>  \n </Image>", "<Image><!-- x --></Image>"])
def test_a_value_can_be_empty(body: str) -> None:
    assert problems(create(body)) == []
    assert one(body).value == ""


def test_a_value_with_a_comment_in_it_is_taken_whole_with_a_warning() -> None:
    text = create("<Image>/bin<!-- x -->/ls</Image>")
    assert problems(text) == ["C407 4:22"]
    assert one("<Image>/bin<!-- x -->/ls</Image>").value == "/bin/ls"


@pytest.mark.parametrize("body", ["<Image><!-- x -->/bin/ls</Image>", "<Image>/bin/ls<!-- x --></Image>"])
def test_a_comment_at_the_end_of_a_value_is_nothing_to_tell(body: str) -> None:
    assert problems(create(body)) == []
    assert one(body).value == "/bin/ls"


def test_an_element_in_a_value_is_ignored_with_a_warning() -> None:
    assert problems(create("<Image>/bin<Image>/ls</Image></Image>")) == ["C321 4:12"]


@pytest.mark.parametrize(
    ("condition", "value", "code"),
    [
        ("contains any", "a;b;", "C408"),
        ("excludes any", "a;b;", "C408"),
        ("contains any", "a;;b", "C408"),
        ("is any", ";a", "C408"),
        ("contains all", "a;;b", "C408"),
        ("contains any", "a; b; c", "C409"),
        ("is any", "a; b", "C409"),
    ],
)
def test_a_list_that_means_something_else_than_it_says_is_told_at_its_text(
    condition: str, value: str, code: str
) -> None:
    body = f'<Image condition="{condition}">{value}</Image>'
    assert problems(create(body)) == [f"{code} 4:{body.index('>') + 2}"]


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("is any", "a;b;"),  # the empty part is an empty field: such a thing does not exist
        ("contains all", "a;b;"),  # every text contains it
        ("excludes all", "a;b;"),
        ("contains", "a;;b;"),
        ("contains any", " -e; -enc"),  # blanks are meant
        ("contains any", "a;b; c"),
        ("contains any", "a b"),
        ("contains any", ""),
    ],
)
def test_a_list_that_may_be_meant_is_not_told(condition: str, value: str) -> None:
    assert problems(create(f'<Image condition="{condition}">{value}</Image>')) == []


def test_only_conditions_of_several_words_take_lists() -> None:
    assert {condition.value.split()[-1] for condition in LISTS} == {"any", "all"}


# Names


@pytest.mark.parametrize(
    ("field", "of_rule", "of_group", "name"),
    [
        ('name="f"', 'name="r"', 'name="g"', "f"),
        ("", 'name="r"', 'name="g"', "r"),
        ('name=""', 'name="r"', 'name="g"', "r"),
        ("", "", 'name="g"', "g"),
        ("", 'name=""', 'name="g"', "g"),
        ("", "", "", ""),
    ],
)
def test_a_filter_takes_the_nearest_name(field: str, of_rule: str, of_group: str, name: str) -> None:
    text = filtering(
        f'<RuleGroup {of_group} groupRelation="or"><ProcessCreate onmatch="include">'
        f'<Rule {of_rule} groupRelation="or"><Image {field}>x</Image></Rule></ProcessCreate></RuleGroup>'
    )
    (entry,) = configuration(text).filters[0].entries
    assert isinstance(entry, Rule)
    assert [each.name for each in entry.filters] == [name]


def test_a_filter_outside_of_rules_takes_the_name_of_the_group() -> None:
    text = filtering(
        '<RuleGroup name="g" groupRelation="or"><ProcessCreate onmatch="include">'
        "<Image>x</Image></ProcessCreate></RuleGroup>"
    )
    (entry,) = configuration(text).filters[0].entries
    assert entry.name == "g"


@pytest.mark.parametrize("length", [255, 256])
@pytest.mark.parametrize(
    "body",
    [
        '<ProcessCreate onmatch="include"><Image name="{}">x</Image></ProcessCreate>',
        '<ProcessCreate onmatch="include"><Rule groupRelation="or" name="{}"><Image>x</Image></Rule></ProcessCreate>',
        '<RuleGroup groupRelation="or" name="{}"><ProcessCreate onmatch="include"><Image/></ProcessCreate></RuleGroup>',
    ],
    ids=["filter", "Rule", "RuleGroup"],
)
def test_a_name_has_255_bytes_at_most(body: str, length: int) -> None:
    codes = [found.code for found in read(filtering(body.format("n" * length))).problems]
    assert codes == (["C406"] if length > 255 else [])


def test_letters_of_several_bytes_count_as_such() -> None:
    assert problems(create(f'<Image name="{"é" * 127}">x</Image>')) == []
    assert problems(create(f'<Image name="{"é" * 128}">x</Image>')) == ["C406 4:14"]


# Rules


@pytest.mark.parametrize(
    ("written", "relation"),
    [("and", Relation.AND), ("or", Relation.OR), ("AND", Relation.AND), ("Or", Relation.OR)],
)
def test_a_rule_says_how_its_filters_combine(written: str, relation: Relation) -> None:
    found = rule(f'<Rule name="r" groupRelation="{written}"><Image>x</Image><User>y</User></Rule>')
    assert (found.relation, found.name, len(found.filters)) == (relation, "r", 2)
    assert (found.place.line, found.place.column) == (4, 1)


def test_a_rule_of_several_filters_without_a_relation_is_or_with_a_warning() -> None:
    body = "<Rule><Image>x</Image><User>y</User></Rule>"
    assert problems(create(body)) == ["C314 4:1"]
    assert rule(body).relation is Relation.OR


def test_a_rule_of_one_filter_needs_no_relation() -> None:
    assert problems(create("<Rule><Image>x</Image></Rule>")) == []


def test_an_unknown_relation_of_a_rule_means_and() -> None:
    body = '<Rule groupRelation="xor"><Image>x</Image></Rule>'
    assert problems(create(body)) == ["C313 4:22"]
    assert rule(body).relation is Relation.AND


@pytest.mark.parametrize("tag", ["rule", "RULE"])
def test_the_name_of_a_rule_element_is_read_in_any_case(tag: str) -> None:
    assert rule(f'<{tag} groupRelation="and"><Image>x</Image></{tag}>').relation is Relation.AND


def test_an_empty_rule_is_kept_with_a_warning() -> None:
    body = '<Rule name="r"/>'
    assert problems(create(body)) == ["C320 4:1"]
    assert rule(body).filters == ()


def test_a_rule_inside_a_rule_is_refused() -> None:
    body = '<Rule groupRelation="and"><Image>x</Image>\n<Rule groupRelation="or"><User>y</User></Rule></Rule>'
    assert problems(create(body)) == ["C316 5:1"]


def test_an_unknown_field_inside_a_rule_is_told_where_it_stands() -> None:
    assert problems(create('<Rule groupRelation="and">\n <Imag>x</Imag></Rule>')) == ["C401 5:2"]
