"""`pysmon fmt`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.calls import GOOD, Caller, spawned

LAID_OUT = """\
<Sysmon schemaversion="4.90">
  <EventFiltering>
    <ProcessCreate onmatch="exclude"/>
  </EventFiltering>
</Sysmon>
"""


def test_a_file_is_printed_in_the_layout(pysmon: Caller, good: Path) -> None:
    assert pysmon("fmt", good) == (0, LAID_OUT, "")
    assert good.read_text() == GOOD


def test_standard_input_is_read() -> None:
    assert spawned("fmt", "-", stdin=GOOD.encode("utf-16")) == (0, LAID_OUT, "")


def test_files_are_written_in_place(pysmon: Caller, good: Path) -> None:
    second = good.with_name("second.xml")
    second.write_text(LAID_OUT)
    before = second.stat().st_ino
    assert pysmon("fmt", "-i", good, second) == (0, "", "")
    assert good.read_text() == LAID_OUT
    assert second.stat().st_ino == before  # it was laid out already


def test_check_names_what_would_change_and_writes_nothing(pysmon: Caller, good: Path) -> None:
    second = good.with_name("second.xml")
    second.write_text(LAID_OUT)
    assert pysmon("fmt", "--check", good, second) == (1, f"{good}\n", "")
    assert good.read_text() == GOOD
    assert pysmon("fmt", "--check", second) == (0, "", "")


def test_json_tells_of_every_file(pysmon: Caller, good: Path) -> None:
    assert json.loads(pysmon("fmt", "--check", "--json", good).out) == {"files": [{"file": str(good), "changes": True}]}
    assert pysmon("fmt", "-i", "--json", good).code == 0
    assert json.loads(pysmon("fmt", "--check", "--json", good).out)["files"][0]["changes"] is False


def test_a_file_with_errors_is_left_alone(pysmon: Caller, bad: Path) -> None:
    before = bad.read_text()
    answer = pysmon("fmt", "-i", bad)
    assert answer.code == 2
    assert "error C401" in answer.err
    assert bad.read_text() == before


def test_options_that_contradict_each_other_are_refused(pysmon: Caller, good: Path) -> None:
    for options in (["-i", "--check"], ["-i", "-"], [good]):
        assert pysmon("fmt", good, *options).code == 2


def test_a_file_without_end_is_not_read_whole(pysmon: Caller) -> None:
    answer = pysmon("fmt", "/dev/zero")
    assert answer.code == 2
    assert "C102: the file has more than 16777216 bytes" in answer.err


def test_a_file_that_is_not_there_is_told(pysmon: Caller, tmp_path: Path) -> None:
    answer = pysmon("fmt", tmp_path / "x.xml")
    assert answer.code == 2
    assert "x.xml: No such file" in answer.err
