"""What `sysmon -c` prints: the same, line for line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.config.make import configuration, filtering, read
from tests.conftest import shared_files

from pysmon.config.dump import NO_RULES, Running, linux_header, rules_dump, windows_header
from pysmon.config.read import read_file


def dump(text: str) -> list[str]:
    found = read(text).configuration
    assert found
    return rules_dump(found).splitlines()[1:]


@pytest.mark.parametrize("path", shared_files("data/oracle-dumps/*.xml"))
def test_the_section_is_that_of_sysmon(path: Path) -> None:
    found = read_file(path).configuration
    assert found
    assert rules_dump(found).splitlines() == path.with_suffix(".rules").read_text("utf-8").splitlines()


def test_the_version_is_the_one_that_the_file_declares() -> None:
    made = configuration(filtering('<ProcessCreate onmatch="exclude"/>', version="4.5"))
    assert rules_dump(made).splitlines()[0] == "Rule configuration (version 4.50):"


def test_every_line_ends_in_a_newline() -> None:
    made = configuration(filtering('<ProcessCreate onmatch="exclude"/>'))
    assert rules_dump(made).endswith("'And'\n")


def test_events_come_in_the_order_of_the_manifest() -> None:
    found = dump(filtering('<DnsQuery onmatch="exclude"/><ProcessTerminate onmatch="exclude"/>'))
    assert [line.split()[1] for line in found] == ["ProcessTerminate", "DnsQuery"]


def test_of_elements_with_one_tag_and_one_onmatch_only_the_first_is_printed() -> None:
    first = '<ProcessCreate onmatch="include"><Image>a</Image></ProcessCreate>'
    second = first.replace("a<", "b<")
    excludes = first.replace("include", "exclude")
    found = dump(filtering(first + second + excludes + first))
    assert [line.split()[-1].strip("'") for line in found if line.startswith("\t")] == ["a", "a", "a"]
    assert [line.split()[3] for line in found if line.startswith(" -")] == ["include", "exclude", "include"]


def test_a_rule_shows_its_name_or_its_number() -> None:
    rules = (
        '<Rule name="tell tale" groupRelation="and"><Image>a</Image></Rule>'
        '<Rule groupRelation="or"><Image condition="not begin with">b</Image></Rule>'
    )
    found = dump(filtering(f'<ProcessCreate onmatch="include">{rules}</ProcessCreate>'))
    assert found[1:] == [
        "\tCompound Rule tell tale   combine using And",
        "\t    Image                          filter: is           value: 'a'",
        "\tCompound Rule 0002   combine using Or",
        "\t    Image                          filter: not begin with value: 'b'",
    ]


def test_a_long_name_ends_after_32_bytes() -> None:
    rule = f'<Rule name="{"ä" * 15}bcd" groupRelation="and"><Image>a</Image></Rule>'
    found = dump(filtering(f'<ProcessCreate onmatch="include">{rule}</ProcessCreate>'))
    assert found[1] == f"\tCompound Rule {'ä' * 15}bc   combine using And"


@pytest.mark.parametrize("name", ["ä" * 17, "a" + "ä" * 17, "語" * 12, "a😀" * 9, "👩‍💻" * 5])
def test_a_long_name_ends_after_32_bytes_within_a_character_too(name: str) -> None:
    rule = f'<Rule name="{name}" groupRelation="and"><Image>a</Image></Rule>'
    found = read(filtering(f'<ProcessCreate onmatch="include">{rule}</ProcessCreate>')).configuration
    assert found
    line = rules_dump(found).encode(errors="surrogateescape").splitlines()[2]
    assert line == b"\tCompound Rule " + name.encode()[:32] + b"   combine using And"


def test_a_rule_without_filters_is_not_printed() -> None:
    rules = '<Rule groupRelation="and"></Rule><Rule groupRelation="and"><Image>a</Image></Rule>'
    found = dump(filtering(f'<ProcessCreate onmatch="include">{rules}</ProcessCreate>'))
    assert found[1] == "\tCompound Rule 0002   combine using And"
    assert len(found) == 3


def test_a_configuration_that_filters_nothing_has_no_rules() -> None:
    found = read(filtering("")).configuration
    assert found
    assert rules_dump(found) == NO_RULES


def test_windows_tells_of_itself_first() -> None:
    running = Running(config_file="C:\\a.xml", config_hash="SHA256=AB", network_connection=True)
    assert windows_header(running).splitlines() == [
        "Current configuration:",
        " - Service name:                  Sysmon",
        " - Driver name:                   SysmonDrv",
        " - Config file:                   C:\\a.xml",
        " - Config hash:                   SHA256=AB",
        "",
        " - HashingAlgorithms:             SHA256",
        " - Network connection:            enabled",
        " - Archive Directory:             -",
        " - Image loading:                 disabled",
        " - CRL checking:                  disabled",
        " - DNS lookup:                    enabled",
        "",
    ]


def test_a_line_that_may_miss_is_left_away() -> None:
    assert "Config" not in windows_header(Running())
    assert linux_header() == "\n"
    assert linux_header("Image:10") == " - Field Sizes:                   Image:10\n\n"
