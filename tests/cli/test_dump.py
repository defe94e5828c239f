"""`pysmon dump`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.cli.calls import GOOD, PROGRAM, Caller, environment, spawned

SECTION = """\
Rule configuration (version 4.90):
 - ProcessCreate                      onmatch: exclude   combine rules using 'And'
"""


def test_the_rules_are_printed_as_sysmon_prints_them(pysmon: Caller, good: Path) -> None:
    assert pysmon("dump", good) == (0, SECTION, "")


def test_standard_input_is_read(pysmon: Caller) -> None:
    assert spawned("dump", "-", stdin=GOOD.encode()) == (0, SECTION, "")


def test_a_configuration_with_errors_is_not_printed(pysmon: Caller, bad: Path) -> None:
    answer = pysmon("dump", bad)
    assert answer.code == 2
    assert answer.out == ""
    assert "error C401" in answer.err


def test_the_bytes_are_those_of_sysmon_whatever_the_locale(tmp_path: Path) -> None:
    rule = f'<Rule name="{"語" * 12}" groupRelation="and"><Image>ü</Image></Rule>'
    config = tmp_path / "config.xml"
    config.write_text(GOOD.replace("/></", f">{rule}</ProcessCreate></"), encoding="utf-8")
    latin = {**environment(), "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([*PROGRAM, "dump", str(config)], capture_output=True, env=latin, timeout=60, check=True)
    assert f"Compound Rule {'語' * 12}".encode()[: 14 + 32] + b"   combine" in done.stdout
    assert "value: 'ü'".encode() in done.stdout
