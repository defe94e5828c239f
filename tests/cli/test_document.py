"""What `--json` prints."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.cli.calls import PROGRAM, environment

from pysmon.cli.document import json_document


def test_texts_are_spelled_out_where_they_cannot_be_written() -> None:
    assert json.loads(json_document({"a": ["\udcff.xml", 1, None], "b": {"\ud800": True}})) == {
        "a": ["\\xff.xml", 1, None],
        "b": {"\\ud800": True},
    }


def test_a_control_character_beyond_ascii_cannot_steer_a_terminal() -> None:
    assert json_document({"a": "\x9b31m"}) == b'{"a":"\\u009b31m"}'


@pytest.mark.parametrize("command", ["check --json", "lint --json", "coverage --json", "fmt --check --json"])
def test_a_name_that_is_not_utf_8_is_no_trouble(command: str, good: Path, tmp_path: Path) -> None:
    path = f"{tmp_path}/\udcff.xml"  # how Python holds the byte
    shutil.copy(good, path)
    asked = [*PROGRAM, *command.split(), path]
    done = subprocess.run(asked, capture_output=True, env=environment(), timeout=60, check=False)
    assert done.stderr == b""
    assert isinstance(json.loads(done.stdout), dict)


@pytest.mark.parametrize("command", ["check", "fmt --check", "split -o"])
def test_a_name_that_is_not_utf_8_is_spelled_out(command: str, good: Path, tmp_path: Path) -> None:
    odd = f"{tmp_path}/\udcff"
    shutil.copy(good, odd)
    last = [f"{tmp_path}/\udcfe", odd] if command == "split -o" else [odd]
    asked = [*PROGRAM, *command.split(), *last]
    strict = environment() | {"PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(asked, capture_output=True, env=strict, timeout=60, check=False)
    assert done.stderr == b""
    assert b"udcf" not in done.stdout
