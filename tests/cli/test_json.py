"""`--json` of every command of the workbench: one document, of the shape that docs/commands.md says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.cli.calls import Caller
from tests.cli.test_exits import CALLS, Files, files, line
from tests.conftest import ROOT
from tests.sources.shapes import FILES, ME

from pysmon.cli.app import app
from pysmon.sources.open import SHAPES

__all__ = ["files"]
PAGE = (ROOT / "docs" / "commands.md").read_text()
TABLE = {
    command: set(re.findall(r"`([a-z0-9_]+)`", names.split(";")[0]))
    for cells, names in re.findall(r"^\| (`[a-z` ,-]+) \| ([^|]*) \|$", PAGE, re.MULTILINE)
    for command in re.findall(r"`([a-z -]+)`", cells)
}


def document(pysmon: Caller, *arguments: object) -> Any:
    answer = pysmon(*arguments)
    found = json.loads(answer.out)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", CALLS)
def test_every_command_prints_one_document_of_the_shape_that_is_documented(
    pysmon: Caller, files: Files, name: str
) -> None:
    assert document(pysmon, *line(name, files), "--json").keys() == TABLE[name]


def test_a_list_has_its_events_as_json_lines_have_them(pysmon: Caller, files: Files) -> None:
    lines = pysmon("log", files["L"], "--format", "json").out.splitlines()
    for name in ("log", "timeline"):
        assert document(pysmon, name, files["L"], "--json")["events"] == [json.loads(each) for each in lines]


def test_what_there_was_in_logs_besides_is_in_the_document(pysmon: Caller, files: Files) -> None:
    files["L"].write_bytes(FILES["wevtutil"][1] + b"\n<Event>x</Event>")
    for name in ("log", "timeline", "find", "tree", "story", "who", "replay"):
        (log,) = document(pysmon, *line(name, files), "--json")["logs"]
        assert (log["name"], log["events"], log["damages"]) == (str(files["L"]), 4, 1)
        assert log["other_channels"] == {"Security": 1}


def test_nothing_found_is_an_empty_list(pysmon: Caller, files: Files) -> None:
    answer = pysmon("find", "nothing of that", files["L"], "--json")
    assert (answer.code, json.loads(answer.out)["events"]) == (1, [])
    answer = pysmon("story", "99", files["L"], "--json")
    assert (answer.code, json.loads(answer.out)["processes"]) == (1, [])


def test_find_tells_where_the_text_stands(pysmon: Caller, files: Files) -> None:
    found = document(pysmon, "find", "360V", files["L"], "--json")["events"]
    (hit,) = found[0]["hits"]
    assert found[0]["event"][hit["field"]] == hit["text"]
    assert hit["text"][hit["begin"] : hit["end"]] == "360v"
    counts = document(pysmon, "find", "360V", files["L"], "--json", "--count")["counts"]
    assert counts == [{"id": 13, "event": "RegistryValueSet", "field": "TargetObject", "events": 1}]


def test_a_tree_names_parents_and_what_was_done(pysmon: Caller, files: Files) -> None:
    parent, process = document(pysmon, "tree", files["L"], "--json")["processes"]
    assert (parent["began"], parent["parent"], parent["depth"]) == (None, None, 0)
    assert (process["guid"], process["parent"], process["depth"]) == (ME, parent["guid"], 1)
    assert process["events"] == {"3": 1, "13": 1}


def test_the_rules_are_told_in_the_order_of_the_engine(pysmon: Caller, files: Files) -> None:
    (element,) = document(pysmon, "dump", files["C"], "--json")["rules"]
    (entry,) = element["entries"]
    assert (element["event"], element["onmatch"], entry["condition"]) == ("ProcessCreate", "include", "end with")


def test_one_way_to_print_is_asked_for(pysmon: Caller, files: Files) -> None:
    for options in (["--json", "--format", "json"], ["--json", "--follow"]):
        assert pysmon("log", files["L"], *options).code == 2


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.log] + ["test"])
def test_the_shape_is_forced_in_the_same_way_everywhere(pysmon: Caller, files: Files, name: str) -> None:
    assert pysmon(*line(name, files), "--input-format", "xml").code == 0
    wrong = pysmon(*line(name, files), "--input-format", "evx")
    assert (wrong.code, "did you mean evtx?" in wrong.err) == ((0, False) if name == "test" else (2, True))


@pytest.mark.parametrize("name", ["explain", "test", "replay", "diff", "tree"])
def test_format_is_another_name_where_it_says_nothing_else(pysmon: Caller, files: Files, name: str) -> None:
    assert pysmon(*line(name, files), "--format", "xml").code == 0


@pytest.mark.parametrize("name", ["log", "timeline", "find", "story", "who"])
def test_where_format_is_that_of_the_output_a_shape_is_told_how_it_is_named(
    pysmon: Caller, files: Files, name: str
) -> None:
    answer = pysmon(*line(name, files), "--format", "nxlog")
    assert (answer.code, "--input-format nxlog" in answer.err) == (2, True)


def test_last_is_the_same_letter_everywhere() -> None:
    letters = {option.name for command in app.commands.values() for option in command.params if "-n" in option.opts}
    assert letters == {"last"}


def test_the_page_names_every_shape_that_commands_take() -> None:
    assert "sources.md" in PAGE
    assert SHAPES.keys() >= {"evtx", "get-winevent"}
