"""`pysmon diff`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.calls import Caller, spawned
from tests.cli.pages import Page
from tests.conftest import ROOT
from tests.formats.entries import any_event, entry

from pysmon.formats.json_line import json_line
from pysmon.schema.event import EVENTS

EXAMPLE = ROOT / "examples" / "replay"
OLD, NEW, LOG = (EXAMPLE / name for name in ("old.xml", "new.xml", "office.json"))


def test_the_page_shows_what_comes_out(pysmon: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page("diff.md")
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    assert page.samples
    assert page.differing(pysmon) == []


def test_a_configuration_is_the_same_as_itself_laid_out_otherwise(pysmon: Caller, tmp_path: Path) -> None:
    other = tmp_path / "other.xml"
    other.write_text(pysmon("fmt", OLD).out.replace("conhost", "CONHOST"))
    answer = pysmon("diff", OLD, other, LOG)
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "by meaning: no difference",
        "",
        "by behaviour: no difference on 307 events in 1 log",
    ]


def test_the_document_says_what_changed_and_by_which_rules(pysmon: Caller) -> None:
    answer = pysmon("diff", "--json", OLD, NEW, LOG)
    assert answer.code == 1
    told = json.loads(answer.out)
    assert told["same"] is False
    assert [(row["change"], row["event"]) for row in told["meaning"]] == [
        ("added", "ProcessCreate"),
        ("changed", "NetworkConnect"),
        ("removed", "NetworkConnect"),
    ]
    assert told["meaning"][0]["new"]["line"] == 7
    behaviour = told["behaviour"]
    assert (behaviour["events"], behaviour["same"]) == (307, 164)
    assert (behaviour["kept_to_dropped"], behaviour["dropped_to_kept"], behaviour["another_rule_name"]) == (142, 0, 1)
    renamed = [row for row in behaviour["turns"] if row["turn"] == "another RuleName"]
    assert [(row["old"]["line"], row["new"]["line"], row["events"]) for row in renamed] == [(8, 18, 1)]
    assert renamed[0]["samples"][0]["record_id"] == 244


REGISTRY = """<Sysmon schemaversion="4.90"><EventFiltering>
<RegistryEvent onmatch="include">
<TargetObject condition="contains">%s</TargetObject>
</RegistryEvent></EventFiltering></Sysmon>"""


def test_a_rule_that_stands_for_several_events_is_one_with_their_ids(pysmon: Caller, tmp_path: Path) -> None:
    old, new, log = (tmp_path / name for name in ("old.xml", "new.xml", "log.json"))
    old.write_text(REGISTRY % "Run")
    new.write_text(REGISTRY % "Services")
    made = [entry(any_event(EVENTS[number], TargetObject="HKLM\\Run"), number) for number in (12, 13, 13, 14)]
    log.write_bytes(b"".join(json_line(each) + b"\n" for each in made))
    text = pysmon("diff", old, new, log).out
    assert [line.split()[0] for line in text.splitlines() if " was " in line] == ["4"]
    assert text.count("(events 12, 13, 14)") == 1
    (turn,) = json.loads(pysmon("diff", "--json", old, new, log).out)["behaviour"]["turns"]
    for side, line in (("old", 2), ("new", None)):
        assert (turn[side]["event_ids"], turn[side]["event"]) == ([12, 13, 14], "RegistryEvent")
        assert turn[side]["line"] == line
    assert (turn["events"], [sample["events"] for sample in turn["samples"]]) == (4, [4])


def test_without_a_log_only_the_meaning_is_told(pysmon: Caller) -> None:
    told = json.loads(pysmon("diff", "--json", OLD, OLD).out)
    assert (told["same"], told["meaning"], told["behaviour"]) == (True, [], None)


def test_what_makes_no_difference_on_the_log_may_make_one_in_meaning(pysmon: Caller, tmp_path: Path) -> None:
    other = tmp_path / "other.xml"
    other.write_text(OLD.read_text().replace(">4444<", ">4445<"))
    answer = pysmon("diff", OLD, other, LOG)
    assert answer.code == 1
    assert answer.out.startswith("by meaning: 1 difference\n")


def test_several_processes_tell_the_same(pysmon: Caller, tmp_path: Path) -> None:
    for name in ("one.json", "two.json"):
        (tmp_path / name).write_bytes(LOG.read_bytes())
    alone, together = (pysmon("diff", OLD, NEW, tmp_path, "--jobs", jobs).out for jobs in (1, 2))
    assert alone == together


def test_one_of_the_configurations_may_come_from_standard_input() -> None:
    answer = spawned("diff", "-", NEW, stdin=OLD.read_bytes())
    assert (answer.code, answer.out) == (1, spawned("diff", OLD, NEW).out)


@pytest.mark.parametrize("arguments", [("-", "-"), (OLD, LOG), (OLD, NEW, "none.json"), (OLD,)], ids=str)
def test_misuse_is_refused(pysmon: Caller, arguments: tuple[object, ...]) -> None:
    answer = pysmon("diff", *arguments)
    assert answer.code in (2, 3)
    assert answer.out == ""
