"""`pysmon test`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.cli.calls import Caller, environment
from tests.formats.entries import entry
from tests.rules.build import event

from pysmon.formats.json_line import json_line
from pysmon.lint.check import include

CONFIG = include("ProcessCreate", '<Image condition="image" name="web">curl</Image>\n<User>root</User>')
CURL = "event: {EventID: 1, Image: /usr/bin/curl}"
SSH = "event: {EventID: ProcessCreate, Image: /usr/bin/ssh, User: joe}"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.xml"
    path.write_text(CONFIG)
    return path


def suite(folder: Path, *tests: str, name: str = "tests.yaml") -> Path:
    path = folder / name
    path.write_text("tests:\n" + "".join(f"  - {{{test}}}\n" for test in tests))
    return path


def log(folder: Path, *images: str, first: int = 6) -> Path:
    path = folder / "log.json"
    made = [entry(event(Image=image), number) for number, image in enumerate(images, first)]
    path.write_bytes(b"".join(json_line(each) + b"\n" for each in made))
    return path


def test_tests_that_hold_pass(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    tests = suite(tmp_path, f"{CURL}, expect: keep, rule: web", f"{CURL}, expect: keep", f"{SSH}, expect: drop")
    answer = pysmon("test", config, tests)
    assert (answer.code, answer.out, answer.err) == (0, "3 tests: 3 passed, 0 failed\n", "")
    assert "passed  test 2: ProcessCreate\n" in pysmon("test", "-v", config, tests).out


def test_a_test_that_fails_says_why(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    tests = suite(tmp_path, f"name: no curl, {CURL}, expect: drop", f"{SSH}, expect: keep")
    answer = pysmon("test", config, tests)
    assert answer.code == 1
    assert "failed  no curl\n" in answer.out
    assert f"{tests}:2:5: expected drop, and it is kept, RuleName web\n" in answer.out
    assert f'by <ProcessCreate onmatch="include"> at {config}:' in answer.out
    assert f"{tests}:3:5: expected keep, and it is dropped\n" in answer.out
    assert answer.out.endswith("2 tests: 0 passed, 2 failed\n")


def test_a_rule_name_that_is_another_fails(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    tests = suite(tmp_path, f"{CURL}, expect: keep, rule: download", f"{CURL}, expect: keep, rule: '-'")
    answer = pysmon("test", config, tests)
    assert answer.code == 1
    assert "expected keep, RuleName download, and it is kept, RuleName web\n" in answer.out
    assert "2 tests: 0 passed, 2 failed" in answer.out


def test_events_are_found_in_a_log_beside_the_tests(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    log(tmp_path, "/usr/bin/curl", "/usr/bin/ssh")
    tests = suite(tmp_path, "log: log.json, record: 6, expect: keep", "log: log.json, record: 7, expect: drop")
    assert pysmon("test", config, tests).code == 0


def test_the_only_event_of_a_log_needs_no_record(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    log(tmp_path, "/usr/bin/curl")
    assert pysmon("test", config, suite(tmp_path, "log: log.json, expect: keep")).code == 0


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("event: {EventID: 1, Imgae: x}, expect: keep", "has no field 'Imgae' (did you mean Image?)"),
        ("event: {EventID: ProcessCraete}, expect: keep", "no event 'ProcessCraete' (did you mean ProcessCreate?)"),
        ("event: {EventID: RegistryEvent}, expect: keep", "RegistryEvent is the name of several events: 12, 13, 14"),
        ("event: {Image: x}, expect: keep", "the event has no EventID"),
        ("event: {EventID: 5, ProcessId: many}, expect: keep", "ProcessId is 'many' (expected pid)"),
        ("event: {EventID: 5, Image: [a]}, expect: keep", "here stands a sequence (expected a text or a number)"),
        ("event: {EventID: 5, Image: a, Image: b}, expect: keep", "Image stands twice"),
        ("event: [1], expect: keep", "an event is a sequence (expected a mapping"),
        ("event: {EventID: 5}", "the test does not say what to expect"),
        ("event: {EventID: 5}, expect: kept", "expect is 'kept' (expected keep or drop)"),
        ("event: {EventID: 5}, expect: drop, rule: x", "an event that is dropped has no RuleName"),
        ("event: {EventID: 5}, expect: drop, record: 7", "record goes with log"),
        ("evnt: {EventID: 5}, expect: drop", "a test has no 'evnt' (did you mean event?)"),
        ("event: {EventID: 5}, log: x, expect: drop", "a test needs either event or log"),
        ("expect: drop", "a test needs either event or log"),
        ("log: log.json, record: x, expect: keep", "record is 'x' (expected the number"),
        ("log: log.json, record: 9, expect: keep", "log.json has no event with the record id 9"),
        ("log: log.json, expect: keep", "log.json has several events: name one with record"),
        ("log: nowhere.evtx, expect: keep", "nowhere.evtx: No such file or directory"),
        ("log: twice.json, record: 6, expect: keep", "twice.json has several events with the record id 6"),
    ],
)
def test_what_is_wrong_in_a_test_is_told_with_its_place(
    test: str, words: str, pysmon: Caller, config: Path, tmp_path: Path
) -> None:
    lines = log(tmp_path, "/usr/bin/curl", "/usr/bin/ssh").read_bytes()
    (tmp_path / "twice.json").write_bytes(lines + lines)
    tests = suite(tmp_path, f"{CURL}, expect: keep", test)
    answer = pysmon("test", config, tests)
    assert (answer.code, answer.out) == (2, "")
    assert f"{tests}:3:" in answer.err
    assert words in answer.err
    assert "the tests cannot be used: 1 error" in answer.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there are no tests"),
        ("tests: []", "there are no tests"),
        ("- event: {EventID: 1}", "the file is a sequence"),
        ("test: []", "the file has no 'test' (did you mean tests?)"),
        ("tests: {}", "tests is a mapping (expected a list"),
        ("tests:\n  - {a: [\n", "tests.yaml:3:1: this is no YAML"),
        ("tests: [*nothing]", "this is no YAML"),
        ("tests: " + "[" * 5000, "lists and mappings lie too deep in each other"),
    ],
)
def test_a_file_that_holds_no_tests_is_told(
    text: str, words: str, pysmon: Caller, config: Path, tmp_path: Path
) -> None:
    tests = tmp_path / "tests.yaml"
    tests.write_text(text)
    answer = pysmon("test", config, tests)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err


def test_files_that_cannot_be_read_are_told(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    assert "none.yaml: No such file" in pysmon("test", config, tmp_path / "none.yaml").err
    (tmp_path / "latin.yaml").write_bytes(b"tests: \xe9")
    assert "is not UTF-8" in pysmon("test", config, tmp_path / "latin.yaml").err
    tests = suite(tmp_path, f"{CURL}, expect: keep")
    assert pysmon("test", tmp_path / "none.xml", tests).code == 2


def test_scalars_are_the_text_that_stands_there(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    user = include("ProcessCreate", "<User>yes</User>\n<CommandLine>0x10</CommandLine>")
    config.write_text(user)
    tests = suite(
        tmp_path,
        "event: {EventID: 1, User: yes, ProcessId: 12}, expect: keep",
        "event: {EventID: 1, CommandLine: 0x10, UtcTime: 2026-11-21 06:10:33.206}, expect: keep",
    )
    assert pysmon("test", config, tests).code == 0


def test_the_json_document_has_every_test(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    tests = suite(tmp_path, f"name: a, {CURL}, expect: drop", f"{SSH}, expect: drop")
    document = json.loads(pysmon("test", "--json", config, tests).out)
    assert (document["passed"], document["failed"]) == (1, 1)
    first, second = document["tests"]
    assert {name: first[name] for name in ("name", "line", "passed", "keep", "rule_name", "expected")} == {
        "name": "a",
        "line": 2,
        "passed": False,
        "keep": True,
        "rule_name": "web",
        "expected": {"keep": False, "rule_name": None},
    }
    assert first["why"][0] == "ProcessCreate (event 1) is kept, RuleName web"
    assert (second["passed"], second["rule_name"], second["why"]) == (True, None, [])


def test_junit_has_a_suite_for_each_file_and_tells_failures(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    one = suite(tmp_path, f'name: "a <b> \\e\\0", {CURL}, expect: drop', f"{SSH}, expect: drop")
    two = suite(tmp_path, f"{SSH}, expect: drop", name="two.yaml")
    answer = pysmon("test", "--junit", tmp_path / "r.xml", config, one, two)
    assert answer.code == 1
    root = ElementTree.fromstring((tmp_path / "r.xml").read_bytes())
    assert [(s.get("name"), s.get("tests"), s.get("failures")) for s in root] == [
        (str(one), "2", "1"),
        (str(two), "1", "0"),
    ]
    case = root[0][0]
    assert (case.get("name"), case.get("line")) == (r"a <b> \x1b\x00", "2")
    assert case[0].get("message") == "expected drop, and it is kept, RuleName web"
    assert "<ProcessCreate onmatch=" in str(case[0].text)
    assert len(root[0][1]) == 0


def test_junit_can_go_to_standard_output_alone(pysmon: Caller, config: Path, tmp_path: Path) -> None:
    tests = suite(tmp_path, f"{CURL}, expect: keep")
    assert ElementTree.fromstring(pysmon("test", "--junit", "-", config, tests).out).get("tests") == "1"
    assert pysmon("test", "--junit", "-", "--json", config, tests).code == 2


WITHOUT_YAML = """
import sys
sys.modules["yaml"] = None
from pysmon.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_without_the_package_for_yaml_it_says_what_is_missing(config: Path, tmp_path: Path) -> None:
    arguments: list[str | Path] = [
        sys.executable,
        "-c",
        WITHOUT_YAML,
        "test",
        config,
        suite(tmp_path, f"{CURL}, expect: keep"),
    ]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 2
    assert "pip install pyyaml" in done.stderr
