"""Suggested excludes do what is said of them: pasted into the file, they save that many events and no others."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rules.build import AND, configuration, element, event, filter_, rule
from tests.workbench import office
from tests.workbench.logs import cut, numbers, replayed, written

from pysmon.config.model import Configuration, EventFilter
from pysmon.config.read import read_configuration
from pysmon.schema.event import Event
from pysmon.schema.version import SchemaVersion
from pysmon.workbench.replay import Rules
from pysmon.workbench.suggest import Suggestion, suggestions
from pysmon.workbench.tally import Account

AGENT, SHELL = "C:\\a & b\\agent.exe", "C:\\shell.exe"


def kept(account: Account) -> int:
    return sum(count for (_, keep, _), count in numbers(account).items() if keep)


def log(path: Path) -> Path:
    stream = [event(Image=AGENT, CommandLine=f"agent {n % 3}", User="x") for n in range(60)]
    stream += [event(Image=SHELL, CommandLine="shell -c <x>", User="y") for _ in range(30)]
    stream += [event(3, Image=AGENT, DestinationHostname=f"h{n}", DestinationPort=n) for n in range(20)]
    stream += [event(13, Image=SHELL, TargetObject=f"HKLM\\{n % 2}", Details="d") for n in range(24)]
    stream += [event(12, Image=SHELL, TargetObject="HKLM\\0") for n in range(6)]
    stream += [event(6, ImageLoaded="C:\\driver.sys") for _ in range(9)]
    return written(path, stream)


def found(made: Configuration, path: Path) -> tuple[Account, list[Suggestion]]:
    rules = Rules(made)
    account = replayed(rules, cut(path))
    return account, list(suggestions(rules, account))


CONFIGURATIONS: dict[str, list[EventFilter]] = {
    "nothing": [],
    "empty excludes": [element("exclude", relation=AND), element("exclude", event_id=13, relation=AND)],
    "excludes": [element("exclude", filter_("Image", "is", "q", "n")), element("exclude", event_id=3)],
    "includes": [
        element("include", filter_("Image", "contains", "e", "n"), rule(AND, filter_("User", "is", "x"))),
        element("include", filter_("Image", "contains", "e"), event_id=13),
        element("include", filter_("DestinationPort", "less than", "5", "few"), event_id=3),
    ],
    "both": [
        element("include", filter_("Image", "contains", "e", "n")),
        element("exclude", filter_("User", "is", "q"), filter_("Image", "is", "q"), relation=AND),
    ],
    "several": [
        element("include", filter_("Image", "contains", "e"), event_id=13),
        element("exclude", filter_("Details", "is", "q"), event_id=13),
        element("exclude", filter_("Image", "is", "q"), event_id=13),
    ],
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_a_suggestion_saves_is_what_its_configuration_drops(tmp_path: Path, name: str) -> None:
    path = log(tmp_path / "log.json")
    made = configuration(*CONFIGURATIONS[name])
    account, advice = found(made, path)
    assert advice
    for suggestion in advice:
        after = replayed(Rules(suggestion.configuration), cut(path))
        assert kept(account) - kept(after) == suggestion.saves.events > 0
        assert sum(count for _, count in suggestion.hides) == suggestion.saves.events
        assert suggestion.exact


fields = st.sampled_from(["Image", "CommandLine", "User"])
values = st.sampled_from(["a", "b", "A", "\u00e9", ""])
conditions = st.builds(filter_, fields, st.sampled_from(["is", "is not", "contains", "begin with"]), values)


@st.composite
def made_up(draw: st.DrawFn) -> Configuration:
    both = st.lists(conditions, max_size=3)
    made = []
    for onmatch in draw(st.lists(st.sampled_from(["include", "exclude"]), max_size=3)):
        relation = draw(st.sampled_from([AND, element("include").relation]))
        made.append(element(onmatch, *draw(both), relation=relation))  # type: ignore[arg-type]
    return configuration(*made)


streams = st.lists(st.builds(event, Image=values, CommandLine=values, User=values), min_size=2, max_size=12)


@given(made=made_up(), stream=streams)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_on_anything_a_suggestion_drops_just_what_it_says(
    tmp_path_factory: pytest.TempPathFactory, made: Configuration, stream: list[Event]
) -> None:
    path = written(tmp_path_factory.mktemp("suggest") / "log.json", stream)
    before = Rules(made)
    for suggestion in found(made, path)[1]:
        after = Rules(suggestion.configuration)
        saved = 0
        for each in stream:
            old, new = before.ruleset.decide(each), after.ruleset.decide(each)
            asked = all(each.text(name).lower() == value.lower() for name, value in suggestion.fields)
            assert new == old or (old.keep and not new.keep and asked)
            saved += old.keep and not new.keep
        assert saved == suggestion.saves.events


def test_pasted_into_the_file_the_xml_does_that(tmp_path: Path) -> None:
    path = log(tmp_path / "log.json")
    text = (
        '<Sysmon schemaversion="4.90">\n<EventFiltering>\n<RuleGroup groupRelation="or">\n'
        '<ProcessCreate onmatch="exclude">\n<Image>q</Image>\n</ProcessCreate>\n</RuleGroup>\n'
        '<NetworkConnect onmatch="exclude"/>\n'
        '<RegistryEvent onmatch="include">\n<Image condition="contains">e</Image>\n</RegistryEvent>\n'
        "</EventFiltering>\n</Sysmon>\n"
    )
    made = read_configuration(text.encode(), "c.xml").configuration
    assert made is not None
    account, advice = found(made, path)
    assert {suggestion.spot for suggestion in advice} == {"into", "instead", "behind"}
    for suggestion in advice:
        lines = text.splitlines()
        assert suggestion.place is not None
        at = suggestion.place.line - 1
        if suggestion.spot == "into":
            lines.insert(at + 1, suggestion.xml)
        elif suggestion.spot == "instead":
            lines[at] = suggestion.xml
        else:
            lines.insert(len(lines) - 2, suggestion.xml)
        pasted = read_configuration("\n".join(lines).encode(), "c.xml")
        assert pasted.problems == ()
        assert pasted.configuration is not None
        after = replayed(Rules(pasted.configuration), cut(path))
        assert kept(account) - kept(after) == suggestion.saves.events


def test_a_second_exclude_beside_one_that_takes_all_is_never_suggested(tmp_path: Path) -> None:
    alone = element("exclude", filter_("User", "is", "q"), filter_("Image", "is", "q"), relation=AND)
    _, advice = found(configuration(alone), log(tmp_path / "log.json"))
    assert [suggestion.tag for suggestion in advice if suggestion.tag == "ProcessCreate"] == []


def test_what_nearly_all_events_of_an_image_have_in_common_is_asked_for_too(tmp_path: Path) -> None:
    _, advice = found(configuration(), log(tmp_path / "log.json"))
    asked = [dict(suggestion.fields) for suggestion in advice]
    assert asked == [{"Image": AGENT}, {"Image": SHELL, "CommandLine": "shell -c <x>"}]
    old = replace(configuration(), schema_version=SchemaVersion(4, 10))
    _, advice = found(old, tmp_path / "log.json")  # which has no Rule and no RuleGroup
    assert [dict(suggestion.fields) for suggestion in advice][1] == {"Image": SHELL}
    assert "Rule" not in advice[1].xml


def test_it_is_told_what_would_be_hidden(tmp_path: Path) -> None:
    path = tmp_path / "office.json"
    path.write_bytes(office.log())
    include = element("include", filter_("Image", "begin with", "C:\\Program Files\\", "ours"))
    _, advice = found(configuration(include), path)
    (first, *_) = advice
    ((ruling, count),) = first.hides
    assert (ruling.by, ruling.rule_name, count) == (include.entries[0], "ours", first.saves.events)
    things = Counter(dict(first.things))
    assert sum(things.values()) <= count
    assert first.different == len(things)


def test_values_that_xml_cannot_hold_are_not_suggested(tmp_path: Path) -> None:
    stream = [event(Image="a\x01b", CommandLine="-") for _ in range(20)]
    assert found(configuration(), written(tmp_path / "log.json", stream))[1] == []


def test_what_was_counted_together_is_not_said_to_be_saved(tmp_path: Path) -> None:
    rules = Rules(configuration())
    account = replayed(rules, cut(log(tmp_path / "log.json")))
    account.kept.exact = False
    for way in [way for way in account.kept.ways if way[2] == "agent 0"]:
        account.kept.ways[(way[0], way[1], None)] = account.kept.ways.pop(way)
    (first, *_) = suggestions(rules, account)
    assert (dict(first.fields), first.saves.events, first.exact) == ({"Image": AGENT}, 60, False)
