"""The metrics are OpenMetrics text: held against the grammar, and the reference parser if it is there."""

from __future__ import annotations

import importlib
import importlib.util
import re
from dataclasses import replace

import pytest
from tests.service.sample import HEALTHY, ILL

from pysmon.service.metrics import CONTENT_TYPE, metrics
from pysmon.service.status import Status

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
SUFFIXES = {"counter": "_total", "info": "_info", "gauge": "", "stateset": ""}
NASTY = replace(
    HEALTHY,
    outputs=(replace(HEALTHY.outputs[0], name='a\\b"c\nd\udcff é'), HEALTHY.outputs[0], HEALTHY.outputs[0]),
)
SAMPLES = pytest.mark.parametrize("status", [HEALTHY, ILL, NASTY], ids=["healthy", "ill", "nasty"])


def value(status: Status, sample: str) -> float:
    (found,) = [line for line in metrics(status).splitlines() if line.startswith(f"{sample} ")]
    return float(found.rsplit(" ", 1)[1])


@SAMPLES
def test_every_line_is_as_the_grammar_wants_it(status: Status) -> None:
    *lines, end = metrics(status).removesuffix("\n").split("\n")
    assert end == "# EOF"
    described: dict[str, str] = {}
    samples = set()
    name = kind = ""
    while lines:
        line = lines.pop(0)
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in described
            described[name] = kind
            if lines[0].startswith("# UNIT "):
                _, _, same, unit = lines.pop(0).split(" ")
                assert same == name
                assert name.endswith(f"_{unit}")
            assert re.fullmatch(rf"# HELP {name} [^\n\\]+\.", lines.pop(0))
            assert lines[0].startswith(name)
            continue
        found = SAMPLE.fullmatch(line)
        assert found is not None, line
        assert found[1] == name + SUFFIXES[kind]
        assert (found[1], found[2]) not in samples
        samples.add((found[1], found[2]))
        assert kind != "counter" or float(found[3]) >= 0
    assert {"pysmon_build", "pysmon_records", "pysmon_hook"} <= described.keys()


@SAMPLES
@pytest.mark.skipif(importlib.util.find_spec("prometheus_client") is None, reason="prometheus-client is not installed")
def test_the_reference_parser_reads_it(status: Status) -> None:
    parser = importlib.import_module("prometheus_client.openmetrics.parser")
    families = {family.name: family for family in parser.text_string_to_metric_families(metrics(status))}
    assert families["process_cpu_seconds"].samples[0].value == status.cpu_seconds
    assert families["pysmon_hook"].type == "stateset"


def test_the_type_of_the_content_is_that_of_the_specification() -> None:
    assert CONTENT_TYPE == "application/openmetrics-text; version=1.0.0; charset=utf-8"


def test_the_figures_are_those_of_the_status() -> None:
    assert value(HEALTHY, "pysmon_healthy") == 1
    assert value(ILL, "pysmon_healthy") == 0
    assert value(ILL, "pysmon_findings") == 7
    assert value(HEALTHY, "process_resident_memory_bytes") == HEALTHY.memory
    assert value(HEALTHY, "process_cpu_seconds_total") == 532.8
    assert value(HEALTHY, "process_start_time_seconds") == HEALTHY.started / 1e9
    assert value(HEALTHY, 'pysmon_records_seen_total{family="network"}') == 9_876_543
    assert value(HEALTHY, 'pysmon_records_total{family="network",fate="filtered"}') == 8_999_998
    assert value(ILL, 'pysmon_records_total{family="network",fate="lost"}') == 12
    assert value(HEALTHY, 'pysmon_records_in_flight{family="network"}') == 2
    assert value(ILL, 'pysmon_output_resting{output="syslog"}') == 1
    assert value(ILL, 'pysmon_output_resting{output="/var/lib/pysmon/log"}') == 0
    assert value(ILL, 'pysmon_output_spilled_bytes{output="syslog"}') == 2_100_000
    assert value(HEALTHY, 'pysmon_log_class_bytes{class="network"}') == 131_072_000
    assert value(HEALTHY, "pysmon_reconciliation_exact") == 1


def test_of_the_states_of_a_hook_one_is_on() -> None:
    labels = 'ability="files deleted",family="file delete",hook=""'
    on = [value(HEALTHY, f'pysmon_hook{{{labels},pysmon_hook="{state}"}}') for state in ("working", "blind", "off")]
    assert on == [0, 0, 1]


def test_what_is_not_known_is_left_out() -> None:
    text = metrics(ILL)
    assert "pysmon_log_" not in text
    assert "pysmon_reconciliation" not in text
    assert 'pysmon_log_class_oldest_timestamp_seconds{class="registry"}' not in metrics(HEALTHY)


def test_outputs_of_one_name_are_told_apart() -> None:
    assert value(NASTY, 'pysmon_output_written_entries_total{output="/var/lib/pysmon/log"}') == 896_888
    assert value(NASTY, 'pysmon_output_written_entries_total{output="/var/lib/pysmon/log (2)"}') == 896_888


def test_names_are_escaped() -> None:
    assert 'pysmon_output_resting{output="a\\\\b\\"c\\nd\\\\xff é"} 0\n' in metrics(NASTY)
