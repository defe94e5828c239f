"""`pysmon doctor`, for real: on this machine, whatever it is."""

from __future__ import annotations

import json

from tests.cli.calls import Caller

from pysmon.cli.exits import ENVIRONMENT, FINDINGS, FINE

CODES = {"ok": FINE, "warn": FINDINGS, "bad": ENVIRONMENT}


def test_every_line_has_its_level_and_the_last_one_the_verdict(pysmon: Caller) -> None:
    answer = pysmon("doctor")
    findings, table, ending = answer.out.split("\n\n")
    lines, (last,) = findings.splitlines(), ending.splitlines()
    assert answer.err == ""
    head, *rows = table.splitlines()
    assert head.split() == ["events", "need", "here", "by"]
    assert any(row.startswith("1, 5 ") and "processes" in row for row in rows) or "kernel sensor" in table
    assert any(row.startswith("27, 28, 29") and "file watch" in row for row in rows)
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


def test_json_has_what_each_event_needs_and_whether_it_is_here(pysmon: Caller) -> None:
    table = json.loads(pysmon("doctor", "--json").out)["capabilities"]
    assert all(set(each) == {"events", "names", "here", "by", "reason", "remedy"} for each in table)
    assert {each["here"] for each in table} <= {"yes", "partly", "no", "unknown"}
    told = {event for each in table for event in each["events"]}
    assert told >= {*range(1, 4), *range(5, 16), *range(17, 30), 100}
    assert all(each["by"] for each in table if each["here"] == "yes")
    assert all(each["reason"] for each in table if each["here"] != "yes")
