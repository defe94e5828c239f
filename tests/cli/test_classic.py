"""What Sysmon's own switches do."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.calls import Caller

from pysmon.cli.usage import configuration_usage
from pysmon.config.read import read_configuration
from pysmon.schema.event import EVENTS
from pysmon.schema.manifest import manifest_xml
from pysmon.schema.versions import newest


def test_a_good_configuration_is_loaded_with_the_words_of_sysmon(pysmon: Caller, good: Path) -> None:
    answer = pysmon("-c", good)
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "Loading configuration file with schema version 4.90",
        "Configuration file validated.",
        "pysmon is not running as a service: nothing was changed.",
    ]


def test_an_older_schema_is_told(pysmon: Caller, good: Path) -> None:
    good.write_text(good.read_text().replace("4.90", "4.50"))
    assert pysmon("-c", good).out.splitlines()[:2] == [
        "Loading configuration file with schema version 4.50",
        "Sysmon schema version: 4.90",
    ]


@pytest.mark.parametrize("switches", [["-c"], ["-accepteula", "-i"]])
def test_a_bad_configuration_is_not_called_validated(pysmon: Caller, bad: Path, switches: list[str]) -> None:
    answer = pysmon(*switches, bad)
    assert (answer.code, answer.out) == (1, "")
    assert "bad.xml:1:" in answer.err
    assert "Imagine" in answer.err
    assert "was not accepted: 1 error, 0 warnings" in answer.err


def test_installing_is_not_possible_yet_and_says_what_is(pysmon: Caller, good: Path) -> None:
    answer = pysmon("-accepteula", "-i", good)
    assert answer.code == 3
    assert "Configuration file validated." in answer.out
    assert f"To watch now: pysmon run -c {good}" in answer.err


@pytest.mark.parametrize("line", ["-i", "-u", "-u force", "-t", "-t verbose", "-service"])
def test_what_needs_a_service_says_that_there_is_none_yet(pysmon: Caller, line: str) -> None:
    answer = pysmon(*line.split())
    assert (answer.code, answer.out) == (3, "")
    assert "yet" in answer.err or "no debug mode" in answer.err


@pytest.mark.parametrize("line", ["-c", "-c --"])
def test_without_a_service_there_is_no_configuration_to_show_or_reset(pysmon: Caller, line: str) -> None:
    answer = pysmon(*line.split())
    assert answer.code == 87
    assert "not running as a service" in answer.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--", "The '--' switch must be used with -c switch (config update) to set defaults."),
        ("-c -- -n", "Cannot use specific settings with enforcing defaults."),
        ("-u now", "Invalid option for -u."),
        ("-t loud", "Possible options for DebugMode: verbose"),
        ("-i -h md4", "Invalid hashing algorithm: md4"),
        ("-m", "Option not implemented on Linux."),
        ("-i -d Driver", "Option not implemented on Linux."),
        ("-accepteula", "one of -i, -c, -u and -s says what to do"),
        ("-foo", "'-foo' is no switch"),
        ("-i a b", "'b' is no switch"),
    ],
)
def test_a_line_that_makes_no_sense_is_told_why_and_how_it_would(pysmon: Caller, line: str, words: str) -> None:
    answer = pysmon(*line.split())
    assert (answer.code, answer.out) == (87, "")
    assert words in answer.err
    assert "Usage:" in answer.err


def test_a_list_of_hash_algorithms_may_be_anything_that_sysmon_takes(pysmon: Caller) -> None:
    assert "Invalid" not in pysmon("-i", "-h", "SHA1,md-5,IMPHASH,*").err


def test_the_schema_is_printed_clean_for_a_pipe(pysmon: Caller) -> None:
    answer = pysmon("-s")
    assert (answer.code, answer.out) == (0, manifest_xml(newest("linux").version))
    assert answer.err.startswith("pysmon v")


def test_an_unknown_schema_is_told_with_those_that_there_are(pysmon: Caller) -> None:
    answer = pysmon("-s", "9")
    assert (answer.code, answer.out) == (87, "")
    assert "There is no schema that matches that version." in answer.err
    assert "4.91, 4.90" in answer.err


def test_the_banner_can_be_left_away(pysmon: Caller) -> None:
    assert pysmon("-nologo", "-s").err == ""


def test_help_goes_to_standard_output_when_it_was_asked_for(pysmon: Caller) -> None:
    answer = pysmon("-?")
    assert answer.code == 0
    assert answer.out.startswith("Usage:")


def test_help_on_configurations_has_every_tag_and_condition_of_the_schema(pysmon: Caller, good: Path) -> None:
    answer = pysmon("-?", "config")
    assert answer.code == 0
    for event in EVENTS.values():
        if event.tag:
            assert f"{event.id:<6} {event.tag:<24} {event.title}\n" in answer.out
    assert "\nnot begin with  " in answer.out
    assert "PipeMonitoringConfig" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def test_the_sample_configuration_of_the_help_has_no_problems() -> None:
    text = configuration_usage()
    sample = text[text.index("<Sysmon") : text.index("</Sysmon>") + 9]
    reading = read_configuration(sample.encode(), "sample.xml")
    assert reading.problems == ()
    assert reading.configuration is not None
