"""How techniques are read and judged, and that the page on them knows each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.techniques.technique import Judge, Technique, Told, names_it, page_row, rows, techniques

from pysmon.schema.event import EVENTS

MADE = Technique(
    *("made", "T1070.004", "Made up", "Nothing happens.", "true\n"),
    told=(Told("FileCreate", ("TargetFilename is {stage}/x",)), Told("ImageLoad", (), unasked="why not")),
    who=("--file", "{stage}/x"),
)


class Log:
    """Answers as pysmon would; the shell is event 1, and its story these events."""

    def __init__(self, story: Sequence[int], found: Sequence[int], who: str = "") -> None:
        self.story, self.found, self.who, self.asked = story, found, who, list[str]()

    def __call__(self, words: Sequence[str]) -> str:
        self.asked.append(" ".join(words))
        if words[0] == "who":
            return self.who
        numbers = self.story if words[0] == "story" else [1] if "ProcessCreate" in words else self.found
        name = "technique_id=T1070,technique_name=Indicator Removal"
        made = [{"EventRecordID": n, "ProcessGuid": "{1}", "RuleName": name} for n in numbers]
        return "".join(f"{json.dumps(entry)}\n" for entry in made)


def test_every_technique_tells_events_that_there_are() -> None:
    names = {event.cls.__name__ for event in EVENTS.values()}
    assert {told.event for technique in techniques() for told in technique.told} <= names
    assert len(techniques()) == 17


def test_the_page_has_a_row_for_each_and_for_no_other() -> None:
    page = (ROOT / "docs" / "techniques.md").read_text()
    assert {line for line in page.splitlines() if line.startswith("| T1")} == {page_row(each) for each in techniques()}


def test_what_is_in_the_log_and_in_the_story_is_found(tmp_path: Path) -> None:
    log = Log(story=[1, 2], found=[2])
    findings = Judge(MADE, tmp_path, log).findings(shipped=True)
    assert [finding.missing for finding in findings] == [""]
    assert f"log --all --tag FileCreate --where TargetFilename is {tmp_path}/x --format json" in log.asked
    assert rows(MADE, findings) == ["T1070.004  made               1/1  FileCreate"]
    assert names_it(MADE, findings)


def test_what_the_shipped_rules_do_not_ask_for_is_looked_for_under_all_rules_only(tmp_path: Path) -> None:
    findings = Judge(MADE, tmp_path, Log(story=[1, 2], found=[2])).findings(shipped=False)
    assert [finding.told.event for finding in findings] == ["FileCreate", "ImageLoad"]


@pytest.mark.parametrize(
    ("story", "found", "missing"), [([1], [2], "not in the story of the shell"), ([1, 2], [], "no such event")]
)
def test_what_is_missing_is_named(story: list[int], found: list[int], missing: str, tmp_path: Path) -> None:
    findings = Judge(MADE, tmp_path, Log(story, found)).findings(shipped=True)
    assert rows(MADE, findings) == [
        "T1070.004  made               0/1  -",
        f"           missing: FileCreate ({missing}): TargetFilename is {{stage}}/x",
    ]


def test_a_rule_of_another_technique_does_not_name_it(tmp_path: Path) -> None:
    findings = Judge(MADE, tmp_path, Log(story=[1, 2], found=[2])).findings(shipped=True)
    other = Technique("other", "T1620", "Other", "Nothing.", "true", told=MADE.told)
    assert not names_it(other, findings)


def test_who_must_name_the_shell(tmp_path: Path) -> None:
    assert Judge(MADE, tmp_path, Log([], [], who=f"sh {tmp_path}/technique.sh")).leads_to_the_shell()
    assert not Judge(MADE, tmp_path, Log([], [], who="sh other.sh")).leads_to_the_shell()


def test_what_was_done_is_undone_even_if_it_fails(tmp_path: Path) -> None:
    made = Technique("made", "T1", "", "", "false\n", told=(), undo='touch "$STAGE/undone"')
    text = made.script(tmp_path).read_text()
    assert text.index("trap") < text.index("false")
    assert 'touch "$STAGE/undone"' in text
