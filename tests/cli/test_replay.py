"""`pysmon replay`."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.calls import Caller, spawned
from tests.cli.pages import Page
from tests.conftest import ROOT
from tests.sources.shapes import REGISTRY, xml
from tests.workbench import office

from pysmon.sources.open import open_sources

EXAMPLE = ROOT / "examples" / "replay"
OLD = EXAMPLE / "old.xml"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "office.json"
    path.write_bytes(office.log())
    return path


def test_the_page_shows_what_comes_out(pysmon: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page("replay.md")
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    assert [command.split()[0] for command, _ in page.samples] == ["replay", "diff", "replay", "log"]
    assert page.differing(pysmon) == []


def test_the_document_has_its_parts_and_they_add_up(pysmon: Caller, log: Path) -> None:
    answer = pysmon("replay", "--json", OLD, log)
    assert (answer.code, answer.err) == (0, "")
    told = json.loads(answer.out)
    assert (told["events"], told["kept"], told["dropped"]) == (307, 167, 140)
    for rows in (told["by_type"], told["by_rule"]):
        assert sum(row["events"] for row in rows) == 307
        assert sum(row["bytes"] for row in rows) == pytest.approx(told["bytes"], abs=len(rows))
    assert sum(row["kept"] for row in told["by_type"]) == 167
    assert sum(row["events"] for row in told["by_rule"] if row["keep"]) == 167
    named = [row for row in told["by_rule"] if row["rule_name"] == "technique_id=T1571"]
    assert [(row["line"], row["onmatch"], row["events"], row["event_id"]) for row in named] == [(8, "include", 1, 3)]
    unmatched = [row for row in told["by_rule"] if row["line"] is None and row["event_id"] == 11]
    assert [(row["keep"], row["onmatch"], row["events"]) for row in unmatched] == [(False, None, 20)]
    assert told["noisiest"]["images"][0] == {"image": office.AGENT, "kept": 120}
    assert told["suggestions"][0]["saves"]["events"] == 60
    assert told["per_day"]["kept_events"] == round(167 / told["days"])
    assert told["logs"][0]["events"] == 307


def test_of_a_short_log_no_day_is_told(pysmon: Caller, log: Path) -> None:
    log.write_bytes(b"".join(office.log().splitlines(keepends=True)[:5]))
    told = json.loads(pysmon("replay", "--json", OLD, log).out)
    assert (told["events"], told["per_day"]) == (5, None)
    assert "a day" not in pysmon("replay", OLD, log).out


@pytest.mark.parametrize("name", ["kept.evtx", "kept.xml", "kept.json", "kept.anything"])
def test_what_is_kept_is_written_with_the_names_of_its_rules(pysmon: Caller, log: Path, name: str) -> None:
    path = log.with_name(name)
    path.write_text("old")
    assert pysmon("replay", OLD, log, "-o", path).code == 0
    (source,) = open_sources([path])
    entries = list(source.entries())
    assert len(entries) == 167
    assert [e.record_id for e in entries if e.event.text("RuleName") == "technique_id=T1571"] == [244]
    assert sorted(each.name for each in log.parent.iterdir()) == sorted(["office.json", name])


def test_what_is_kept_can_go_to_standard_output_and_into_an_event_log(pysmon: Caller, log: Path) -> None:
    answer = spawned("replay", OLD, log, "-o", "-", "--store", log.with_name("store"))
    assert (answer.code, answer.err) == (0, "")
    assert len(answer.out.splitlines()) == 167
    assert json.loads(answer.out.splitlines()[0])["EventID"] == 1
    assert len(pysmon("log", "--store", log.with_name("store"), "--all").out.splitlines()) == 167


def test_a_failing_replay_leaves_the_old_file_alone(pysmon: Caller, log: Path) -> None:
    path = log.with_name("kept.json")
    path.write_text("old")
    answer = pysmon("replay", OLD, log, log.with_name("none.json"), "-o", path)
    assert answer.code != 0
    assert path.read_text() == "old"


def test_damage_is_a_finding_and_the_rest_is_judged(pysmon: Caller, log: Path) -> None:
    lines = office.log().splitlines(keepends=True)
    stranger = json.dumps({"SourceName": "x", "Channel": "Security", "EventID": 4688}).encode() + b"\n"
    log.write_bytes(b"".join([*lines[:9], b"{no\n", stranger, *lines[9:]]))
    answer = pysmon("replay", "--json", OLD, log)
    assert answer.code == 1
    assert "line 10" in answer.err
    assert "Security: 1" in answer.err
    told = json.loads(answer.out)
    assert told["events"] == 307
    assert (told["logs"][0]["damages"], told["logs"][0]["other_channels"]) == (1, {"Security": 1})


def test_several_processes_tell_the_same(pysmon: Caller, log: Path) -> None:
    log.with_name("second.json").write_bytes(office.log())
    alone, together = (json.loads(pysmon("replay", "--json", OLD, log.parent, "--jobs", jobs).out) for jobs in (1, 2))
    assert alone == together
    assert alone["events"] == 614


def test_standard_input_is_read(log: Path) -> None:
    answer = spawned("replay", "--json", OLD, "-", "--jobs", "2", stdin=log.read_bytes())
    assert json.loads(answer.out)["kept"] == 167


@pytest.mark.parametrize(
    "arguments",
    [
        ("-", "-"),
        (OLD, "none.json"),
        (OLD, "LOG", "--format", "nxlog", "-o", "x"),
        (OLD, "LOG", "-o", "-", "--json"),
        (OLD, "LOG", "-o", "-", "--format", "evtx"),
        (OLD, "LOG", "-o", "x.json", "--jobs", "2"),
        (OLD, "LOG", "--input-format", "nothing"),
        ("LOG", "LOG"),
    ],
    ids=str,
)
def test_misuse_is_refused(pysmon: Caller, log: Path, arguments: tuple[object, ...]) -> None:
    answer = pysmon("replay", *(log if each == "LOG" else each for each in arguments))
    assert answer.code in (2, 3)
    assert answer.out == ""
    assert answer.err != ""


def test_an_output_that_cannot_be_written_is_the_environments(pysmon: Caller, log: Path) -> None:
    assert pysmon("replay", OLD, log, "-o", log.with_name("no") / "folder.json").code == 3


def test_nothing_in_a_log_steers_a_terminal(pysmon: Caller, log: Path) -> None:
    row = json.loads(office.log().splitlines()[0])
    row |= {"Image": "C:\\\x1b[2J.exe", "CommandLine": "\x9b31m\u202e"}
    log.write_bytes(json.dumps(row).encode() + b"\n" * 5 + json.dumps(row).encode())
    out = pysmon("replay", OLD, log).out
    assert all(character.isprintable() or character == "\n" for character in out)


def test_a_rule_for_several_events_is_listed_once(pysmon: Caller, tmp_path: Path) -> None:
    config, log = tmp_path / "a.xml", tmp_path / "log.xml"
    config.write_text(
        '<Sysmon schemaversion="4.90"><EventFiltering><RegistryEvent onmatch="include">'
        '<TargetObject condition="contains">run</TargetObject></RegistryEvent></EventFiltering></Sysmon>'
    )
    made = replace(REGISTRY, id=12, fields={**REGISTRY.fields, "EventType": "CreateKey"})
    other = replace(REGISTRY, fields={**REGISTRY.fields, "TargetObject": "HKLM\\x"})
    log.write_text("".join(map(xml, (REGISTRY, made, other, replace(other, id=12)))))
    rows = json.loads(pysmon("replay", "--json", config, log).out)["by_rule"]
    assert [(row["event_ids"], row["event"], row["keep"], row["events"]) for row in rows] == [
        ([12, 13], "RegistryEvent", False, 2),
        ([12, 13], "RegistryEvent", True, 2),
    ]
    page = pysmon("replay", config, log).out
    assert page.count("<TargetObject") == page.count("no include matches") == 1


def test_a_log_is_not_written_over(pysmon: Caller, tmp_path: Path) -> None:
    log, other = tmp_path / "log.xml", tmp_path / "other.xml"
    log.write_text(xml(REGISTRY))
    other.symlink_to(log)
    for option in ("-o", "--store"):
        answer = pysmon("replay", OLD, log, option, other)
        assert (answer.code, f"{other} is one of the logs that are read" in answer.err) == (2, True)
    assert log.read_text() == xml(REGISTRY)
