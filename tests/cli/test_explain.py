"""`pysmon explain`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.calls import Caller, spawned
from tests.formats.entries import entry
from tests.rules.build import event

from pysmon.formats.json_line import json_line
from pysmon.lint.check import include

CONFIG = include(
    "ProcessCreate",
    '<Image condition="image" name="web">curl</Image>\n'
    '<Rule groupRelation="and">\n<Image condition="image">ssh</Image>\n<User>root</User>\n</Rule>',
)
CURL = '{"EventID": 1, "Image": "/usr/bin/curl"}'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.xml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.json"
    events = [event(Image=f"/usr/bin/{name}", User="joe") for name in ("curl", "ssh")]
    path.write_bytes(b"".join(json_line(entry(made, number)) + b"\n" for number, made in enumerate(events, 6)))
    return path


def test_an_event_can_stand_on_the_command_line(pysmon: Caller, config: Path) -> None:
    answer = pysmon("explain", config, CURL)
    assert answer.code == 0
    assert answer.out.startswith("ProcessCreate (event 1) is kept, RuleName web\n")
    assert '✓   <Image condition="image">curl</Image>  names it\n' in answer.out


def test_a_name_that_is_no_field_is_told(pysmon: Caller, config: Path) -> None:
    answer = pysmon("explain", config, '{"EventID": 1, "Imagee": "/usr/bin/curl", "Extra": {"a": 1}}')
    assert answer.code == 0
    assert answer.err == "pysmon: event 1 has no field 'Imagee' (did you mean Image?); it is left out\n"


def test_an_event_of_a_log_is_named_by_its_record(pysmon: Caller, config: Path, log: Path) -> None:
    answer = pysmon("explain", config, log, "--record", 7)
    assert answer.code == 0
    assert answer.out.startswith("ProcessCreate (event 1) is dropped\n")
    assert "<User>root</User>  had it held\n" in answer.out


def test_of_several_events_one_must_be_named(pysmon: Caller, config: Path, log: Path) -> None:
    answer = pysmon("explain", config, log)
    assert (answer.code, answer.out) == (2, "")
    assert "--record N" in answer.err
    answer = pysmon("explain", config, log, "--record", 8)
    assert answer.code == 2
    assert "no event with the record id 8" in answer.err


def test_an_event_can_come_through_a_pipe(config: Path, log: Path) -> None:
    answer = spawned("explain", config, "-", stdin=log.read_bytes().splitlines()[1])
    assert answer.code == 0
    assert answer.out.startswith("ProcessCreate (event 1) is dropped\n")


def test_the_shape_of_a_log_can_be_forced(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    path = tmp_path / "written-by-hand.json"
    path.write_text(CURL.replace("{", '{"UtcTime": "2026-11-21 08:15:00.000", '))
    assert pysmon("explain", "--input-format", "pysmon", config, path).code == 0


def test_json_has_the_whole_way(pysmon: Caller, config: Path) -> None:
    told = json.loads(pysmon("explain", "--json", config, CURL).out)
    assert (told["event_id"], told["keep"], told["rule_name"]) == (1, True, "web")
    assert told["decided_by"] == {"onmatch": "include", "line": 4}
    assert told["named_by"]["line"] == 5
    (element,) = told["elements"]
    first, rule = element["entries"]
    assert (first["holds"], first["looked_at"], first["event_value"]) == (True, True, "/usr/bin/curl")
    assert (rule["looked_at"], rule["matched"], len(rule["conditions"])) == (False, None, 2)
    assert [(turn["line"], turn["had_it_held"], turn["keep"]) for turn in told["turns"]] == [(5, False, False)]


def test_an_event_that_is_none_is_misuse(pysmon: Caller, config: Path) -> None:
    for text in ('{"EventID": 99}', "{", '{"Image": "x"}'):
        answer = pysmon("explain", config, text)
        assert answer.code == 2
        assert "the event cannot be read" in answer.err


def test_a_configuration_with_errors_explains_nothing(pysmon: Caller, bad: Path) -> None:
    answer = pysmon("explain", bad, CURL)
    assert (answer.code, answer.out) == (2, "")
    assert "C401" in answer.err


def test_all_shows_every_condition(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "many.xml"
    path.write_text(include("ProcessCreate", "\n".join(f"<Image>/bin/{n}</Image>" for n in range(9))))
    assert "9 conditions that do not hold" in pysmon("explain", path, CURL).out
    answer = pysmon("explain", "--all", path, CURL)
    assert "9 conditions that" not in answer.out
    assert "<Image>/bin/8</Image>" in answer.out


def test_what_the_kernel_decides_is_shown_without_an_event(pysmon: Caller, tmp_path: Path) -> None:
    path = tmp_path / "config.xml"
    path.write_text(include("FileCreate", '<TargetFilename condition="end with">.sh</TargetFilename>'))
    out = pysmon("explain", "--pushdown", path).out
    assert "FileCreate (event 11)\n  path: dropped unless it ends in .sh\n" in out
    assert "NetworkConnect (event 3)\n  no rule can keep it" in out


def test_either_an_event_or_pushdown_is_asked_for(pysmon: Caller, config: Path) -> None:
    assert "give either an EVENT or --pushdown" in pysmon("explain", config).err
    assert pysmon("explain", "--pushdown", config, CURL).code == 2
