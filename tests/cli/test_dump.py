"""`pysmon dump`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calls import GOOD, Caller, spawned

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
