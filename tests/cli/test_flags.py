"""Sysmon's own switches, read as Sysmon reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.cli.flags import parse
from pysmon.errors import MisuseError


def options(*arguments: str) -> dict[str, str | None]:
    return dict(parse(arguments).options)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-accepteula -i", {"AcceptEula": None, "Install": None}),
        ("-accepteula -i c.xml", {"AcceptEula": None, "Install": "c.xml"}),
        ("-i c.xml -accepteula", {"Install": "c.xml", "AcceptEula": None}),
        ("-i -h md5,sha256 -n", {"Install": None, "HashAlgorithms": "md5,sha256", "NetworkConnect": None}),
        ("-c c.xml", {"Configuration": "c.xml"}),
        ("-c", {"Configuration": None}),
        ("-c --", {"Configuration": None, "ConfigDefault": None}),
        ("-u", {"UnInstall": None}),
        ("-u force", {"UnInstall": "force"}),
        ("-s", {"PrintSchema": None}),
        ("-s all", {"PrintSchema": "all"}),
        ("-s 4.50 -nologo", {"PrintSchema": "4.50", "NoLogo": None}),
        ("-m", {"Manifest": None}),
        ("-t verbose", {"DebugMode": "verbose"}),
        ("-l a.so,b.so -n", {"ImageLoad": "a.so,b.so", "NetworkConnect": None}),
        ("-service -i /opt/c.xml", {"Service": None, "Install": "/opt/c.xml"}),
        ("-btf /x.btf", {"BTF": "/x.btf"}),
        ("-I C.xml -ACCEPTEULA -NoLogo", {"Install": "C.xml", "AcceptEula": None, "NoLogo": None}),
    ],
)
def test_the_usual_command_lines_are_understood(line: str, expected: dict[str, str | None]) -> None:
    assert options(*line.split()) == expected


def test_single_letters_can_be_clustered_and_the_last_takes_the_value() -> None:
    assert options("-lni", "c.xml") == {"ImageLoad": None, "NetworkConnect": None, "Install": "c.xml"}


def test_a_longer_switch_stands_only_right_after_the_dash() -> None:
    assert options("-nologo") == {"NoLogo": None}
    with pytest.raises(MisuseError, match="'ologo' in '-inologo' is no switch"):
        parse(["-inologo"])


def test_a_required_value_is_the_next_argument_whatever_it_is() -> None:
    assert options("-i", "-h", "-c") == {"Install": None, "HashAlgorithms": "-c"}


def test_an_optional_value_does_not_begin_with_a_dash() -> None:
    assert options("-n", "-l", "/opt/x") == {"NetworkConnect": None, "ImageLoad": "/opt/x"}


def test_dns_is_not_taken_for_a_driver_name() -> None:
    assert options("-dns", "-i") == {"DnsQuery": None, "Install": None}
    assert options("-DNS", "y", "-i") == {"DnsQuery": "y", "Install": None}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-i c.xml extra", "'extra' is no switch"),
        ("-i -c c.xml", "-i and -c exclude each other"),
        ("-iu", "-i and -u exclude each other"),
        ("-i -i", "-i was given twice"),
        ("-n a -n b", "-n was given twice"),
        ("-h", "-h needs a value"),
        ("-hn md5", "-h needs a value and can only be the last in -hn"),
        ("-q", "'-q' is no switch"),
        ("-", "'-' is no switch"),
        ("-accepteulax -i", "'x' in '-accepteulax' is no switch"),
    ],
)
def test_what_is_not_understood_is_told(line: str, words: str) -> None:
    arguments = line.split() if line != "-h" else ["-i", "-h"]
    with pytest.raises(MisuseError) as told:
        parse(arguments)
    assert str(told.value) == words


@pytest.mark.parametrize("arguments", [["-?"], ["/?"], ["-h"], ["-HELP"], ["-?", "schema"]])
def test_help_is_asked_for_in_several_ways(arguments: list[str]) -> None:
    assert parse(arguments).usage == "general"


@pytest.mark.parametrize("topic", ["config", "configuration", "CONFIG"])
def test_help_on_configurations_is_asked_for_by_topic(topic: str) -> None:
    assert parse(["-?", topic]).usage == "configuration"


@given(st.lists(st.one_of(st.text(max_size=6), st.sampled_from(["-i", "-c", "--", "-h", "-dns", "-n", "-lnr", "-?"]))))
def test_any_line_is_understood_or_refused(line: list[str]) -> None:
    try:
        call = parse(line)
    except MisuseError:
        return
    assert call.usage or len(call.options) <= len("".join(line))
