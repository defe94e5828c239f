"""`pysmon doctor`, for real: on this machine, whatever it is."""

from __future__ import annotations

import json

from tests.cli.calls import Caller

from pysmon.cli.exits import ENVIRONMENT, FINDINGS, FINE

CODES = {"ok": FINE, "warn": FINDINGS, "bad": ENVIRONMENT}


def test_every_line_has_its_level_and_the_last_one_the_verdict(pysmon: Caller) -> None:
    answer = pysmon("doctor")
    *lines, last = answer.out.splitlines()
    assert answer.err == ""
    assert {line.split()[0] for line in lines} <= {"ok", "warn", "bad", "->"}
    assert any(line.split()[:2] == ["ok", "kernel"] for line in lines)
    endings = {FINE: "all is well", FINDINGS: "pysmon can run here", ENVIRONMENT: "in the way"}
    assert endings[answer.code] in last


def test_json_has_the_same_findings_and_the_worst_decides(pysmon: Caller) -> None:
    answer = pysmon("doctor", "--json")
    document = json.loads(answer.out)
    levels = {finding["level"] for finding in document["findings"]}
    assert document["worst"] in levels
    assert answer.code == CODES[document["worst"]]
    assert all(set(finding) == {"level", "about", "text", "remedy", "when"} for finding in document["findings"])
    assert "BTF" in {finding["about"] for finding in document["findings"]}
